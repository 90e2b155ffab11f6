"""How well scores rank positives above negatives, whatever their scale."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
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


def roc(
    positive: ArrayLike, negative: ArrayLike
) -> tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """The ROC curve, one point for each threshold that can be told apart.

    Returns:
        False-alarm rates and hit rates, both rising from 0 to 1, and the thresholds (called positive at or above),
        falling from infinity.
    """
    positive, negative = np.sort(np.asarray(positive, float)), np.sort(np.asarray(negative, float))
    thresholds = np.concatenate([[np.inf], np.unique(np.concatenate([positive, negative]))[::-1]])
    with np.errstate(invalid="ignore", divide="ignore"):  # without one of the classes its rate is NaN
        hits = (len(positive) - np.searchsorted(positive, thresholds, side="left")) / np.float64(len(positive))
        alarms = (len(negative) - np.searchsorted(negative, thresholds, side="left")) / np.float64(len(negative))
    return alarms, hits, thresholds


def average_precision(positive: ArrayLike, negative: ArrayLike) -> float:
    """Precision averaged over the steps of recall, without interpolation (as scikit-learn); NaN without positives."""
    positive, negative = np.sort(np.asarray(positive, float)), np.sort(np.asarray(negative, float))
    if len(positive) == 0:
        return float("nan")
    thresholds = np.unique(positive)[::-1]  # between these recall stands still
    hits = len(positive) - np.searchsorted(positive, thresholds, side="left")
    alarms = len(negative) - np.searchsorted(negative, thresholds, side="left")
    steps = np.diff(hits, prepend=0) / len(positive)
    return float(np.sum(steps * hits / (hits + alarms)))


def hits_at_alarms(positive: ArrayLike, negative: ArrayLike, rate: float) -> float:
    """TPR at an FPR: the highest hit rate of any threshold whose false-alarm rate is at most ``rate``.

    Nothing is interpolated, so that with fewer than ``1 / rate`` negatives it is the hit rate without a false alarm.

    Args:
        positive: scores of positives.
        negative: scores of negatives.
        rate: in [0, 1].
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"a false-alarm rate lies in [0, 1], not {rate!r}")
    alarms, hits, _ = roc(positive, negative)
    if np.isnan(alarms).any() or np.isnan(hits).any():
        return float("nan")
    return float(hits[alarms <= rate + 1e-12].max())
