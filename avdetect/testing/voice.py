"""A drawn-up voice: syllables of harmonics under formants, with pauses, and the mouth that belongs to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK

VOWELS = (
    # First three formants in Hz (Peterson & Barney 1952, adult men, rounded); opening and width of the mouth, 0 to 1.
    (730.0, 1090.0, 2440.0, 1.00, 0.6),
    (530.0, 1840.0, 2480.0, 0.55, 0.8),
    (270.0, 2290.0, 3010.0, 0.25, 1.0),
    (570.0, 840.0, 2410.0, 0.70, 0.25),
    (300.0, 870.0, 2240.0, 0.20, 0.0),
)
_RATE = 100
"""Control points a second of pitch, loudness, formants and mouth."""


@dataclass(frozen=True)
class Speech:
    """Sound, and what a mouth does that makes it, on one clock.

    Attributes:
        audio: float32 mono at 16 kHz, peak about 0.5.
        opening: how far the jaw is open, in [0, 1], 100 values a second at ``(i + 1/2) / 100`` s.
        width: lips rounded (0) to spread (1), likewise.
    """

    audio: Float32[np.ndarray, " s"]
    opening: Float[np.ndarray, " control"]
    width: Float[np.ndarray, " control"]

    def mouth_at(self, times_s: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Opening and width at instants in seconds; closed before the start and after the end."""
        clock = (np.arange(len(self.opening)) + 0.5) / _RATE
        return (
            np.interp(times_s, clock, self.opening, left=0.0, right=0.0),
            np.interp(times_s, clock, self.width, left=0.5, right=0.5),
        )


def synthetic_speech(seed: int, n_ticks: int) -> Speech:
    """Speech-like sound: 4 to 6 syllables a second in phrases of 3 to 7 with pauses between; the same for a seed.

    Args:
        seed: any integer; another seed is another "sentence" in another "voice".
        n_ticks: length in ticks of 40 ms.
    """
    rng = np.random.default_rng([seed, 1])
    n = n_ticks * _RATE // 25
    loudness, width = np.zeros(n), np.full(n, 0.5)
    opening = np.zeros(n)
    formants = np.tile(np.array([500.0, 1500.0, 2500.0]), (n, 1))
    at = int(rng.integers(8, 30))
    while at < n:
        for _ in range(int(rng.integers(3, 8))):
            length = int(rng.integers(15, 26))
            vowel = VOWELS[int(rng.integers(len(VOWELS)))]
            here = slice(at, min(at + length, n))
            lobe = np.sin(np.pi * (np.arange(length) + 0.5) / length)[: max(0, n - at)]
            stress = rng.uniform(0.5, 1.0)
            loudness[here] = np.maximum(loudness[here], stress * lobe**0.7)
            opening[here] = np.maximum(opening[here], (0.3 + 0.7 * stress) * vowel[3] * lobe**1.5)
            width[here] = vowel[4]
            formants[here] = vowel[:3]
            at += length
        at += int(rng.integers(20, 60))
    smooth = np.hanning(9) / np.hanning(9).sum()
    opening, width = (np.convolve(np.pad(x, 4, mode="edge"), smooth, mode="valid") for x in (opening, width))
    pitch = rng.uniform(95, 210) * np.exp(0.15 * np.sin(np.arange(n) / _RATE * 2 * np.pi * rng.uniform(0.3, 0.6)))
    return Speech(_voice(rng, n_ticks * SAMPLES_PER_TICK, loudness, pitch, formants), opening, width)


def _voice(
    rng: np.random.Generator, n_samples: int, loudness: np.ndarray, pitch: np.ndarray, formants: np.ndarray
) -> Float32[np.ndarray, " s"]:
    """Sum of harmonics weighted by three resonances, and breath."""
    clock = (np.arange(len(pitch)) + 0.5) / _RATE
    t = np.arange(n_samples) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(np.interp(t, clock, pitch)) / SAMPLE_RATE
    sound = np.zeros(n_samples)
    for k in range(1, 36):
        hz = k * pitch[:, None]
        bandwidth = np.array([80.0, 110.0, 160.0])
        gain = (np.array([1.0, 0.6, 0.35]) / (1 + ((hz - formants) / bandwidth) ** 2)).sum(-1) + 0.01
        gain = np.where(hz[:, 0] < 7000, gain / np.sqrt(k), 0.0)
        sound += np.interp(t, clock, gain * loudness) * np.sin(k * phase)
    breath = rng.standard_normal(n_samples) * (0.003 + 0.01 * np.interp(t, clock, loudness))
    sound = 0.5 * sound / max(np.abs(sound).max(), 1e-6) + breath
    return np.clip(sound, -1, 1).astype(np.float32)
