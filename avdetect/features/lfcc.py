"""Linear-frequency cepstral coefficients with their regression deltas.

LFCC keep the upper half of the spectrum, where vocoders leave their traces, as finely as the lower one; they are the
front end of the ASVspoof 2021 baselines (Sahidullah, Kinnunen, Hanilci, "A comparison of features for synthetic speech
detection", Interspeech 2015).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from avdetect.features.logmel import triangles
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
class LfccConfig:
    """Parameters of the LFCC.

    Attributes:
        n_fft: points of the Fourier transform.
        win_length: samples under the Hann window.
        hop_length: samples between frames (160: four frames a tick).
        n_filters: linear triangular bands.
        n_coeffs: cepstral coefficients kept, the zeroth (level) included.
        fmin: lower edge of the lowest band, Hz.
        fmax: upper edge of the highest band, Hz.
        delta_width: frames on either side in the regression of the deltas.
        deltas: 0 = coefficients only, 1 = with their slope, 2 = with the slope of the slope too.
        floor: energies below are raised to it before the logarithm. The default lies under the noise of 16-bit sound.
        sample_rate: Hz.
    """

    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    n_filters: int = 40
    n_coeffs: int = 20
    fmin: float = 0.0
    fmax: float = 8000.0
    delta_width: int = 2
    deltas: int = 2
    floor: float = 1e-9
    sample_rate: int = SAMPLE_RATE

    def __post_init__(self) -> None:
        check_framing(n_fft=self.n_fft, win_length=self.win_length, hop_length=self.hop_length)
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(
                f"need 0 <= fmin < fmax <= {self.sample_rate / 2:g} Hz, got fmin={self.fmin}, fmax={self.fmax}"
            )
        if not 1 <= self.n_coeffs <= self.n_filters:
            raise ValueError(f"need 1 <= n_coeffs <= n_filters, got {self.n_coeffs} of {self.n_filters}")
        if self.deltas not in (0, 1, 2) or self.delta_width < 1 or self.floor <= 0:
            raise ValueError(
                f"need deltas 0, 1 or 2, delta_width >= 1 and floor > 0, got deltas={self.deltas}, "
                f"delta_width={self.delta_width}, floor={self.floor}"
            )

    @property
    def n_features(self) -> int:
        """Values per frame: ``n_coeffs * (1 + deltas)``."""
        return self.n_coeffs * (1 + self.deltas)

    @property
    def context(self) -> int:
        """Samples needed before the first and after the last tick: half a window and the reach of the deltas."""
        return (self.win_length - self.hop_length) // 2 + self.deltas * self.delta_width * self.hop_length

    @property
    def frames_per_tick(self) -> int:
        """See `avdetect.features.spectrum.frames_per_tick`."""
        return frames_per_tick(self.hop_length)


@functools.lru_cache(maxsize=16)
def linear_filterbank(config: LfccConfig) -> Float[np.ndarray, "bins bands"]:
    """Triangular bands of height 1 spaced evenly in Hz, float64, made once for each config.

    Raises:
        ValueError: a band is so narrow that it holds no bin.
    """
    edges = np.linspace(config.fmin, config.fmax, config.n_filters + 2)
    filters = triangles(edges, n_fft=config.n_fft, sample_rate=config.sample_rate)
    empty = np.flatnonzero(filters.max(axis=0) == 0)
    if len(empty):
        raise ValueError(f"linear bands {empty.tolist()} hold no FFT bin; use fewer n_filters or a larger n_fft")
    return filters


def dct_matrix(n_bands: int, n_coeffs: int) -> Float[np.ndarray, "bands coeffs"]:
    """Orthonormal DCT-II as a matrix: the coefficients of ``x`` are ``x @ dct_matrix``."""
    bands = np.arange(n_bands)[:, None]
    coeffs = np.arange(n_coeffs)[None, :]
    matrix = np.cos(np.pi * coeffs * (2 * bands + 1) / (2 * n_bands)) * np.sqrt(2.0 / n_bands)
    matrix[:, 0] /= np.sqrt(2.0)
    return matrix


def regression_delta(x: Float[Array, "b frames d"], width: int) -> Float[Array, "b inner d"]:
    """Slope of each feature over ``2 width + 1`` frames, for the frames that have ``width`` neighbours on both sides.

    ``d[t] = sum_n n (x[t + n] - x[t - n]) / (2 sum_n n^2)``, n = 1 ... width (The HTK Book, eq. 5.16). Nothing is
    padded: the result is ``2 width`` frames shorter.
    """
    inner = x.shape[1] - 2 * width
    if inner < 1:
        raise ValueError(f"{x.shape[1]} frames are too few for deltas of width {width}; give more context")
    scale = 2.0 * sum(n * n for n in range(1, width + 1))
    total = jnp.zeros_like(x[:, :inner])
    for n in range(1, width + 1):
        total = total + n * (x[:, width + n : width + n + inner] - x[:, width - n : width - n + inner])
    return total / scale


@functools.partial(jax.jit, static_argnames="config")
def linear_energy(audio: Sound, config: LfccConfig = LfccConfig()) -> Float[Array, "b frames bands"]:
    """Energy (power) in the linear bands of every whole window; the first window starts at sample 0."""
    power = power_spectrum(audio, n_fft=config.n_fft, win_length=config.win_length, hop_length=config.hop_length)
    return apply_filterbank(power, linear_filterbank(config))


@functools.partial(jax.jit, static_argnames="config")
def lfcc(audio: Sound, config: LfccConfig = LfccConfig()) -> Float[Array, "b frames features"]:
    """LFCC of every frame that has its whole window and its delta neighbours inside ``audio``.

    Args:
        audio: samples in [-1, 1]; any float type.
        config: parameters; static under jit.

    Returns:
        float32, ``1 + (s - win_length) // hop_length - 2 * deltas * delta_width`` frames of ``n_features`` values:
        the coefficients, then their slopes, then the slopes' slopes.
    """
    log_energy = floored_log(linear_energy(audio, config), config.floor)
    cepstra = apply_filterbank(log_energy, dct_matrix(config.n_filters, config.n_coeffs))
    parts = [cepstra]
    for _ in range(config.deltas):
        parts.append(regression_delta(parts[-1], config.delta_width))
    n_frames = parts[-1].shape[1]
    trimmed = []
    for part in parts:
        skip = (part.shape[1] - n_frames) // 2
        trimmed.append(part[:, skip : skip + n_frames])
    return jnp.concatenate(trimmed, axis=-1)


def lfcc_for_ticks(audio_with_context: Sound, config: LfccConfig = LfccConfig()) -> Float[Array, "b frames features"]:
    """:func:`lfcc` of whole ticks: see `avdetect.features.spectrum.frames_of_ticks`."""
    return frames_of_ticks(
        lambda audio: lfcc(audio, config),
        audio_with_context,
        context=config.context,
        per_tick=config.frames_per_tick,
    )


def lfcc_of_clip(audio: Sound, config: LfccConfig = LfccConfig()) -> Float[Array, "b frames features"]:
    """`lfcc_for_ticks` of a sound of ``640 n`` samples around which nothing is known (zeros)."""
    return lfcc_for_ticks(pad_context(audio, config.context), config)
