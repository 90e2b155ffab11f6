from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from avdetect.faces import separable
from avdetect.faces.blazeface import BlazeFace
from avdetect.faces.nets import DETECTOR_BATCH, MESH_BATCH, FaceNets, fill, load_network


@pytest.mark.parametrize(("size", "kernel", "stride"), [(8, 3, 1), (8, 3, 2), (9, 3, 2), (12, 5, 2)])
def test_shifted_products_are_a_depthwise_convolution(size: int, kernel: int, stride: int) -> None:
    rng = np.random.default_rng(size * stride)
    x = rng.normal(size=(2, size, size + 2, 5)).astype(np.float32)
    k = rng.normal(size=(kernel, kernel, 5)).astype(np.float32)
    want = lax.conv_general_dilated(
        jnp.asarray(x),
        jnp.asarray(k[:, :, None]),
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=5,
    )
    got = np.asarray(separable.depthwise(jnp.asarray(x), jnp.asarray(k), stride))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_halving_takes_the_greatest_of_each_square() -> None:
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(separable.halve(jnp.asarray(x))[0, :, :, 0], [[5, 7], [13, 15]])


def test_every_number_of_the_weight_file_is_used() -> None:
    module = load_network("blazeface_short")
    assert isinstance(module, BlazeFace)
    assert np.abs(np.asarray(module.blocks[15].pointwise.kernel[...])).max() > 0


def test_a_missing_number_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"half\.safetensors: parameters that are only on one side.*import"):
        fill(BlazeFace(), {"stem.kernel": np.zeros((5, 5, 3, 24))}, "half.safetensors")


def test_a_number_of_another_shape_is_an_error() -> None:
    module = load_network("blazeface_short")
    from flax import nnx

    flat = nnx.to_flat_state(nnx.state(module, nnx.Param))
    values = {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in flat}
    values["stem.bias"] = values["stem.bias"][:3]
    with pytest.raises(ValueError, match=r"stem\.bias has shape \(3,\), not \(24,\)"):
        fill(BlazeFace(), values, "here")


def test_what_else_is_in_the_batch_changes_nothing(nets: FaceNets) -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (MESH_BATCH + 3, 192, 192, 3)).astype(np.uint8)
    together, presence = nets.mesh(faces)
    assert together.shape == (MESH_BATCH + 3, 468, 3)
    assert presence.shape == (MESH_BATCH + 3,)
    alone, _ = nets.mesh(faces[2:3])
    np.testing.assert_array_equal(alone[0], together[2])
    pictures = faces[: DETECTOR_BATCH + 1, :128, :128]
    logits, places = nets.detect(pictures)
    assert logits.shape == (DETECTOR_BATCH + 1, 896)
    assert places.shape == (DETECTOR_BATCH + 1, 896, 16)
    np.testing.assert_array_equal(nets.detect(pictures[1:2])[0][0], logits[1])
