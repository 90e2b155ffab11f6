"""Whether a stated probability is the frequency that is observed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

LEAST = 1e-15
"""Probabilities are kept this far from 0 and 1 in logarithms: a certain error costs 34.5 nats, not infinity."""


def even_weights(label: ArrayLike) -> Float64[np.ndarray, " n"]:
    """Weights that make both classes count alike, as under a prior of one half (all 1 where a class is missing)."""
    y = np.asarray(label).astype(bool)
    if len(y) == 0 or y.all() or not y.any():
        return np.ones(len(y))
    return np.where(y, 0.5 / y.mean(), 0.5 / (~y).mean())


def expected_calibration_error(
    probability: ArrayLike, label: ArrayLike, *, bins: int = 10, weights: ArrayLike | None = None
) -> float:
    """Mean distance of stated probability and observed frequency over equal-width bins, weighted by their counts.

    Args:
        probability: in [0, 1].
        label: 1 where the thing happened.
        bins: number of bins.
        weights: of the clips; all alike if not given.
    """
    total = 0.0
    for stated, observed, share, _ in reliability(probability, label, bins=bins, weights=weights):
        total += share * abs(stated - observed)
    return float(total)


def reliability(
    probability: ArrayLike, label: ArrayLike, *, bins: int = 10, weights: ArrayLike | None = None
) -> list[tuple[float, float, float, int]]:
    """For each bin that is not empty: mean stated probability, observed frequency, share of weight, number of clips."""
    p, y = np.asarray(probability, float), np.asarray(label, float)
    w = np.ones(len(p)) if weights is None else np.asarray(weights, float)
    which = np.clip((p * bins).astype(int), 0, bins - 1)
    rows = []
    for b in range(bins):
        inside = which == b
        if inside.any():
            v = w[inside]
            rows.append(
                (
                    float(np.average(p[inside], weights=v)),
                    float(np.average(y[inside], weights=v)),
                    float(v.sum() / w.sum()),
                    int(inside.sum()),
                )
            )
    return rows


def brier(probability: ArrayLike, label: ArrayLike) -> float:
    """Mean squared distance of probability and label, in [0, 1] (Brier 1950); NaN without clips."""
    p, y = np.asarray(probability, float), np.asarray(label, float)
    return float(np.mean((p - y) ** 2)) if len(p) else float("nan")


def log_loss(probability: ArrayLike, label: ArrayLike) -> float:
    """Mean negative log-likelihood in nats; ln 2 = 0.693 is what knowing nothing costs. NaN without clips."""
    p = np.clip(np.asarray(probability, float), LEAST, 1 - LEAST)
    y = np.asarray(label, float)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))) if len(p) else float("nan")


def cllr(positive: ArrayLike, negative: ArrayLike) -> float:
    """Cost of log-likelihood ratios in bits (Brümmer and du Preez 2006): 0 is perfect, 1 is knowing nothing.

    Args:
        positive: log-likelihood ratios (natural) of forged clips: logits of probabilities stated for an even prior.
        negative: of genuine clips.
    """
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    if len(positive) == 0 or len(negative) == 0:
        return float("nan")
    return float(0.5 * (np.logaddexp(0, -positive).mean() + np.logaddexp(0, negative).mean()) / np.log(2))


def min_cllr(positive: ArrayLike, negative: ArrayLike) -> float:
    """Cllr after the best monotone map of the scores: what ranking alone allows; the rest of Cllr is miscalibration.

    The map is that of pool-adjacent-violators on these very clips, so it is a lower bound and never a result to claim.
    """
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    n, m = len(positive), len(negative)
    if n == 0 or m == 0:
        return float("nan")
    _, place, counts = np.unique(np.concatenate([positive, negative]), return_inverse=True, return_counts=True)
    share = np.bincount(place[:n], minlength=len(counts)) / counts
    fitted = np.clip(isotonic_regression(share, weights=counts).x, 0.0, 1.0)[place]
    with np.errstate(divide="ignore"):  # blocks of one class alone have infinite ratios, of the right sign
        ratio = np.log(fitted) - np.log1p(-fitted) - np.log(n / m)
    return cllr(ratio[:n], ratio[n:])
