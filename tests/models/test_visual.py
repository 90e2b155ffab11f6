"""The face networks: their maps, their pooling, their batches, their precision."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.config import ModelConfig, VisualConfig
from avdetect.models.detector import DetectorNet
from avdetect.models.visual import pooled
from avdetect.types import FACE_SIZE, MOUTH_SIZE

look = nnx.jit(lambda net, faces, mouths: (net(faces, mouths), net.face_map(faces), net.mouth_map(mouths)))


def crops(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    faces = rng.uniform(0, 255, (n, FACE_SIZE, FACE_SIZE, 3)).astype(np.float32)
    return faces, rng.uniform(0, 255, (n, 3, MOUTH_SIZE, MOUTH_SIZE, 3)).astype(np.float32)


def test_the_logit_is_the_sum_of_both_maps_pooled(net) -> None:
    logits, face, mouth = look(net.visual, *crops(3))
    assert face.shape == (3, 10, 10) and logits.shape == (3,) and mouth.shape[0] == 3
    np.testing.assert_allclose(logits, pooled(face, "soft") + pooled(mouth, "soft"), rtol=1e-5, atol=1e-6)
    assert np.asarray(face).std() > 1e-3 and np.asarray(mouth).std() > 1e-3


def test_soft_pooling_is_the_mean_of_an_even_map_and_hears_a_small_edit() -> None:
    even = jnp.full((1, 10, 10), -1.5)
    np.testing.assert_allclose(pooled(even, "soft"), pooled(even, "mean"), atol=1e-5)
    edited = even.at[:, 3, 3].set(6.0)
    assert float(pooled(edited, "soft")[0]) > 1.0 > 0.0 > float(pooled(edited, "mean")[0])


def test_a_batch_is_its_singles(net) -> None:
    faces, mouths = crops(3)
    logits, places, _ = look(net.visual, faces, mouths)
    for i in range(3):
        logit, place, _ = look(net.visual, faces[i : i + 1], mouths[i : i + 1])
        np.testing.assert_allclose(logits[i], logit[0], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(places[i], place[0], rtol=1e-4, atol=1e-4)


def test_the_map_says_where(net) -> None:
    """A changed corner moves the map's own corner most."""
    before, mouths = crops(1)
    after = before.copy()
    after[:, :16, :16] = 255 - after[:, :16, :16]
    change = np.abs(np.asarray(look(net.visual, after, mouths)[1]) - np.asarray(look(net.visual, before, mouths)[1]))[0]
    assert np.unravel_index(change.argmax(), change.shape) <= (2, 2)
    assert change[:3, :3].mean() > 5 * change[5:, 5:].mean()


def test_what_changes_between_ticks_is_seen(net) -> None:
    faces, mouths = crops(1)
    still = np.repeat(mouths[:, 1:2], 3, axis=1)
    moving, resting = look(net.visual, faces, mouths), look(net.visual, faces, still)
    np.testing.assert_array_equal(moving[1], resting[1])
    assert not np.allclose(moving[2], resting[2])


def test_a_face_alone_can_be_configured() -> None:
    net = DetectorNet(ModelConfig(visual=VisualConfig(widths=(8, 8), mouth_widths=())))
    net.eval()
    faces, mouths = crops(2)
    run = nnx.jit(lambda m, x, y: m(x, y))
    np.testing.assert_array_equal(run(net.visual, faces, mouths), run(net.visual, faces, mouths[::-1]))
    with pytest.raises(AssertionError, match="face alone"):
        net.visual.mouth_map(mouths)  # type: ignore[union-attr]


def test_dropout_and_leaving_out_only_in_training(net) -> None:
    graph, state = nnx.split(net.visual)
    other = nnx.merge(graph, jax.tree.map(jnp.copy, state))
    batch = crops(1)
    run = nnx.jit(lambda m, x, y: m(x, y))
    np.testing.assert_array_equal(run(other, *batch), run(other, *batch))
    other.train()
    assert float(run(other, *batch)[0]) != float(run(other, *batch)[0])


def test_a_stream_is_left_out_as_often_as_configured() -> None:
    options = VisualConfig(widths=(8,), mouth_widths=(8,), dropout=0.0, leave_out=0.5)
    net = DetectorNet(ModelConfig(visual=options)).visual
    assert net is not None
    faces, mouths = crops(1)
    many = np.repeat(faces, 64, axis=0), np.repeat(mouths, 64, axis=0)
    net.train()
    values = np.unique(np.round(np.asarray(nnx.jit(lambda net, faces, mouths: net(faces, mouths))(net, *many)), 4))
    assert len(values) == 4 and 0.0 in values, dataclasses.asdict(options)


def test_half_precision_gives_float32_near_the_full_one(net, half_net) -> None:
    batch = crops(2)
    full, half = look(net.visual, *batch), look(half_net.visual, *batch)
    for a, b in zip(full, half, strict=True):
        assert b.dtype == a.dtype == jnp.float32
        assert not np.array_equal(a, b)
    np.testing.assert_allclose(full[0], half[0], atol=0.1)
