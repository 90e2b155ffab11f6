"""What the networks hear: local mean, level and edges."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from avdetect.models.frontend import CMN_RADIUS, FRAMES_PER_TICK, LFCC, MEL, lfcc_ticks, local_mean, mel_ticks

FEATURES = {"mel": (jax.jit(mel_ticks), MEL.n_mels), "lfcc": (jax.jit(lfcc_ticks), LFCC.n_features)}
SPECTRAL_TICKS = 2
"""Ticks into which the windows and slopes of a tick's frames reach (LFCC: 760 samples)."""
T = 80


@pytest.fixture(params=sorted(FEATURES))
def feature(request: pytest.FixtureRequest):
    return FEATURES[request.param]


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_local_mean_equals_the_loop(radius: int) -> None:
    rng = np.random.default_rng(radius)
    x = rng.normal(size=(2, 12, 3)).astype(np.float32)
    valid = rng.random((2, 12)) < 0.6
    valid[1, :5] = False
    found = np.asarray(jax.jit(local_mean, static_argnums=2)(x, valid, radius))
    for b in range(2):
        for i in range(12):
            near = [j for j in range(12) if abs(i - j) <= radius and valid[b, j]]
            expected = x[b, near].mean(axis=0) if near else np.zeros(3)
            np.testing.assert_allclose(found[b, i], expected, atol=1e-6)


def test_shape_and_silence(feature) -> None:
    function, size = feature
    found = np.asarray(function(np.zeros((1, T * 640), np.float32), np.ones((1, T), bool)))
    assert found.shape == (1, T, FRAMES_PER_TICK, size)
    np.testing.assert_allclose(found, 0.0, atol=1e-5)


@pytest.mark.parametrize("gain", [0.1, 4.0])
def test_level_does_not_matter_above_the_floor(feature, noise, gain: float) -> None:
    function, _ = feature
    audio, valid = noise(T)[None], np.ones((1, T), bool)
    usual, other = (np.asarray(function(a, valid)) for a in (audio, audio * np.float32(gain)))
    assert usual.std() > 0.1, "features that say nothing do not depend on the level either"
    # Next to the end of the sound, slopes towards nothing and the means they enter do depend on the level.
    middle = slice(CMN_RADIUS + SPECTRAL_TICKS, -CMN_RADIUS - SPECTRAL_TICKS)
    np.testing.assert_allclose(other[:, middle], usual[:, middle], atol=2e-3)


def test_what_is_not_covered_is_zero_and_not_in_the_mean(feature, noise) -> None:
    """A stretch without sound leaves the rest as if the file had ended there."""
    function, _ = feature
    audio, valid = noise(T)[None].copy(), np.ones((1, T), bool)
    valid[:, 50:] = False
    audio[:, 50 * 640 :] = 0
    found = np.asarray(function(audio, valid))
    assert not found[:, 50:].any()
    alone = np.asarray(function(audio[:, : 50 * 640], valid[:, :50]))
    np.testing.assert_allclose(found[:, :50], alone, atol=1e-4)


def test_a_tick_hears_its_surroundings_and_nothing_further(feature, noise) -> None:
    function, _ = feature
    valid = np.ones((1, T), bool)
    audio = noise(T)[None]
    changed = audio.copy()
    changed[:, 40 * 640 : 41 * 640] += noise(1, 5)[None]
    differs = (np.asarray(function(audio, valid)) != np.asarray(function(changed, valid))).any(axis=(0, 2, 3))
    touched = np.flatnonzero(differs)
    assert touched.min() >= 40 - CMN_RADIUS - SPECTRAL_TICKS and touched.max() <= 40 + CMN_RADIUS + SPECTRAL_TICKS
    assert touched.min() <= 40 - CMN_RADIUS and touched.max() >= 40 + CMN_RADIUS


def test_a_window_with_its_halo_gives_what_the_whole_gives(feature, noise) -> None:
    function, _ = feature
    audio, valid = noise(T), np.ones(T, bool)
    whole = np.asarray(function(audio[None], valid[None]))[0]
    halo = CMN_RADIUS + SPECTRAL_TICKS
    low, high = 5, 75
    part = np.asarray(function(audio[None, low * 640 : high * 640], valid[None, low:high]))[0]
    np.testing.assert_allclose(part[halo:-halo], whole[low + halo : high - halo], atol=2e-4)
