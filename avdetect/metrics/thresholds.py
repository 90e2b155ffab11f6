"""A threshold is chosen on validation scores and tried on others, never chosen where it is tried."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from avdetect.metrics.ranking import roc


def fit_threshold(positive: ArrayLike, negative: ArrayLike) -> float:
    """The threshold of the highest balanced accuracy (Youden's index), halfway between the scores beside it.

    Of equally good ones it is the one whose misses and false alarms are most alike, then the lowest.

    Raises:
        ValueError: one of the classes is empty.
    """
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    if len(positive) == 0 or len(negative) == 0:
        raise ValueError(
            f"a threshold needs validation clips of both classes, got {len(positive)} forged and {len(negative)} "
            "genuine; choose other validation clips"
        )
    alarms, hits, thresholds = roc(positive, negative)
    gain = hits - alarms
    good = np.flatnonzero(gain >= gain.max() - 1e-12)
    best = good[np.lexsort((-good, np.round(np.abs(1 - hits[good] - alarms[good]), 12)))[0]]
    above = thresholds[best]
    if best + 1 == len(thresholds):  # everything is called positive
        return float(above)
    below = thresholds[best + 1]
    return float(np.nextafter(below, np.inf) if np.isinf(above) else 0.5 * (above + below))


def accuracy(positive: ArrayLike, negative: ArrayLike, threshold: float) -> float:
    """Share of all clips on the right side; a score at the threshold is called positive (NaN without clips)."""
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    n = len(positive) + len(negative)
    right = (positive >= threshold).sum() + (negative < threshold).sum()
    return float(right / n) if n else float("nan")


def balanced_accuracy(positive: ArrayLike, negative: ArrayLike, threshold: float) -> float:
    """Mean of the two classes' shares on the right side: one half is chance (NaN without one of the classes)."""
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    if len(positive) == 0 or len(negative) == 0:
        return float("nan")
    return float(0.5 * ((positive >= threshold).mean() + (negative < threshold).mean()))
