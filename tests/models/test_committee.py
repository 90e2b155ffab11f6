"""Several face networks as one."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.bundle import flat_parameters
from avdetect.config import CommitteeConfig, LiteConfig, ModelConfig, TextureConfig, VisualConfig, from_dict, to_dict
from avdetect.evaluation.committee import joined
from avdetect.models.committee import CommitteeNet
from avdetect.models.detector import DetectorNet

SMALL = VisualConfig(widths=(8, 8), mouth_widths=())
TEXTURE = TextureConfig(hidden=4, heads=2)
LITE = LiteConfig(stages=1, stride=2)
NAMES = {VisualConfig: "cnn", TextureConfig: "texture", LiteConfig: "lite"}
judge = nnx.jit(lambda net, faces, mouths: net(faces, mouths))


def one(seed: int, options: VisualConfig | TextureConfig | LiteConfig) -> DetectorNet:
    net = DetectorNet(replace(ModelConfig(visual_encoder=NAMES[type(options)]), visual=options), seed=seed)
    for leaf in jax.tree.leaves(nnx.state(net, nnx.Param)):
        assert leaf.size
    if isinstance(options, LiteConfig):  # its head starts at zero
        net.visual.head.kernel[...] = jax.random.normal(jax.random.key(seed), net.visual.head.kernel.shape)
    net.eval()
    return net


def pictures(n: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (n, 160, 160, 3)).astype(np.float32), rng.uniform(0, 255, (n, 3, 64, 64, 3)).astype(
        np.float32
    )


@pytest.mark.parametrize("options", [(SMALL, TEXTURE, LITE), (TEXTURE, LITE, LITE)])
def test_it_is_the_weighted_mean_on_the_scale_of_genuine_faces(options: tuple) -> None:
    nets = [one(seed, o) for seed, o in enumerate(options)]
    rng = np.random.default_rng(1)
    genuine = [rng.normal(2.0 * i, 1.0 + i, 50) for i in range(len(nets))]
    shares = np.arange(1.0, len(nets) + 1)
    made = joined(nets, genuine, shares)
    made.eval()
    faces, mouths = pictures()
    alone = [np.asarray(judge(net.visual, faces, mouths)) for net in nets]
    scaled = [(x - g.mean()) / g.std() for x, g in zip(alone, genuine, strict=True)]
    expected = np.average(scaled, axis=0, weights=shares)
    np.testing.assert_allclose(judge(made.visual, faces, mouths), expected, rtol=1e-3, atol=1e-3)
    assert from_dict(to_dict(made.config), ModelConfig) == made.config


def test_what_is_no_committee_is_refused() -> None:
    values = [np.arange(5.0)] * 2
    for options in ((TEXTURE, SMALL), (SMALL, SMALL), (LITE, TEXTURE), (TEXTURE, TextureConfig(hidden=5)),
                    (LITE, LiteConfig(stages=2))):  # fmt: skip
        with pytest.raises(ValueError, match="each kind alike"):
            joined([one(0, o) for o in options], values, np.ones(2))
    pair = [one(0, TEXTURE), one(1, TEXTURE)]
    with pytest.raises(ValueError, match="weights"):
        joined(pair, values, np.ones(3))
    with pytest.raises(ValueError, match="too few genuine"):
        joined(pair, [np.arange(5.0), np.array([1.0])], np.ones(2))
    with pytest.raises(ValueError, match="needs a member"):
        CommitteeNet(CommitteeConfig(cnn=None, textures=0), dtype=jnp.dtype("float32"), rngs=nnx.Rngs(0))


def test_its_numbers_are_all_in_a_bundle() -> None:
    net = joined([one(0, SMALL), one(1, TEXTURE)], [np.arange(5.0)] * 2, np.ones(2))
    names = flat_parameters(net.visual)
    assert {"centre", "weight"} <= names.keys() and any(n.startswith("members.1.join") for n in names)
