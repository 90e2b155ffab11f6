"""Confidence intervals by resampling whole clusters: the clips of one person are not independent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike


def resamples(clusters: Sequence[object], *, rounds: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Row numbers of ``rounds`` samples of as many clusters as there are, drawn with replacement.

    Args:
        clusters: the cluster of each row, told apart by its text.
        rounds: number of samples.
        seed: of the draws; equal clusters and seeds give equal samples, so that two detectors can be paired.
    """
    names, place = np.unique(np.array([str(c) for c in clusters], dtype=object).astype(str), return_inverse=True)
    order = np.argsort(place, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(place, minlength=len(names)))[:-1]) if len(names) else []
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.concatenate([rows[j] for j in rng.integers(0, len(names), len(names))] or [np.zeros(0, int)])


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
    values = np.array([statistic(rows) for rows in resamples(clusters, rounds=rounds, seed=seed)])
    low, high = percentiles(values[:, None], level=level)
    return float(low[0]), float(high[0])


def percentiles(
    values: ArrayLike, *, level: float = 0.95
) -> tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """Lower and upper percentile of each column, rounds in rows; rounds without a value are left out."""
    values = np.asarray(values, float)
    low, high = np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    for j, column in enumerate(values.T):
        kept = column[~np.isnan(column)]
        if len(kept):
            low[j], high[j] = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return low, high
