"""The voice network: reach in time, padding, batches."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect.models.audio import POOL_RADIUS, max_feature_map, reach
from avdetect.models.frontend import CMN_RADIUS

listen = nnx.jit(lambda net, audio, valid: net(audio, valid))


def test_max_feature_map_takes_the_larger_half() -> None:
    x = jnp.array([[1.0, 5.0, -2.0, 3.0, 4.0, -1.0]])
    np.testing.assert_array_equal(max_feature_map(x), [[3.0, 5.0, -1.0]])


def test_a_logit_depends_on_nothing_further_than_its_reach(net, noise) -> None:
    """What is heard at a tick, the two seconds pooled around it, and the two seconds of the local mean."""
    ticks, at = 140, 70
    valid = np.ones((1, ticks), bool)
    audio = noise(ticks)[None]
    changed = audio.copy()
    changed[:, at * 640 : (at + 1) * 640] += noise(1, 3)[None]
    # One tick more: the windows of the spectra reach over the edges of their tick.
    most = reach(net.audio.config) + POOL_RADIUS + CMN_RADIUS + 1
    for a, b in zip(listen(net.audio, audio, valid), listen(net.audio, changed, valid), strict=True):
        found = np.flatnonzero(np.asarray(a)[0] != np.asarray(b)[0])
        assert at - most <= found.min() and found.max() <= at + most
        assert found.min() < at - CMN_RADIUS and found.max() > at + CMN_RADIUS, "the context is pooled"


def test_edges_are_zero(net, noise) -> None:
    r = reach(net.audio.config)
    for found in listen(net.audio, noise(40)[None], np.ones((1, 40), bool)):
        found = np.asarray(found)[0]
        assert not found[:r].any() and not found[-r:].any() and found[r:-r].all()


def test_padding_does_not_matter(net, noise) -> None:
    r = reach(net.audio.config)
    short, ticks = 30, 40
    audio = noise(short)[None]
    padded, valid = np.pad(audio, ((0, 0), (0, (ticks - short) * 640))), np.arange(ticks)[None] < short
    alone, longer = listen(net.audio, audio, valid[:, :short]), listen(net.audio, padded, valid)
    for a, b in zip(alone, longer, strict=True):
        np.testing.assert_allclose(a[:, r : short - r], b[:, r : short - r], rtol=1e-4, atol=1e-5)


def test_a_batch_is_its_singles(net, noise) -> None:
    audio, valid = np.stack([noise(40, i) for i in range(3)]), np.ones((3, 40), bool)
    valid[2, 25:] = False
    together = listen(net.audio, audio, valid)
    for i in range(3):
        for a, b in zip(together, listen(net.audio, audio[i : i + 1], valid[i : i + 1]), strict=True):
            np.testing.assert_allclose(a[i], b[0], rtol=1e-5, atol=1e-5)


def test_level_does_not_matter(net, noise) -> None:
    audio, valid = noise(140)[None], np.ones((1, 140), bool)
    for a, b in zip(listen(net.audio, audio, valid), listen(net.audio, audio * np.float32(0.2), valid), strict=True):
        np.testing.assert_allclose(a[:, 60:80], b[:, 60:80], atol=5e-3)  # further from the ends than the reach


def test_half_precision_gives_float32_near_the_full_one(net, half_net, noise) -> None:
    audio, valid = noise(40)[None], np.ones((1, 40), bool)
    for full, half in zip(listen(net.audio, audio, valid), listen(half_net.audio, audio, valid), strict=True):
        assert half.dtype == full.dtype == jnp.float32
        np.testing.assert_allclose(half, full, atol=0.15)
        assert not np.array_equal(half, full)
