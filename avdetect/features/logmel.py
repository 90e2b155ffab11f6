"""Log-mel spectrogram on the device, equal to librosa's."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import jax
import numpy as np
from jaxtyping import Array, Float

from avdetect.features.spectrum import (
    Sound,
    apply_filterbank,
    check_framing,
    floored_log,
    frames_of_ticks,
    frames_per_tick,
    pad_context,
    power_spectrum,
)
from avdetect.types import SAMPLE_RATE


@dataclass(frozen=True)
class MelConfig:
    """Parameters of the log-mel spectrogram.

    Attributes:
        n_fft: points of the Fourier transform.
        win_length: samples under the Hann window (400 = 25 ms).
        hop_length: samples between frames (160 = 10 ms: four frames a tick). Must divide 640 for the tick functions.
        n_mels: bands.
        fmin: lower edge of the lowest band, Hz.
        fmax: upper edge of the highest band, Hz.
        scale: ``slaney`` (linear below 1 kHz) or ``htk`` (2595 log10(1 + f / 700)).
        norm: ``slaney`` gives every band the same area, ``none`` the same height.
        floor: energies below are raised to it before the logarithm. The default lies under the noise of 16-bit sound
            (about 4e-10 in these bands).
        sample_rate: Hz.
    """

    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    n_mels: int = 64
    fmin: float = 50.0
    fmax: float = 7600.0
    scale: Literal["slaney", "htk"] = "slaney"
    norm: Literal["slaney", "none"] = "slaney"
    floor: float = 1e-10
    sample_rate: int = SAMPLE_RATE

    def __post_init__(self) -> None:
        check_framing(n_fft=self.n_fft, win_length=self.win_length, hop_length=self.hop_length)
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(
                f"need 0 <= fmin < fmax <= {self.sample_rate / 2:g} Hz, got fmin={self.fmin}, fmax={self.fmax}"
            )
        if self.n_mels < 1 or self.floor <= 0:
            raise ValueError(f"need n_mels >= 1 and floor > 0, got n_mels={self.n_mels}, floor={self.floor}")

    @property
    def context(self) -> int:
        """Samples of sound needed before the first and after the last tick."""
        return (self.win_length - self.hop_length) // 2

    @property
    def frames_per_tick(self) -> int:
        """See `avdetect.features.spectrum.frames_per_tick`."""
        return frames_per_tick(self.hop_length)


# Slaney's Auditory Toolbox (1998): 200/3 Hz a mel up to 1 kHz, then 27 mels for each factor of 6.4.
_SLANEY_HZ = 200.0 / 3
_SLANEY_KNEE_HZ = 1000.0
_SLANEY_KNEE_MEL = _SLANEY_KNEE_HZ / _SLANEY_HZ
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(hz: Float[np.ndarray, "*n"], scale: str) -> Float[np.ndarray, "*n"]:
    """Frequencies in Hz as mels of the given scale."""
    hz = np.asarray(hz, np.float64)
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    log_part = _SLANEY_KNEE_MEL + np.log(np.maximum(hz, _SLANEY_KNEE_HZ) / _SLANEY_KNEE_HZ) / _SLANEY_LOG_STEP
    return np.where(hz < _SLANEY_KNEE_HZ, hz / _SLANEY_HZ, log_part)


def mel_to_hz(mel: Float[np.ndarray, "*n"], scale: str) -> Float[np.ndarray, "*n"]:
    """Inverse of `hz_to_mel`."""
    mel = np.asarray(mel, np.float64)
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    log_part = _SLANEY_KNEE_HZ * np.exp(_SLANEY_LOG_STEP * (np.maximum(mel, _SLANEY_KNEE_MEL) - _SLANEY_KNEE_MEL))
    return np.where(mel < _SLANEY_KNEE_MEL, mel * _SLANEY_HZ, log_part)


def triangles(
    edges_hz: Float[np.ndarray, " edges"], *, n_fft: int, sample_rate: int
) -> Float[np.ndarray, "bins bands"]:
    """Triangular filters of height 1: band ``m`` rises from edge ``m`` to ``m + 1`` and falls to ``m + 2``, float64."""
    bins_hz = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rise = (bins_hz[:, None] - low) / (centre - low)
    fall = (high - bins_hz[:, None]) / (high - centre)
    return np.maximum(0.0, np.minimum(rise, fall))


@functools.lru_cache(maxsize=16)
def mel_filterbank(config: MelConfig) -> Float[np.ndarray, "bins bands"]:
    """Weights of the mel bands over the bins of the power spectrum, float64, made once for each config.

    Raises:
        ValueError: a band is so narrow that it holds no bin; its energy would always be zero.
    """
    scale = config.scale
    ends = hz_to_mel(np.array([config.fmin, config.fmax]), scale)
    edges = mel_to_hz(np.linspace(ends[0], ends[1], config.n_mels + 2), scale)
    filters = triangles(edges, n_fft=config.n_fft, sample_rate=config.sample_rate)
    if config.norm == "slaney":
        filters = filters * (2.0 / (edges[2:] - edges[:-2]))[None, :]
    empty = np.flatnonzero(filters.max(axis=0) == 0)
    if len(empty):
        raise ValueError(f"mel bands {empty.tolist()} hold no FFT bin; use fewer n_mels or a larger n_fft")
    return filters


@functools.partial(jax.jit, static_argnames="config")
def mel_energy(audio: Sound, config: MelConfig) -> Float[Array, "b frames mels"]:
    """Mel energies (power) of every whole window in ``audio``; the first window starts at sample 0."""
    power = power_spectrum(audio, n_fft=config.n_fft, win_length=config.win_length, hop_length=config.hop_length)
    return apply_filterbank(power, mel_filterbank(config))


@functools.partial(jax.jit, static_argnames="config")
def log_mel(audio: Sound, config: MelConfig = MelConfig()) -> Float[Array, "b frames mels"]:
    """Natural logarithm of the mel energies of every whole window in ``audio``.

    Args:
        audio: samples in [-1, 1]; any float type.
        config: parameters; static under jit.

    Returns:
        float32, ``1 + (s - win_length) // hop_length`` frames. Multiplying the sound by ``g`` adds ``2 log g``
        wherever the energy stays above the floor.
    """
    return floored_log(mel_energy(audio, config), config.floor)


def log_mel_for_ticks(audio_with_context: Sound, config: MelConfig = MelConfig()) -> Float[Array, "b frames mels"]:
    """:func:`log_mel` of whole ticks: see `avdetect.features.spectrum.frames_of_ticks`."""
    return frames_of_ticks(
        lambda audio: log_mel(audio, config),
        audio_with_context,
        context=config.context,
        per_tick=config.frames_per_tick,
    )


def log_mel_of_clip(audio: Sound, config: MelConfig = MelConfig()) -> Float[Array, "b frames mels"]:
    """`log_mel_for_ticks` of a sound of ``640 n`` samples around which nothing is known (zeros)."""
    return log_mel_for_ticks(pad_context(audio, config.context), config)
