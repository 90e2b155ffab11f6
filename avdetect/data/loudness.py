"""Level of a sound: RMS, integrated loudness after ITU-R BS.1770-4, and the silence that it starts with."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from scipy.signal import lfilter

from avdetect.types import SAMPLE_RATE

SILENT_AMPLITUDE = 5e-4
"""Samples up to this count as leading silence (Smeu et al., *Circumventing shortcuts in audio-visual deepfake
detection datasets with unsupervised learning*, CVPR 2025: generators leave a silence that recordings do not have)."""
FLOOR_DB = -120.0


def leading_silence_s(audio: Float32[np.ndarray, " s"]) -> float:
    """Seconds before the first sample louder than ``SILENT_AMPLITUDE``; the whole length where there is none."""
    loud = np.abs(audio) > SILENT_AMPLITUDE
    first = int(np.argmax(loud)) if loud.any() else len(audio)
    return first / SAMPLE_RATE


def rms_dbfs(audio: Float32[np.ndarray, " s"]) -> float:
    """Root mean square in dB below full scale (a full-scale square wave has 0), at least -120."""
    power = float(np.mean(np.square(audio, dtype=np.float64))) if len(audio) else 0.0
    return max(FLOOR_DB, 10 * np.log10(power + 1e-30))


def integrated_lufs(audio: Float32[np.ndarray, " s"]) -> float | None:
    """Integrated loudness in LUFS: K-weighted, blocks of 400 ms every 100 ms, gated at -70 LUFS and 10 LU below.

    Only what a mono signal of 16 kHz still has is measured. ``None`` for less than 400 ms or where all is below -70.
    """
    size, hop = round(0.4 * SAMPLE_RATE), round(0.1 * SAMPLE_RATE)
    if len(audio) < size:
        return None
    weighted = np.asarray(audio, np.float64)
    for b, a in (_shelf(), _high_pass()):
        weighted = np.asarray(lfilter(b, a, weighted))
    energy = np.concatenate([[0.0], np.cumsum(np.square(weighted))])
    starts = np.arange(0, len(weighted) - size + 1, hop)
    power = (energy[starts + size] - energy[starts]) / size
    kept = power[_lufs(power) > -70.0]
    if len(kept) == 0:
        return None
    kept = kept[_lufs(kept) > _lufs(kept.mean()) - 10.0]
    return float(_lufs(kept.mean()))


def _lufs(power: np.ndarray | np.float64) -> np.ndarray:
    return -0.691 + 10 * np.log10(np.asarray(power) + 1e-30)


def _shelf() -> tuple[np.ndarray, np.ndarray]:
    """First K-weighting filter, a high shelf of +4 dB, by the bilinear transform at our rate.

    The analogue prototype is the one whose transform at 48 kHz gives the coefficients printed in BS.1770.
    """
    gain, q, k = 10 ** (3.999843853973347 / 20), 0.7071752369554196, _tan(1681.974450955533)
    root = gain**0.4996667741545416
    a0 = 1 + k / q + k * k
    b = [gain + root * k / q + k * k, 2 * (k * k - gain), gain - root * k / q + k * k]
    return np.array(b) / a0, np.array([a0, 2 * (k * k - 1), 1 - k / q + k * k]) / a0


def _high_pass() -> tuple[np.ndarray, np.ndarray]:
    """Second K-weighting filter, a high-pass at 38 Hz; the numerator is not normalised, as BS.1770 prints it."""
    q, k = 0.5003270373238773, _tan(38.13547087602444)
    a0 = 1 + k / q + k * k
    return np.array([1.0, -2.0, 1.0]), np.array([a0, 2 * (k * k - 1), 1 - k / q + k * k]) / a0


def _tan(frequency_hz: float) -> float:
    return float(np.tan(np.pi * frequency_hz / SAMPLE_RATE))
