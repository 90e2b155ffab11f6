"""One offset with its interval and confidence, from a similarity matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int

from avdetect.sync.curve import LagSums, confidences, lag_sums, peaks
from avdetect.types import TICK_RATE

TICK_MS = 1000.0 / TICK_RATE
BLOCK = 12
"""Ticks of a bootstrap block (0.48 s): longer than a syllable, so that blocks are nearly independent."""
MAX_BLOCKS = 600
DRAWS = 400


@dataclass(frozen=True)
class OffsetEstimate:
    """The offset over a stretch of time.

    Attributes:
        lags: lags in ticks.
        curve: agreement of lips and sound at each lag, similarity units; NaN where too few ticks have the lag.
        offset_ms: sound time minus picture time in ms, positive = sound is late; ``None`` where no lag is usable or
            the maximum is at the end of the lags searched.
        ci_ms: 95 % interval of the offset; ``None`` where there are fewer than 4 independent blocks.
        confidence: maximum minus median of the curve, similarity units; NaN where not measured.
        sharpness: the same in robust standard deviations of the curve.
        at_end: the maximum is at the end of the lags searched, so the offset may lie beyond.
        ticks: summed weight of the ticks used, in ticks.
    """

    lags: Int[np.ndarray, " k"]
    curve: Float64[np.ndarray, " k"]
    offset_ms: float | None
    ci_ms: tuple[float, float] | None
    confidence: float
    sharpness: float
    at_end: bool
    ticks: float


def estimate_offset(
    similarity: Float[np.ndarray, "t k"],
    lags: Int[np.ndarray, " k"],
    *,
    weights: Float[np.ndarray, " t"] | None = None,
    zero_offset_ms: float = 0.0,
    seed: int = 0,
) -> OffsetEstimate:
    """The lag at which lips and sound agree best, between lags, with a 95 % interval by block bootstrap.

    The same input gives the same output to the last bit: the random draws start from ``seed``.

    Args:
        similarity: similarity of the lips at tick ``i`` and the sound at tick ``i + lags[j]``, NaN where missing.
        lags: lags in ticks, ascending, one apart.
        weights: weight of each tick, from 0; 1 everywhere by default.
        zero_offset_ms: what the detector reads on clips in sync; subtracted.
        seed: of the bootstrap.
    """
    weights = np.ones(len(similarity)) if weights is None else weights
    block = max(BLOCK, -(-len(similarity) // MAX_BLOCKS))
    sums = lag_sums(similarity, weights, block=block)
    whole = sums.combine(np.ones((1, sums.n_blocks)))
    curve = whole.curves()
    position, at_end = peaks(curve, lags)
    confidence, sharpness = confidences(curve)
    measured = bool(np.isfinite(position[0])) and not at_end[0]
    offset = float(position[0] * TICK_MS - zero_offset_ms) if measured else None
    return OffsetEstimate(
        lags=np.asarray(lags),
        curve=curve[0],
        offset_ms=offset,
        ci_ms=_interval(sums, curve[0], lags, offset, zero_offset_ms, seed) if offset is not None else None,
        confidence=float(confidence[0]),
        sharpness=float(sharpness[0]),
        at_end=bool(at_end[0]),
        ticks=float(whole.weight.max(initial=0.0)),
    )


def _interval(
    sums: LagSums, curve: np.ndarray, lags: np.ndarray, offset: float, zero_offset_ms: float, seed: int
) -> tuple[float, float] | None:
    """95 % percentile interval over blocks drawn with replacement, widened for few blocks by Student's t."""
    used = np.flatnonzero(sums.weight.max(axis=1) > 0)
    n = len(used)
    if n < 4:
        return None
    counts = np.zeros((DRAWS, sums.n_blocks))
    counts[:, used] = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    # Lags that the whole refuses stay refused, and those it uses stay used: a draw must search the same lags.
    draws = _solve_same_lags(sums.combine(counts), np.isfinite(curve))
    positions, _ = peaks(draws, lags)
    low, high = np.percentile(positions * TICK_MS - zero_offset_ms, [2.5, 97.5])
    wider = student_t975(n - 1) / 1.96 * np.sqrt(n / (n - 1))
    return (min(offset, offset + (float(low) - offset) * wider), max(offset, offset + (float(high) - offset) * wider))


def _solve_same_lags(sums: LagSums, usable: np.ndarray) -> np.ndarray:
    curves = sums.curves()
    missing = np.isnan(curves) & usable
    # A draw that happens to thin out an end lag cannot speak for it: the lag is left out of that draw.
    return np.where(usable & ~missing, curves, np.nan)


def student_t975(freedom: int) -> float:
    """97.5 % quantile of Student's t by the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5)."""
    z, v = 1.959964, float(freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / v ** (i + 1) for i, term in enumerate(terms))
