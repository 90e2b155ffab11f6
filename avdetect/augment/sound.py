"""Degradations of sound. Nothing here moves the sound in time: lips and sound are compared afterwards.

Sound is float32 mono at 16 kHz in about [-1, 1]; all functions return new arrays of the same length.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from scipy.signal import fftconvolve

from avdetect.types import SAMPLE_RATE

Sound = Float32[np.ndarray, " s"]


def level(audio: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if len(audio) else 0.0


def filtered(audio: Sound, gain_db: Float[np.ndarray, " n"], hz: Float[np.ndarray, " n"]) -> Sound:
    """Through a filter without delay whose gain is linear in decibels between the given frequencies."""
    spectrum = np.fft.rfft(audio)
    at = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum * 10 ** (np.interp(at, hz, gain_db) / 20), n=len(audio)).astype(np.float32)


def band_limit(audio: Sound, low_hz: float, high_hz: float) -> Sound:
    """Only what is between two frequencies, with edges of a tenth of an octave."""
    edge = 1.07
    hz = np.array([0.0, low_hz / edge, low_hz * edge, high_hz / edge, high_hz * edge, SAMPLE_RATE / 2])
    gain = np.array([-60.0, -60.0, 0.0, 0.0, -60.0, -60.0])
    if low_hz <= 0:
        gain[:2], hz[:3] = 0.0, 0.0
    return filtered(audio, gain, hz)


def room(decay_s: float, direct: float, rng: np.random.Generator) -> Float32[np.ndarray, " r"]:
    """Impulse response of a room: the direct sound at sample 0, then exponentially decaying noise (Moorer 1979).

    Args:
        decay_s: time in which the reverberation falls by 60 dB.
        direct: share of the energy in the direct sound, in (0, 1).
        rng: of the reflections.
    """
    n = max(2, int(decay_s * SAMPLE_RATE))
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail[: int(0.002 * SAMPLE_RATE)] = 0  # reflections come later than the direct sound
    tail *= np.sqrt((1 - direct) / direct / max(float(np.sum(tail**2)), 1e-12))
    tail[0] = 1.0
    return tail.astype(np.float32)


def reverberate(audio: Sound, response: Float32[np.ndarray, " r"]) -> Sound:
    """In a room whose impulse response starts with the direct sound; the level stays."""
    wet = fftconvolve(audio, response)[: len(audio)].astype(np.float32)
    return wet * np.float32(level(audio) / max(level(wet), 1e-9))


def noise(n: int, slope: float, rng: np.random.Generator) -> Sound:
    """Noise of level 1 whose power falls as ``1 / f^slope``: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** (-slope / 2)
    spectrum[0] = 0
    out = np.fft.irfft(spectrum, n=n)
    return (out / max(level(out), 1e-9)).astype(np.float32)


def add_noise(audio: Sound, added: Sound, snr_db: float) -> Sound:
    """With noise at a ratio of sound to noise."""
    return audio + added * np.float32(level(audio) / max(level(added), 1e-9) * 10 ** (-snr_db / 20))


def mu_law(audio: Sound, bits: int = 8) -> Sound:
    """Coded with ``bits`` bits a sample after mu-law companding (ITU-T G.711 has mu 255 and 8 bits)."""
    mu = 255.0
    x = np.clip(audio, -1, 1)
    y = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    half = 2 ** (bits - 1) - 1
    y = np.round(y * half) / half
    return (np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu).astype(np.float32)


def a_law(audio: Sound, bits: int = 8) -> Sound:
    """The same after A-law companding (A = 87.6)."""
    a = 87.6
    x = np.clip(np.abs(audio), 0, 1)
    knee = 1 + np.log(a)
    y = np.where(x < 1 / a, a * x, 1 + np.log(np.maximum(a * x, 1e-12))) / knee
    half = 2 ** (bits - 1) - 1
    y = np.round(y * half) / half
    back = np.where(y < 1 / knee, y * knee / a, np.exp(y * knee - 1) / a)
    return (np.sign(audio) * back).astype(np.float32)


def clip_peaks(audio: Sound, share: float) -> Sound:
    """Peaks cut off at the level that ``share`` of the samples exceed."""
    if not len(audio) or not np.any(audio):
        return audio.copy()
    top = max(float(np.quantile(np.abs(audio), 1 - share)), 1e-6)
    return np.clip(audio, -top, top)
