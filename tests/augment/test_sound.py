"""Sound is made worse and never moved."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from avdetect.augment import recode_sound, sound
from avdetect.augment.chain import augment_sound
from avdetect.augment.config import AugmentConfig
from avdetect.augment.corruptions import SOUND_CORRUPTIONS

N = 32_000


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Bursts of coloured noise: a sharp correlation peak, levels and pauses like speech."""
    rng = np.random.default_rng(0)
    envelope = np.repeat(rng.choice([0.0, 0.05, 0.2, 0.4], 40), N // 40)
    return (sound.noise(N, 0.5, rng) * envelope * 0.5).clip(-1, 1).astype(np.float32)


def lag_of(made: np.ndarray, original: np.ndarray) -> int:
    """Samples by which ``made`` is late."""
    found = correlate(made, original, mode="full", method="fft")
    return int(np.argmax(np.abs(found))) - (len(original) - 1)


@pytest.mark.parametrize("codec", recode_sound.CODECS)
@pytest.mark.parametrize("kbps", [12, 32, 96])
def test_codecs_do_not_move_the_sound(speech: np.ndarray, codec: str, kbps: int) -> None:
    made = recode_sound.recode_sound(speech, codec, kbps)
    assert made.shape == speech.shape and made.dtype == np.float32 and np.abs(made).max() <= 1
    assert abs(lag_of(made, speech)) <= 8, "half a millisecond"
    assert 0.5 < np.corrcoef(made, speech)[0, 1] < 0.99999


def test_a_better_bit_rate_is_nearer(speech: np.ndarray) -> None:
    for codec in recode_sound.CODECS:
        far, near = (np.corrcoef(recode_sound.recode_sound(speech, codec, k), speech)[0, 1] for k in (12, 96))
        assert near > far + 0.005, codec


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(ValueError, match="'g729'; there are aac, opus, mp3"):
        recode_sound.recode_sound(np.zeros(10, np.float32), "g729", 8)


@pytest.mark.parametrize("length", [0, 1, 640, 1000])
def test_short_sounds_keep_their_length(length: int) -> None:
    audio = np.full(length, 0.1, np.float32)
    for codec in recode_sound.CODECS:
        assert recode_sound.recode_sound(audio, codec, 32).shape == (length,)


def test_a_room_leaves_the_direct_sound_where_it_was(speech: np.ndarray) -> None:
    made = sound.reverberate(speech, sound.room(0.6, 0.5, np.random.default_rng(1)))
    assert lag_of(made, speech) == 0 and sound.level(made) == pytest.approx(sound.level(speech), rel=1e-3)
    assert np.corrcoef(made, speech)[0, 1] < 0.9


@pytest.mark.parametrize(("slope", "expected"), [(0.0, 0.0), (1.0, -3.0), (2.0, -6.0)])
def test_noise_falls_as_its_colour_says(slope: float, expected: float) -> None:
    """Decibels an octave, between 500 Hz and 4 kHz."""
    made = sound.noise(160_000, slope, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(made)) ** 2
    hz = np.fft.rfftfreq(len(made), 1 / 16_000)
    bands = [10 * np.log10(power[(hz > lo) & (hz < 2 * lo)].mean()) for lo in (500, 1000, 2000)]
    assert np.diff(bands) == pytest.approx([expected] * 2, abs=0.4)


def test_noise_comes_at_the_ratio_asked_for(speech: np.ndarray) -> None:
    made = sound.add_noise(speech, sound.noise(N, 1.0, np.random.default_rng(2)), 10.0)
    assert 20 * np.log10(sound.level(speech) / sound.level(made - speech)) == pytest.approx(10.0, abs=0.01)


def test_a_band_is_what_is_left(speech: np.ndarray) -> None:
    power = np.abs(np.fft.rfft(sound.band_limit(speech, 300, 3400))) / np.abs(np.fft.rfft(speech)).clip(1e-9)
    hz = np.fft.rfftfreq(N, 1 / 16_000)
    assert power[(hz > 350) & (hz < 3000)].mean() == pytest.approx(1, abs=0.01)
    assert power[(hz < 250) | (hz > 4000)].max() < 0.01


def test_companding_is_finer_for_soft_sounds_and_exact_at_the_ends() -> None:
    x = np.linspace(-1, 1, 2001).astype(np.float32)
    for law in (sound.mu_law, sound.a_law):
        error = np.abs(law(x) - x)
        assert error.max() < 0.025 and error[950:1051].max() < 0.004
        assert law(x)[[0, -1]] == pytest.approx([-1, 1], abs=1e-6)


def test_peaks_are_cut(speech: np.ndarray) -> None:
    made = sound.clip_peaks(speech, 0.05)
    assert np.mean(np.abs(speech) > np.abs(made).max() * 1.0001) == pytest.approx(0.05, abs=0.005)
    assert not sound.clip_peaks(np.zeros(5, np.float32), 0.1).any()


def test_the_chain_keeps_length_range_and_timing(speech: np.ndarray) -> None:
    for seed in range(12):
        made = augment_sound(speech, np.random.default_rng(seed), AugmentConfig())
        assert made.shape == speech.shape and made.dtype == np.float32
        assert np.isfinite(made).all() and np.abs(made).max() <= 1
        assert abs(lag_of(made, speech)) <= 16, seed


@pytest.mark.parametrize("kind", SOUND_CORRUPTIONS)
def test_corruptions_of_sound_grow_and_do_not_move(speech: np.ndarray, kind: str) -> None:
    def ratio(severity: int) -> float:
        made = SOUND_CORRUPTIONS[kind](speech, severity, np.random.default_rng(5))
        assert made.shape == speech.shape and np.abs(made).max() <= 1 and np.isfinite(made).all()
        assert abs(lag_of(made, speech)) <= 8
        scale = float(made @ speech) / float(made @ made)  # a change of level alone is no harm
        return 10 * np.log10(np.sum(speech**2) / np.sum((scale * made - speech) ** 2))

    ratios = [ratio(s) for s in (1, 2, 3, 4, 5)]
    assert np.all(np.diff(ratios) < 0), ratios
