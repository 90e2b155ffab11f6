"""Similarity matrices with a known offset: a peak that comes and goes, in noise that is correlated like speech."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

LAGS = np.arange(-15, 16, dtype=np.int32)


def correlated(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Unit-variance noise, correlated over about 1.5 ticks both ways."""
    noise = rng.standard_normal((shape[0] + 20, shape[1] + 20))
    noise = gaussian_filter1d(gaussian_filter1d(noise, 1.5, axis=0), 1.5, axis=1)
    return (noise / noise.std())[10:-10, 10:-10]


def similarity(
    offset: float | np.ndarray,
    t: int | None = None,
    *,
    seed: int = 0,
    height: float = 0.35,
    noise: float = 0.25,
    width: float = 1.4,
    tick_noise: float = 0.15,
) -> np.ndarray:
    """``[t, 31]`` with a peak at ``offset`` ticks (one value or one per tick), NaN where the sound would be outside."""
    rng = np.random.default_rng(seed)
    offsets = np.full(t, offset, float) if t is not None else np.asarray(offset, float)
    n = len(offsets)
    strength = height * (1 + 0.5 * correlated(rng, (n, 1)))
    values = strength * np.exp(-0.5 * ((LAGS - offsets[:, None]) / width) ** 2)
    values += noise * correlated(rng, (n, len(LAGS))) + tick_noise * correlated(rng, (n, 1))
    values[~inside(n)] = np.nan
    return values.astype(np.float32)


def inside(t: int) -> np.ndarray:
    """Which lags of which ticks are within a clip of ``t`` ticks."""
    there = np.arange(t)[:, None] + LAGS
    return (there >= 0) & (there < t)
