"""The offset over time: the lag curve in windows of about 2 s that move along the track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from avdetect.sync.curve import LagSums, confidences, distance_cost, lag_sums, peaks, spread
from avdetect.sync.offset import TICK_MS
from avdetect.types import TICK_RATE

HOP = 10
"""Ticks between windows: 0.4 s."""
SPAN = 5
"""Hops in a window: 2 s. At the ends of a track the window is cut, down to 1.2 s."""

AGREE_MS = 60.0
CHANCE_SHARPNESS = 2.5
"""Standardised confidence that a quarter of the windows reach when sound and lips have nothing in common."""


@dataclass(frozen=True)
class OffsetWindows:
    """The offset in ``n`` windows, one for each 0.4 s of the track.

    Attributes:
        centre_s: middle of the 0.4 s that the window stands for, seconds from the start of the track.
        offset_ms: offset in the window, NaN where it is not reliable.
        raw_offset_ms: offset of the highest lag whether reliable or not; NaN without usable lags.
        confidence: maximum minus median of the window's lag curve; NaN without usable lags.
        sharpness: the same in robust standard deviations of all windows' curves away from their peaks.
        reliable: whether the offset counts.
        curves: the lag curves, NaN where refused.
    """

    centre_s: Float64[np.ndarray, " n"]
    offset_ms: Float64[np.ndarray, " n"]
    raw_offset_ms: Float64[np.ndarray, " n"]
    confidence: Float64[np.ndarray, " n"]
    sharpness: Float64[np.ndarray, " n"]
    reliable: Bool[np.ndarray, " n"]
    curves: Float64[np.ndarray, "n k"]


def offset_windows(
    similarity: Float[np.ndarray, "t k"],
    lags: Int[np.ndarray, " k"],
    *,
    weights: Float[np.ndarray, " t"] | None = None,
    zero_offset_ms: float = 0.0,
    min_confidence: float = 0.06,
    min_sharpness: float = 3.0,
) -> OffsetWindows:
    """Offset, confidence and lag curve in windows of 2 s every 0.4 s.

    Args:
        similarity: similarity of lips and sound, NaN where missing.
        lags: lags in ticks, ascending, one apart.
        weights: weight of each tick; 1 everywhere by default.
        zero_offset_ms: what the detector reads on clips in sync; subtracted.
        min_confidence: maximum minus median from which a window is reliable.
        min_sharpness: standardised confidence from which an offset would be believed. One window of many needs 1 more,
            or 0.5 less if a window next to it, which it does not overlap, finds the same offset within 60 ms.
    """
    weights = np.ones(len(similarity)) if weights is None else weights
    n = -(-len(similarity) // HOP) if len(similarity) else 0
    half = SPAN // 2
    curves, weight = np.full((n, len(lags)), np.nan), np.zeros(n)
    for first in range(0, n, 1024):
        last = min(first + 1024, n)
        low, high = max(0, first - half), min(n, last + half)
        sums = lag_sums(similarity[low * HOP : high * HOP], weights[low * HOP : high * HOP], block=HOP)
        rolled = _rolling(sums, half, first - low, last - low)
        curves[first:last], weight[first:last] = rolled.curves(), rolled.weight.max(axis=1, initial=0.0)
    position, at_end = peaks(curves, lags, distance_cost(lags, weight, zero=zero_offset_ms / TICK_MS))
    confidence = confidences(curves)
    sharpness = confidence / spread(curves)
    raw = position * TICK_MS - zero_offset_ms
    sharp = (sharpness >= min_sharpness + 1.0) | ((sharpness >= min_sharpness - 0.5) & _seconded(raw))
    reliable = (at_end == 0) & (confidence >= min_confidence) & sharp
    return OffsetWindows(
        centre_s=(np.arange(n) + 0.5) * HOP / TICK_RATE,
        offset_ms=np.where(reliable, raw, np.nan),
        raw_offset_ms=raw,
        confidence=confidence,
        sharpness=sharpness,
        reliable=reliable,
        curves=curves,
    )


def _seconded(offsets: np.ndarray) -> np.ndarray:
    """Whether the next window to either side that shares no tick agrees."""
    padded = np.pad(offsets, SPAN, constant_values=np.nan)
    before, after = padded[: len(offsets)], padded[2 * SPAN :]
    return (np.abs(before - offsets) <= AGREE_MS) | (np.abs(after - offsets) <= AGREE_MS)


def agreement_height(windows: OffsetWindows) -> float:
    """What agreement of lips and sound is worth in this track, similarity units; about 0 where there is none.

    The upper quartile of the windows' confidence (part of the file may be silent), less what chance alone gives.
    """
    good = np.isfinite(windows.confidence)
    if not good.any():
        return 0.0
    by_chance = np.clip(CHANCE_SHARPNESS / np.maximum(windows.sharpness[good], 1e-6), 0.0, 1.0)
    return float(np.quantile(windows.confidence[good] * np.sqrt(1.0 - by_chance**2), 0.75))


def _rolling(sums: LagSums, half: int, first: int, last: int) -> LagSums:
    """Sums over ``half`` blocks to either side of each block from ``first`` to ``last``."""
    padded = {
        name: np.pad(getattr(sums, name), [(half, half)] + [(0, 0)] * (getattr(sums, name).ndim - 1))
        for name in LagSums.__dataclass_fields__
    }
    near = range(2 * half + 1)
    return LagSums(**{n: np.sum([a[first + s : last + s] for s in near], axis=0) for n, a in padded.items()})
