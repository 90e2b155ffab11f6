"""One offset with its interval and confidence, from a similarity matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int

from avdetect.sync.curve import LagSums, confidences, distance_cost, lag_sums, off_peak, peaks, spread, summits
from avdetect.types import TICK_RATE

TICK_MS = 1000.0 / TICK_RATE
BLOCK = 12
"""Ticks of a bootstrap block (0.48 s): longer than a syllable, so that blocks are nearly independent."""
SHORT_BLOCK = 6
"""Ticks of a block where it is asked which lag wins: more blocks, so that three quarters of a second can be asked."""
MAX_BLOCKS = 600
MIN_BLOCKS = 4
"""Fewer independent blocks (2 s) give no interval..."""
MIN_SHORT_BLOCKS = 3
"""... and fewer short ones no stability."""
NEAR_TICKS = 1.5
"""How far from the maximum of the whole that of a draw may lie to be the same: peaks are some three ticks wide."""
DRAWS = 400


@dataclass(frozen=True)
class OffsetEstimate:
    """The offset over a stretch of time.

    Attributes:
        lags: lags in ticks.
        curve: agreement of lips and sound at each lag, similarity units; NaN where too few ticks have the lag.
        offset_ms: sound time minus picture time in ms, positive = sound is late; ``None`` where no lag is usable or
            the maximum is at the end of the lags searched.
        ci_ms: 95 % interval of the offset, within the lags searched; ``None`` where there are fewer than 4 independent
            blocks.
        confidence: maximum minus median of the curve, similarity units; NaN where not measured.
        sharpness: the same in standard errors of the curve (from the bootstrap). Sound that has nothing to do with the
            lips reaches about 2, and 4 in one case of a hundred. With fewer than 4 independent blocks the standard
            error is guessed from the curve itself, which is coarser. NaN where ``confidence`` is.
        stability: share of bootstrap draws (of blocks of a quarter second) whose maximum is within 1.5 ticks of that
            of the whole. Sound that belongs to the lips reaches 1 nearly always, foreign sound some 0.6. NaN where
            there are fewer than 3 blocks.
        at_end: the maximum is at the end of the lags searched, so the offset may lie beyond.
        ticks: summed weight of the ticks used, in ticks.
    """

    lags: Int[np.ndarray, " k"]
    curve: Float64[np.ndarray, " k"]
    offset_ms: float | None
    ci_ms: tuple[float, float] | None
    confidence: float
    sharpness: float
    stability: float
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

    Of peaks of about one height, the one nearer to being in sync is taken (`avdetect.sync.curve.distance_cost`).

    The same input gives the same output to the last bit: the random draws start from ``seed``.

    Args:
        similarity: similarity of the lips at tick ``i`` and the sound at tick ``i + lags[j]``, NaN where missing.
        lags: lags in ticks, ascending, one apart.
        weights: weight of each tick, from 0; 1 everywhere by default.
        zero_offset_ms: what the detector reads on clips in sync; subtracted.
        seed: of the bootstrap.
    """
    weights = np.ones(len(similarity)) if weights is None else weights
    sums, short = (
        lag_sums(similarity, weights, block=max(block, -(-len(similarity) // MAX_BLOCKS)))
        for block in (BLOCK, SHORT_BLOCK)
    )
    whole = sums.combine(np.ones((1, sums.n_blocks)))
    curve = whole.curves()
    cost = distance_cost(lags, whole.weight.max(axis=1, initial=0.0), zero=zero_offset_ms / TICK_MS)
    position, at_end = peaks(curve, lags, cost)
    confidence = float(confidences(curve)[0])
    measured = bool(np.isfinite(position[0])) and not at_end[0]
    offset = float(position[0] * TICK_MS - zero_offset_ms) if measured else None
    draws, n = _draws(sums, np.isfinite(curve[0]), seed, MIN_BLOCKS)
    interval = None
    if n and offset is not None:
        low, high = (float(end) * TICK_MS - zero_offset_ms for end in (lags[0], lags[-1]))
        wide = _interval(peaks(draws, lags, cost)[0] * TICK_MS - zero_offset_ms, offset, n)
        interval = max(wide[0], low), min(wide[1], high)
    return OffsetEstimate(
        lags=np.asarray(lags),
        curve=curve[0],
        offset_ms=offset,
        ci_ms=interval,
        confidence=confidence,
        sharpness=confidence / (_standard_error(draws, summits(curve), n) if n else spread(curve)),
        stability=_stability(_draws(short, np.isfinite(curve[0]), seed, MIN_SHORT_BLOCKS)[0], position[0], lags, cost),
        at_end=bool(at_end[0]),
        ticks=float(whole.weight.max(initial=0.0)),
    )


def _draws(sums: LagSums, usable: np.ndarray, seed: int, least: int) -> tuple[np.ndarray, int]:
    """Curves from blocks drawn with replacement, and the number of blocks drawn from; 0 where there are too few."""
    used = np.flatnonzero(sums.weight.max(axis=1) > 0)
    if len(used) < least or not usable.any():
        return np.empty((0, len(usable))), 0
    counts = np.zeros((DRAWS, sums.n_blocks))
    chance = np.full(len(used), 1 / len(used))
    counts[:, used] = np.random.default_rng(seed).multinomial(len(used), chance, size=DRAWS)
    # Lags that the whole refuses stay refused: a draw searches no others. One that a draw thins out is left out of it.
    return np.where(usable, sums.combine(counts).curves(), np.nan), len(used)


def _stability(draws: np.ndarray, position: float, lags: np.ndarray, cost: np.ndarray) -> float:
    """Share of the draws whose maximum is near ``position``; NaN without draws or a position."""
    if not len(draws) or not np.isfinite(position):
        return float("nan")
    return float(np.mean(np.abs(peaks(draws, lags, cost)[0] - position) <= NEAR_TICKS))


def _interval(drawn: np.ndarray, offset: float, n: int) -> tuple[float, float]:
    """95 % percentile interval around the offset, widened for few blocks by Student's t."""
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    wider = student_t975(n - 1) / 1.96 * np.sqrt(n / (n - 1))
    return min(offset, offset + (float(low) - offset) * wider), max(offset, offset + (float(high) - offset) * wider)


def _standard_error(draws: np.ndarray, top: np.ndarray, n: int) -> float:
    """Standard error of the lag curve away from its peak, corrected for few blocks."""
    noise = off_peak(draws, np.repeat(top, len(draws)))
    variance = np.nanvar(np.where(np.isfinite(noise).any(axis=0), noise, 0.0), axis=0)
    variance = variance[np.isfinite(noise).any(axis=0)]
    return max(float(np.sqrt(variance.mean() * n / (n - 1))) if len(variance) else 0.0, 1e-6)


def student_t975(freedom: int) -> float:
    """97.5 % quantile of Student's t by the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5)."""
    z, v = 1.959964, float(freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / v ** (i + 1) for i, term in enumerate(terms))
