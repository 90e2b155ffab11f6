"""Figures of merit, NumPy only. Scores: higher = more of the positive class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half (NaN if empty)."""
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    n, m = len(positive), len(negative)
    if n == 0 or m == 0:
        return float("nan")
    ranks = rankdata(np.concatenate([positive, negative]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def eer(positive: ArrayLike, negative: ArrayLike) -> float:
    """Equal error rate: where the share of missed positives equals that of false alarms (linear between thresholds)."""
    positive, negative = np.sort(np.asarray(positive, float)), np.sort(np.asarray(negative, float))
    if len(positive) == 0 or len(negative) == 0:
        return float("nan")
    thresholds = np.concatenate([[-np.inf], np.unique(np.concatenate([positive, negative])), [np.inf]])
    missed = np.searchsorted(positive, thresholds, side="left") / len(positive)
    alarms = 1 - np.searchsorted(negative, thresholds, side="left") / len(negative)
    i = int(np.argmax(missed >= alarms))
    before, after = missed[i - 1] - alarms[i - 1], missed[i] - alarms[i]
    share = 0.0 if after == before else -before / (after - before)
    return float(missed[i - 1] + share * (missed[i] - missed[i - 1]))


def expected_calibration_error(probability: ArrayLike, label: ArrayLike, *, bins: int = 10) -> float:
    """Mean distance of stated probability and observed frequency over equal-width bins, weighted by their counts."""
    p, y = np.asarray(probability, float), np.asarray(label, float)
    which = np.clip((p * bins).astype(int), 0, bins - 1)
    total = 0.0
    for b in range(bins):
        inside = which == b
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return float(total)


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    clusters: Sequence[object],
    *,
    rounds: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Confidence interval of a statistic by resampling whole clusters (people), not clips.

    Args:
        statistic: of the row numbers drawn.
        clusters: the cluster of each row.
        rounds: resamplings.
        seed: of the resampling.
        level: of the interval.

    Returns:
        Lower and upper percentile; NaN where the statistic is undefined in every round.
    """
    names = sorted({str(c) for c in clusters})
    rows = {n: np.array([i for i, c in enumerate(clusters) if str(c) == n]) for n in names}
    rng = np.random.default_rng(seed)
    values = [
        statistic(np.concatenate([rows[names[j]] for j in rng.integers(0, len(names), len(names))]))
        for _ in range(rounds)
    ]
    kept = [v for v in values if not np.isnan(v)]
    if not kept:
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
