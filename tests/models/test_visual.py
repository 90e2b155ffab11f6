"""The face CNN: its map, its batches, its precision."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect.types import FACE_SIZE

look = nnx.jit(lambda net, faces: (net(faces), net.map(faces)))


def faces(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (n, FACE_SIZE, FACE_SIZE, 3)).astype(np.float32)


def test_the_logit_is_the_mean_of_the_map(net) -> None:
    logits, places = look(net.visual, faces(3))
    assert places.shape == (3, 10, 10) and logits.shape == (3,)
    np.testing.assert_allclose(logits, np.asarray(places).mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    assert np.asarray(places).std() > 1e-3


def test_a_batch_is_its_singles(net) -> None:
    batch = faces(3)
    logits, places = look(net.visual, batch)
    for i in range(3):
        logit, place = look(net.visual, batch[i : i + 1])
        np.testing.assert_allclose(logits[i], logit[0], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(places[i], place[0], rtol=1e-4, atol=1e-4)


def test_the_map_says_where(net) -> None:
    """A changed corner moves the map's own corner most."""
    before = faces(1)
    after = before.copy()
    after[:, :16, :16] = 255 - after[:, :16, :16]
    change = np.abs(np.asarray(look(net.visual, after)[1]) - np.asarray(look(net.visual, before)[1]))[0]
    assert np.unravel_index(change.argmax(), change.shape) <= (2, 2)
    assert change[:3, :3].mean() > 5 * change[5:, 5:].mean()


def test_dropout_only_in_training(net) -> None:
    graph, state = nnx.split(net.visual)
    other = nnx.merge(graph, jax.tree.map(jnp.copy, state))
    batch = faces(1)
    run = nnx.jit(lambda m, x: m(x))
    np.testing.assert_array_equal(run(other, batch), run(other, batch))
    other.train()
    assert float(run(other, batch)[0]) != float(run(other, batch)[0])


def test_half_precision_gives_float32_near_the_full_one(net, half_net) -> None:
    batch = faces(2)
    full, half = look(net.visual, batch), look(half_net.visual, batch)
    for a, b in zip(full, half, strict=True):
        assert b.dtype == a.dtype == jnp.float32
        assert not np.array_equal(a, b)
    np.testing.assert_allclose(full[0], half[0], atol=0.1)
