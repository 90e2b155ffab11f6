"""A short random channel for sound by itself: level, colour, a missing band, noise; none of it moves the sound."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32


def sound(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Level, colour of the channel and noise."""
    audio = audio * np.float32(10 ** (rng.uniform(-18, 6) / 20))
    if rng.random() < 0.5:
        audio = colour(audio, rng)
    if rng.random() < 0.3:
        audio = notch(audio, rng)
    if rng.random() < 0.6:
        level = np.sqrt(np.mean(np.square(audio))) * 10 ** (-rng.uniform(5, 40) / 20)
        noise = colour(rng.standard_normal(len(audio)).astype(np.float32), rng)
        audio = audio + noise * (level / (np.sqrt(np.mean(np.square(noise))) + 1e-9))
    return np.clip(audio, -1, 1).astype(np.float32)


def colour(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Filtered by a smooth random frequency response within about ±9 dB, sometimes cut off above."""
    size = len(audio)
    spectrum = np.fft.rfft(audio)
    knots = rng.normal(0, 5, 8)
    response = np.interp(np.linspace(0, 7, len(spectrum)), np.arange(8), knots)
    if rng.random() < 0.3:
        edge = rng.uniform(3000, 7500)
        hz = np.linspace(0, 8000, len(spectrum))
        response = response - 40 * np.clip((hz - edge) / 500, 0, 1)
    return np.fft.irfft(spectrum * 10 ** (response / 20), n=size).astype(np.float32)


def notch(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """A band of the spectrum taken out, as SpecAugment does to spectrograms."""
    spectrum = np.fft.rfft(audio)
    low = rng.uniform(0, 5000)
    high = low * rng.uniform(1.2, 2.0) + 150
    edge = (np.array([low, high]) / 8000 * len(spectrum)).astype(int)
    spectrum[edge[0] : edge[1]] *= 0.02
    return np.fft.irfft(spectrum, n=len(audio)).astype(np.float32)
