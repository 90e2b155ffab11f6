from __future__ import annotations

import jax.numpy as jnp
import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.features.lfcc import (
    LfccConfig,
    dct_matrix,
    lfcc,
    lfcc_for_ticks,
    lfcc_of_clip,
    linear_energy,
    regression_delta,
)
from avdetect.features.spectrum import pad_context

CONFIGS = [
    LfccConfig(),
    LfccConfig(n_fft=1024, win_length=320, hop_length=160, n_filters=20, n_coeffs=20),
    LfccConfig(n_filters=70, n_coeffs=30, fmin=100, fmax=7000, delta_width=3, deltas=1),
    LfccConfig(deltas=0),
]


def reference_energy(audio: np.ndarray, config: LfccConfig) -> np.ndarray:
    """Band energies by the definition, float64, one frame and one band at a time."""
    window = scipy.signal.get_window("hann", config.win_length)
    edges = [
        config.fmin + i * (config.fmax - config.fmin) / (config.n_filters + 1) for i in range(config.n_filters + 2)
    ]
    hz = np.fft.rfftfreq(config.n_fft, 1 / config.sample_rate)
    rows = []
    for start in range(0, len(audio) - config.win_length + 1, config.hop_length):
        power = np.abs(np.fft.rfft(window * audio[start : start + config.win_length].astype(float), config.n_fft)) ** 2
        row = []
        for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
            row.append(np.interp(hz, [low, centre, high], [0.0, 1.0, 0.0], left=0.0, right=0.0) @ power)
        rows.append(row)
    return np.array(rows)


def reference_delta(x: np.ndarray, width: int) -> np.ndarray:
    """Least-squares slope of each column over the neighbourhood, by fitting a line."""
    out = []
    for t in range(width, len(x) - width):
        out.append(np.polyfit(np.arange(-width, width + 1), x[t - width : t + width + 1], 1)[0])
    return np.array(out)


def reference_lfcc(audio: np.ndarray, config: LfccConfig) -> np.ndarray:
    log_energy = np.log(np.maximum(reference_energy(audio, config), config.floor))
    parts = [np.asarray(scipy.fft.dct(log_energy, type=2, norm="ortho", axis=-1))[:, : config.n_coeffs]]
    for _ in range(config.deltas):
        parts.append(reference_delta(parts[-1], config.delta_width))
    n = len(parts[-1])
    return np.concatenate([part[(len(part) - n) // 2 :][:n] for part in parts], axis=-1)


def coloured_noise(n_samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = scipy.signal.lfilter([1.0], [1.0, -0.7], rng.standard_normal(n_samples))
    return (0.05 * (1.2 + np.sin(np.arange(n_samples) / 900)) * noise).astype(np.float32)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_energies_equal_the_reference(config: LfccConfig) -> None:
    audio = coloured_noise(8000)
    np.testing.assert_allclose(linear_energy(audio[None], config)[0], reference_energy(audio, config), rtol=1e-4)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_coefficients_equal_the_reference(config: LfccConfig) -> None:
    audio = coloured_noise(8000)
    out = np.asarray(lfcc(audio[None], config))[0]
    expected = reference_lfcc(audio, config)
    assert out.shape == expected.shape == (expected.shape[0], config.n_features)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


def test_energies_of_a_linear_bank_from_librosa_spectra() -> None:
    config = LfccConfig()
    audio = coloured_noise(8000)
    side = (config.n_fft - config.win_length) // 2
    power = (
        np.abs(librosa.stft(np.pad(audio, side), n_fft=512, win_length=400, hop_length=160, center=False)).astype(float)
        ** 2
    )
    # The areas of the triangles tile the band, so all bands together are the power between the outer centres.
    hz = librosa.fft_frequencies(sr=16000, n_fft=512)
    step = 8000 / (config.n_filters + 1)
    inside = (hz >= step) & (hz <= 8000 - step)
    assert (np.asarray(linear_energy(audio[None], config))[0].sum(-1) >= 0.9999 * power[inside].sum(0)).all()


def test_dct_and_delta_equal_scipy_and_librosa() -> None:
    x = np.random.default_rng(0).standard_normal((30, 40)).astype(np.float32)
    np.testing.assert_allclose(
        x @ dct_matrix(40, 20), np.asarray(scipy.fft.dct(x, type=2, norm="ortho"))[:, :20], atol=1e-5
    )
    ours = np.asarray(regression_delta(jnp.asarray(x[None]), 2))[0]
    theirs = librosa.feature.delta(x, width=5, axis=0)[2:-2]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_streamed_pieces_equal_the_whole() -> None:
    config = LfccConfig()
    audio = coloured_noise(640 * 40)[None]
    whole = np.asarray(lfcc_of_clip(audio, config))
    assert whole.shape == (1, 160, 60)
    padded = np.asarray(pad_context(audio, config.context))
    for start, stop in [(0, 8), (8, 31), (31, 40)]:
        piece = padded[:, 640 * start : 640 * stop + 2 * config.context]
        streamed = np.asarray(lfcc_for_ticks(piece, config))
        np.testing.assert_allclose(streamed, whole[:, 4 * start : 4 * stop], rtol=1e-5, atol=1e-4)


@settings(deadline=None, max_examples=20)
@given(gain=st.floats(0.1, 10.0))
def test_gain_moves_only_the_zeroth_coefficient(gain: float) -> None:
    audio = coloured_noise(6400)[None]
    difference = np.asarray(lfcc(np.float32(gain) * audio)) - np.asarray(lfcc(audio))
    np.testing.assert_allclose(difference[..., 0], 2 * np.log(gain) * np.sqrt(40), atol=2e-2)
    np.testing.assert_allclose(difference[..., 1:], 0, atol=2e-2)


def test_silence_is_finite_and_flat() -> None:
    out = np.asarray(lfcc_of_clip(np.zeros((2, 640 * 3), np.float32)))
    assert out.shape == (2, 12, 60)
    assert np.isfinite(out).all()
    np.testing.assert_allclose(out[..., 0], np.log(1e-9) * np.sqrt(40), rtol=1e-5)
    np.testing.assert_allclose(out[..., 1:], 0, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_coeffs": 41}, "n_coeffs"),
        ({"fmin": -1.0}, "fmin"),
        ({"deltas": 3}, "deltas"),
        ({"win_length": 600}, "n_fft"),
    ],
)
def test_impossible_configs_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LfccConfig(**options)


def test_too_short_a_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="too few for deltas"):
        lfcc(np.zeros((1, 800), np.float32))
    with pytest.raises(ValueError, match="context"):
        lfcc_for_ticks(np.zeros((1, 640 * 4), np.float32))
