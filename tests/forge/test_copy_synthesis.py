"""Copies of voices: the same words at the same level, another waveform."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from avdetect.forge.copy_synthesis import griffin_lim, through_mel
from avdetect.testing import synthetic_speech
from avdetect.types import SAMPLE_RATE


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return synthetic_speech(3, 50).audio


def level(x: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(x))) + 1e-12))


def log_mel(x: np.ndarray) -> np.ndarray:
    mel = librosa.feature.melspectrogram(y=x, sr=SAMPLE_RATE, n_fft=512, hop_length=160, n_mels=32, fmax=6500)
    return np.log(mel + 1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_length_level_and_words_are_kept(voice: np.ndarray, seed: int) -> None:
    copy = griffin_lim(voice, np.random.default_rng(seed))
    assert copy.shape == voice.shape and copy.dtype == np.float32 and np.abs(copy).max() <= 1
    assert level(copy) == pytest.approx(level(voice), abs=0.5)
    assert np.corrcoef(log_mel(voice).ravel(), log_mel(copy).ravel())[0, 1] > 0.9
    # Each moment keeps its own loudness: nothing has moved in time.
    loud, louder = (x.mean(axis=0) for x in (log_mel(voice), log_mel(copy)))
    lag = np.argmax([np.corrcoef(loud[10:-10], np.roll(louder, -k)[10:-10])[0, 1] for k in range(-5, 6)]) - 5
    assert lag == 0
    assert np.corrcoef(voice, copy)[0, 1] < 0.98, "the waveform is another"


def test_it_depends_on_the_generator_alone(voice: np.ndarray) -> None:
    short = voice[:8000]
    first, again, other = (griffin_lim(short, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_silence_and_very_short_sound_are_finite() -> None:
    for audio in (np.zeros(4000, np.float32), np.full(640, 0.1, np.float32)):
        copy = griffin_lim(audio, np.random.default_rng(0))
        assert copy.shape == audio.shape and np.isfinite(copy).all()


def test_mel_bands_lose_detail_but_not_their_energy(voice: np.ndarray) -> None:
    magnitude = np.abs(librosa.stft(voice, n_fft=512, hop_length=128))
    made = through_mel(magnitude, n_fft=512, n_mels=60, fmax=7600.0)
    assert made.shape == magnitude.shape and made.min() > 0
    basis = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=512, n_mels=60, fmin=0, fmax=7600.0)
    before, after = basis @ magnitude, basis @ made
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.99
    assert np.corrcoef(magnitude.ravel(), made.ravel())[0, 1] < 0.999
