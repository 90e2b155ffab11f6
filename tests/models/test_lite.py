"""The network with the filters of EfficientNet-Lite0: its arithmetic against XLA's own, its shapes, its members."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.config import LiteConfig
from avdetect.depthwise import depthwise
from avdetect.models.lite import STAGES, LiteNet


def by_xla(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    numbers = ("NHWC", "HWIO", "NHWC")
    strides, groups = (stride, stride), x.shape[-1]
    return jax.lax.conv_general_dilated(
        x, kernel[:, :, None], strides, "SAME", dimension_numbers=numbers, feature_group_count=groups
    )


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 9), (11, 6)])
def test_shifted_sums_are_a_depthwise_convolution(side: int, stride: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(stride)
    x, kernel = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((2, *size, 7), (side, side, 7)))

    def value(made: Any, x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jnp.sin(made(x, kernel, stride)).sum()

    np.testing.assert_allclose(depthwise(x, kernel, stride), by_xla(x, kernel, stride), atol=1e-5)
    for ours, theirs in zip(
        *(jax.jit(jax.grad(partial(value, made), (0, 1)))(x, kernel) for made in (depthwise, by_xla)), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_face_is_judged_alike_whatever_stands_beside_it() -> None:
    net = LiteNet(LiteConfig(stages=1), dtype=jnp.float32, rngs=nnx.Rngs(0))
    net.head.kernel[...] = jnp.ones_like(net.head.kernel[...])
    net.eval()
    faces = jnp.asarray(np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)), jnp.float32)
    mouths = jnp.zeros((3, 3, 8, 8, 3))
    together = nnx.jit(lambda n, f, m: n(f, m))(net, faces, mouths)
    assert together.shape == (3,) and len(set(np.asarray(together).tolist())) == 3
    alone = nnx.jit(lambda n, f, m: n(f, m))
    for i in range(3):
        np.testing.assert_allclose(alone(net, faces[i : i + 1], mouths[i : i + 1])[0], together[i], rtol=1e-4)


def test_stages_are_those_of_the_original() -> None:
    """Tan and Le 2019, table 1, without the last stage: channels and blocks."""
    assert [(out, count) for *_, out, count in STAGES] == [(16, 1), (24, 2), (40, 2), (80, 3), (112, 3), (192, 4)]
    net = nnx.eval_shape(lambda: LiteNet(LiteConfig(stages=6), dtype=jnp.float32, rngs=nnx.Rngs(0)))
    assert len(net.blocks) == 15 and [b.skips for b in net.blocks][:5] == [False, False, True, False, True]
