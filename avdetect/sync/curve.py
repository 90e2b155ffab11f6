"""The lag curve: how well lips and sound agree at each lag, from the similarity of every tick at every lag.

A plain mean over ticks compares different ticks at different lags, because near the ends of a clip (and around ticks
without a face or without sound) only some lags exist. Ticks differ much more from each other than lags do, so that
difference alone moves the maximum. The curve is therefore the lag effect of the additive model

    similarity[i, j] = tick[i] + curve[j] + noise

fitted by weighted least squares over the entries that exist. Where all lags exist at every tick this is the plain
mean. The tick effects are eliminated, which leaves one ``k`` x ``k`` system; its parts are sums over ticks, so blocks
of ticks are added up once and then combined at will (windows, bootstrap draws).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int

from avdetect.types import MAX_LAG

MIN_TICKS = 10
"""A lag is refused when fewer ticks (summed weights) speak for it: 0.4 s."""
MIN_SHARE = 0.5
"""A lag is refused when less than this part of the weight of the best covered lag speaks for it."""
FAR = 2.0
"""What a lag of 0.6 s costs, in similarity summed over ticks, growing with its square: sound is mostly nearly in time.
Less than a hundredth of the peak of a minute; in one second it decides between peaks of about one height. Of windows of
2 s of clips whose sound had been moved by up to 400 ms, more come out right at every distance."""


@dataclass(frozen=True)
class LagSums:
    """Sums over blocks of ticks from which lag curves are solved; add them over ``g`` to join blocks.

    Attributes:
        normal: matrices of the normal equations after eliminating the tick effects.
        right: their right-hand sides.
        weight: summed weights of the ticks that have the lag.
        level: summed weighted similarity of the lag.
    """

    normal: Float64[np.ndarray, "g k k"]
    right: Float64[np.ndarray, "g k"]
    weight: Float64[np.ndarray, "g k"]
    level: Float64[np.ndarray, "g k"]

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self.right)

    def combine(self, counts: Float[np.ndarray, "n g"]) -> LagSums:
        """``n`` weighted sums of the blocks."""
        g, k = self.right.shape
        return LagSums(
            normal=(counts @ self.normal.reshape(g, k * k)).reshape(-1, k, k),
            right=counts @ self.right,
            weight=counts @ self.weight,
            level=counts @ self.level,
        )

    def curves(self) -> Float64[np.ndarray, "g k"]:
        """Solve each block's curve; refused lags are NaN (see :data:`MIN_TICKS`, :data:`MIN_SHARE`)."""
        k = self.right.shape[1]
        scale = np.maximum(self.weight.max(axis=1, initial=0.0), 1e-12)[:, None, None]
        # The system knows the curve only up to a constant: the matrix of ones fixes its sum to zero. The small ridge
        # keeps lags solvable that no tick has; they are refused below.
        matrix = self.normal / scale + 1e-9 * np.eye(k) + 1.0 / k
        effect = np.linalg.solve(matrix, (self.right / scale[..., 0])[..., None])[..., 0]
        total = np.maximum(self.weight.sum(axis=1), 1e-12)
        curve = effect + (self.level.sum(axis=1) / total)[:, None]
        needed = np.maximum(MIN_TICKS, MIN_SHARE * self.weight.max(axis=1, initial=0.0))
        return np.where(self.weight >= needed[:, None] - 1e-9, curve, np.nan)


def lag_sums(similarity: Float[np.ndarray, "t k"], weights: Float[np.ndarray, " t"], *, block: int) -> LagSums:
    """Sums over consecutive blocks of ``block`` ticks (the last may be shorter).

    Args:
        similarity: cosine similarities, NaN where a lag does not exist.
        weights: one non-negative weight a tick; NaN counts as 0.
        block: ticks a block.
    """
    t = len(similarity)
    if weights.shape != (t,):
        raise ValueError(f"similarity has {t} ticks but weights has shape {weights.shape}")
    g = max(1, -(-t // block))
    # Gathering a few blocks at a time bounds the memory of a two-hour file.
    parts = [_block_sums(similarity, weights, first, min(first + 256, g), block) for first in range(0, g, 256)]
    return LagSums(*(np.concatenate([getattr(p, name) for p in parts]) for name in LagSums.__dataclass_fields__))


def _block_sums(similarity: np.ndarray, weights: np.ndarray, first: int, last: int, block: int) -> LagSums:
    k, n = similarity.shape[1], last - first
    values = np.full((n * block, k), np.nan)
    weight = np.zeros(n * block)
    piece = slice(first * block, last * block)
    rows = len(similarity[piece])
    values[:rows], weight[:rows] = similarity[piece], np.nan_to_num(weights[piece], nan=0.0)
    mask = np.isfinite(values)
    values = np.where(mask, values, 0.0)
    # A tick with a single lag says nothing about differences between lags.
    lags_here = mask.sum(axis=1)
    use = weight * (lags_here >= 2)
    per_tick = 1.0 / np.maximum(lags_here, 1)
    mean = values.sum(axis=1) * per_tick
    entry = mask * use[:, None]
    right = entry * (values - mean[:, None])
    entry_b, mask_b = entry.reshape(n, block, k), mask.reshape(n, block, k).astype(np.float64)
    share = (entry * per_tick[:, None]).reshape(n, block, k)
    total = entry_b.sum(axis=1)
    normal = -np.matmul(share.transpose(0, 2, 1), mask_b)
    normal[:, np.arange(k), np.arange(k)] += total
    return LagSums(normal, right.reshape(n, block, k).sum(1), total, (entry * values).reshape(n, block, k).sum(1))


def distance_cost(
    lags: Int[np.ndarray, " k"], weight: Float[np.ndarray, " n"], *, zero: float = 0.0
) -> Float64[np.ndarray, "n k"]:
    """What each lag of a curve costs for being far from being in sync (`FAR`): a prior, the weaker the more is known.

    Args:
        lags: in ticks.
        weight: ticks that each curve is the mean of.
        zero: lag of sound in sync, ticks.
    """
    return FAR / np.maximum(weight, 1.0)[:, None] * np.square((np.asarray(lags) - zero) / MAX_LAG)[None]


def peaks(
    curves: Float64[np.ndarray, "n k"], lags: Int[np.ndarray, " k"], cost: Float64[np.ndarray, "n k"] | float = 0.0
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Position of each curve's maximum in ticks, between the lags, and whether it can be trusted.

    ``cost`` is taken off the curves to choose the lag, not to place the summit beside it.

    A parabola through the logarithms of the maximum and its neighbours, each taken above the curve's median, gives the
    position: exact for a Gaussian peak, and at most 3.5 ms off for exponential and triangular ones of 1 to 3 ticks,
    where a plain parabola is up to 5.7 ms off. A maximum at the end of the usable lags may have its summit outside:
    its position is the lag itself and the second value is 1 (else 0).

    Returns:
        Positions (NaN where a curve has no usable lag), and 1.0 where the maximum is at an end.
    """
    n, k = curves.shape
    filled = np.where(np.isfinite(curves), curves, -np.inf)
    top = (filled - cost).argmax(axis=1)
    rows = np.arange(n)
    left = np.where(top > 0, filled[rows, np.maximum(top - 1, 0)], -np.inf)
    right = np.where(top < k - 1, filled[rows, np.minimum(top + 1, k - 1)], -np.inf)
    centre = filled[rows, top]
    ends = ~(np.isfinite(left) & np.isfinite(right))
    base = np.nan_to_num(medians(curves))
    height = np.maximum(np.where(np.isfinite(centre), centre, 0.0) - base, 1e-12)
    left = np.log(np.clip(np.where(ends, 1.0, left - base) / height, 1e-3, 1.0))
    right = np.log(np.clip(np.where(ends, 1.0, right - base) / height, 1e-3, 1.0))
    bend = -(left + right)
    shift = np.where(ends | (bend <= 1e-12), 0.0, 0.5 * (right - left) / np.where(bend > 1e-12, bend, 1.0))
    position = np.asarray(lags, np.float64)[top] + np.clip(shift, -0.5, 0.5)
    return np.where(np.isfinite(centre), position, np.nan), ends.astype(np.float64)


def confidences(curves: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, " n"]:
    """How far each curve's maximum stands out: maximum minus median over the usable lags, in similarity units.

    The definition of Chung and Zisserman (2016, "Out of time", there with distances). NaN with fewer than 9 usable
    lags.
    """
    enough = np.isfinite(curves).sum(axis=1) >= 9
    safe = np.where(enough[:, None], curves, 0.0)
    return np.where(enough, np.nanmax(safe, axis=1) - np.nanmedian(safe, axis=1), np.nan)


def off_peak(curves: Float64[np.ndarray, "n k"], *tops: Int[np.ndarray, " n"]) -> Float64[np.ndarray, "n k"]:
    """The curves less their medians, NaN within 3 lags of each index in ``tops``: all but the peak."""
    index = np.arange(curves.shape[1])
    near = np.zeros(curves.shape, bool)
    for top in tops:
        near |= np.abs(index - np.asarray(top)[:, None]) <= 3
    return np.where(near, np.nan, curves - medians(curves)[:, None])


def spread(curves: Float64[np.ndarray, "n k"]) -> float:
    """Robust standard deviation of curves away from their own peaks, pooled, since one curve has few lags."""
    if not len(curves):
        return 1.0
    around = np.ravel(off_peak(curves, summits(curves)))
    rest = np.abs(around[np.isfinite(around)])
    return max(1.4826 * float(np.median(rest)), 1e-6) if len(rest) else 1.0


def medians(curves: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, " n"]:
    """Median of each curve's usable lags; NaN where there are none, without a warning."""
    some = np.asarray(np.isfinite(curves).any(axis=1))
    return np.where(some, np.nanmedian(np.where(some[:, None], curves, 0.0), axis=1), np.nan)


def summits(curves: Float64[np.ndarray, "n k"]) -> Int[np.ndarray, " n"]:
    """Index of each curve's maximum (0 where there is none)."""
    return np.where(np.isfinite(curves), curves, -np.inf).argmax(axis=1)
