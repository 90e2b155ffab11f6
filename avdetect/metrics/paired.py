"""Two detectors on the same clips: is the difference more than chance?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr
from scipy.stats import rankdata

from avdetect.metrics.intervals import resamples


@dataclass(frozen=True)
class Difference:
    """Second minus first.

    Attributes:
        first, second: the two values.
        difference: their difference.
        low, high: its 95 % interval.
        p: two-sided probability of a difference at least as large if there were none.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float


def delong(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, level_z: float = 1.959963984540054
) -> Difference:
    """DeLong's test of two correlated AUCs (DeLong, DeLong and Clarke-Pearson 1988; ranks as Sun and Xu 2014).

    It takes clips to be independent; where people appear in several clips, :func:`paired_bootstrap` is the one to
    believe.

    Args:
        first: scores of positives and of negatives by one detector.
        second: by the other, clips in the same order.
        level_z: half-width of the interval in standard errors.

    Raises:
        ValueError: different numbers of clips, or fewer than two of a class.
    """
    scores = [(np.asarray(p, float), np.asarray(n, float)) for p, n in (first, second)]
    (a, b), (c, d) = scores
    if len(a) != len(c) or len(b) != len(d):
        raise ValueError(f"the detectors scored {len(a)} + {len(b)} and {len(c)} + {len(d)} clips; join them first")
    n, m = len(a), len(b)
    if n < 2 or m < 2:
        raise ValueError(f"DeLong's test needs two clips of each class, got {n} forged and {m} genuine")
    areas, of_positive, of_negative = [], [], []
    for positive, negative in scores:
        together = rankdata(np.concatenate([positive, negative]))
        of_positive.append((together[:n] - rankdata(positive)) / m)  # share of negatives below each positive
        of_negative.append(1 - (together[n:] - rankdata(negative)) / n)
        areas.append(float(of_positive[-1].mean()))
    covariance = np.cov(np.stack(of_positive)) / n + np.cov(np.stack(of_negative)) / m
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    difference, error = areas[1] - areas[0], math.sqrt(max(variance, 0.0))
    if error < 1e-12:  # the same ranking
        p = 1.0 if abs(difference) < 1e-12 else 0.0
    else:
        p = float(2 * ndtr(-abs(difference) / error))
    return Difference(areas[0], areas[1], difference, difference - level_z * error, difference + level_z * error, p)


def paired_bootstrap(
    statistic: Callable[[np.ndarray], tuple[float, float]],
    clusters: Sequence[object],
    *,
    rounds: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Difference of any statistic, resampling whole clusters; both detectors get the same clips in every round.

    ``p`` is twice the share of rounds on the far side of zero, with one round added to each side so that it is never 0
    (Davison and Hinkley 1997, 4.2); rounds without a value are left out.

    Args:
        statistic: both detectors' values on the row numbers drawn.
        clusters: the cluster of each row.
        rounds: resamplings.
        seed: of the resampling.
        level: of the interval.
    """
    first, second = statistic(np.arange(len(clusters)))
    pairs = [statistic(rows) for rows in resamples(clusters, rounds=rounds, seed=seed)]
    drawn = np.array([b - a for a, b in pairs], float)
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return Difference(first, second, second - first, math.nan, math.nan, math.nan)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    side = min((drawn <= 0).sum(), (drawn >= 0).sum())
    p = min(1.0, 2 * (side + 1) / (len(drawn) + 1))
    return Difference(first, second, second - first, float(low), float(high), float(p))


def holm(p: Sequence[float]) -> list[float]:
    """Probabilities corrected for being several (Holm 1979); NaN stays NaN and does not count."""
    values = np.asarray(p, float)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    out, highest = np.full(len(values), np.nan), 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, float(values[i]) * (len(order) - place)))
        out[i] = highest
    return out.tolist()
