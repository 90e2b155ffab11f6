from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.features.logmel import (
    MelConfig,
    hz_to_mel,
    log_mel,
    log_mel_for_ticks,
    log_mel_of_clip,
    mel_energy,
    mel_filterbank,
    mel_to_hz,
)
from avdetect.features.spectrum import frame, pad_context

CONFIGS = [
    MelConfig(),
    MelConfig(n_mels=40, fmin=0, fmax=8000, scale="htk", norm="none"),
    MelConfig(n_fft=1024, win_length=640, hop_length=160, n_mels=80, fmin=55, fmax=7600),
    MelConfig(n_fft=512, win_length=512, hop_length=128, n_mels=32, scale="htk"),
    MelConfig(n_fft=400, win_length=400, hop_length=320, n_mels=20, fmin=125, fmax=3800, norm="none"),
]


def speech_like(n_samples: int, seed: int = 0) -> np.ndarray:
    """Voiced harmonics under a syllable envelope, with breath noise 40 dB below."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_samples) / 16000
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    voiced = sum(np.sin(k * phase) / k for k in range(1, 30))
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)
    return (0.1 * envelope * voiced + 0.002 * rng.standard_normal(n_samples)).astype(np.float32)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_energies_equal_librosa(config: MelConfig) -> None:
    audio = speech_like(16000)
    side = (config.n_fft - config.win_length) // 2  # librosa puts the window in the middle of n_fft samples
    expected = librosa.feature.melspectrogram(
        y=np.pad(audio, side),
        sr=16000,
        n_fft=config.n_fft,
        win_length=config.win_length,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        htk=config.scale == "htk",
        norm="slaney" if config.norm == "slaney" else None,
        center=False,
        power=2.0,
    ).T
    np.testing.assert_allclose(mel_energy(audio[None], config)[0], expected, rtol=1e-4, atol=1e-12)
    floored = np.log(np.maximum(expected, config.floor))
    np.testing.assert_allclose(log_mel(audio[None], config)[0], floored, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_filterbank_equals_librosa(config: MelConfig) -> None:
    expected = librosa.filters.mel(
        sr=16000,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        htk=config.scale == "htk",
        norm="slaney" if config.norm == "slaney" else None,
    ).T
    np.testing.assert_allclose(mel_filterbank(config), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mel_scales_equal_librosa_and_invert(scale: str) -> None:
    hz = np.linspace(0, 8000, 97)
    np.testing.assert_allclose(hz_to_mel(hz, scale), librosa.hz_to_mel(hz, htk=scale == "htk"), rtol=1e-12)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz, scale), scale), hz, atol=1e-8)


def test_each_tick_holds_four_frames_centred_at_80_240_400_560() -> None:
    for position, expected in [(80, 0), (240, 1), (400, 2), (560, 3), (640 + 80, 4)]:
        audio = np.zeros((1, 1280), np.float32)
        audio[0, position] = 1.0
        loudness = np.asarray(log_mel_of_clip(audio)).mean(axis=-1)[0]
        assert loudness.shape == (8,)
        assert loudness.argmax() == expected
        # The window is symmetric about the click: its neighbours on both sides are equally loud.
        if 0 < expected < 7:
            assert loudness[expected - 1] == pytest.approx(loudness[expected + 1], abs=0.1)


def test_streamed_pieces_equal_the_whole() -> None:
    config = MelConfig()
    audio = speech_like(640 * 50)[None]
    whole = np.asarray(log_mel_of_clip(audio, config))
    padded = np.asarray(pad_context(audio, config.context))
    for start, stop in [(0, 10), (10, 37), (37, 50)]:
        piece = padded[:, 640 * start : 640 * stop + 2 * config.context]
        streamed = np.asarray(log_mel_for_ticks(piece, config))
        np.testing.assert_allclose(streamed, whole[:, 4 * start : 4 * stop], rtol=1e-6, atol=2e-5)


def test_batch_rows_do_not_touch_each_other() -> None:
    batch = np.stack([speech_like(6400, seed) for seed in range(3)])
    together = np.asarray(log_mel(batch))
    for row in range(3):
        np.testing.assert_allclose(log_mel(batch[row : row + 1])[0], together[row], rtol=1e-6, atol=2e-5)


@settings(deadline=None, max_examples=25)
@given(gain=st.floats(0.05, 20.0))
def test_gain_adds_a_constant(gain: float) -> None:
    audio = speech_like(6400)[None]
    difference = np.asarray(log_mel(np.float32(gain) * audio)) - np.asarray(log_mel(audio))
    np.testing.assert_allclose(difference, 2 * np.log(gain), atol=2e-3)


@settings(deadline=None, max_examples=25)
@given(n_ticks=st.sampled_from([1, 2, 7]), level=st.sampled_from([0.0, 1e-30, 1e-5, 1.0]), dc=st.booleans())
def test_always_finite(n_ticks: int, level: float, dc: bool) -> None:
    noise = np.ones(640 * n_ticks) if dc else np.random.default_rng(0).standard_normal(640 * n_ticks)
    out = np.asarray(log_mel_of_clip((level * noise).astype(np.float32)[None]))
    assert out.shape == (1, 4 * n_ticks, 64)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    if level == 0.0:
        np.testing.assert_allclose(out, np.log(1e-10), rtol=1e-6)


def test_frames_by_blocks_and_by_gather_are_plain_slices() -> None:
    audio = np.arange(2000, dtype=np.float32).reshape(2, 1000)
    for win, hop in [(400, 160), (401, 161), (64, 64)]:
        frames = np.asarray(frame(audio, win_length=win, hop_length=hop))
        assert frames.shape == (2, 1 + (1000 - win) // hop, win)
        for j in range(frames.shape[1]):
            np.testing.assert_array_equal(frames[:, j], audio[:, j * hop : j * hop + win])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop_length": 500}, "hop_length"),
        ({"fmax": 9000.0}, "fmax"),
        ({"win_length": 401}, "even"),
        ({"n_mels": 0}, "n_mels"),
    ],
)
def test_impossible_configs_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MelConfig(**options)


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="pad_context"):
        log_mel_for_ticks(np.zeros((1, 6400), np.float32))
    with pytest.raises(ValueError, match="batch axis"):
        log_mel(np.zeros(6400, np.float32))
    with pytest.raises(ValueError, match="shorter than one window"):
        log_mel(np.zeros((1, 100), np.float32))
    with pytest.raises(ValueError, match="hold no FFT bin"):
        mel_filterbank(MelConfig(n_mels=300))
    with pytest.raises(ValueError, match="does not divide a tick"):
        log_mel_for_ticks(np.zeros((1, 640 + 384), np.float32), MelConfig(win_length=512, hop_length=192, n_fft=512))
