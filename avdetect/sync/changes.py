"""Where the offset jumps: the most probable sequence of lags (Viterbi 1967), and the stretches of constant offset.

Windows smear a jump over their length; here every fifth of a second votes for itself. A lag's vote in a bin is its
log-likelihood ratio against "no agreement" for a peak of height ``d`` in noise of variance ``v`` a tick:
``d / v * (similarity - tick mean)``, summed over the bin. A change of lag costs ``CHANGE_COST`` nats, so a stretch of
another lag must be that much more probable than none to be believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float64, Int

BIN = 5
"""Ticks of a vote: 0.2 s."""
CHANGE_COST = 9.0
"""Nats; a chance excursion inside a file has to pay twice, which happens about once in 1e8 bins."""
MIN_LENGTH = 6
"""Bins of the shortest stretch: 1.2 s."""
_NOISE_BINS = 3


@dataclass(frozen=True)
class Stretch:
    """Ticks ``start`` to ``end`` (exclusive) of a track over which the lag with the most votes is ``lag``."""

    start: int
    end: int
    lag: int


def constant_stretches(
    similarity: Float[np.ndarray, "t k"],
    lags: Int[np.ndarray, " k"],
    *,
    weights: Float[np.ndarray, " t"] | None = None,
    height: float,
) -> tuple[Stretch, ...]:
    """Cut a track where the offset changes; one stretch where it does not.

    Args:
        similarity: similarity of lips and sound, NaN where missing.
        lags: lags in ticks.
        weights: weight of each tick; 1 everywhere by default.
        height: what agreement is worth here: a typical maximum minus median of the windows' lag curves.
    """
    t = len(similarity)
    if t == 0:
        return ()
    weights = np.ones(t) if weights is None else np.nan_to_num(weights, nan=0.0)
    votes = _votes(similarity, weights)
    noise = _noise(votes)
    if not (np.isfinite(height) and height > 0 and noise > 0):
        return (Stretch(0, t, int(lags[votes.sum(axis=0).argmax()])),)
    path = most_probable_path(votes * (height / noise), CHANGE_COST)
    runs = _without_crumbs(_runs(path))
    return tuple(Stretch(low * BIN, min(high * BIN, t), int(lags[lag])) for low, high, lag in runs)


def _votes(similarity: np.ndarray, weights: np.ndarray) -> Float64[np.ndarray, "g k"]:
    mask = np.isfinite(similarity)
    values = np.where(mask, similarity, 0.0).astype(np.float64)
    mean = values.sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    votes = np.where(mask, values - mean[:, None], 0.0) * weights[:, None]
    g, k = -(-len(votes) // BIN), votes.shape[1]
    padded = np.zeros((g * BIN, k))
    padded[: len(votes)] = votes
    return padded.reshape(g, BIN, k).sum(axis=1)


def _noise(votes: np.ndarray) -> float:
    """Variance of a lag's votes per tick over 0.6 s, which is longer than they are correlated.

    Robust, over all lags: a peak is a few of 31.
    """
    g, k = votes.shape
    whole = votes[: g - g % _NOISE_BINS].reshape(-1, _NOISE_BINS, k).sum(axis=1)
    whole = whole[np.abs(whole).sum(axis=1) > 0]
    if len(whole) < 2:
        return 0.0
    spread = 1.4826 * np.median(np.abs(whole - np.median(whole)))
    return float(spread**2) / (BIN * _NOISE_BINS)


def most_probable_path(votes: Float64[np.ndarray, "g k"], cost: float) -> Int[np.ndarray, " g"]:
    """Lag index per bin that maximises the sum of the votes less ``cost`` for each change."""
    g, k = votes.shape
    came_from = np.empty((g, k), np.int16)
    stay = np.arange(k, dtype=np.int16)
    score = votes[0].copy()
    for i in range(1, g):
        best = int(score.argmax())
        switch = score[best] - cost
        came_from[i] = np.where(score >= switch, stay, best)
        score = np.maximum(score, switch) + votes[i]
    path = np.empty(g, np.int64)
    path[-1] = int(score.argmax())
    for i in range(g - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path


def _runs(path: np.ndarray) -> list[tuple[int, int, int]]:
    starts = np.concatenate([[0], np.flatnonzero(np.diff(path)) + 1, [len(path)]])
    return [(int(a), int(b), int(path[a])) for a, b in pairwise(starts)]


def _without_crumbs(runs: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Give stretches that are too short to their longer neighbour, shortest first, and join equals."""
    runs = list(runs)
    while len(runs) > 1:
        lengths = [b - a for a, b, _ in runs]
        i = int(np.argmin(lengths))
        if lengths[i] >= MIN_LENGTH:
            break
        if i == 0 or (i + 1 < len(runs) and lengths[i + 1] > lengths[i - 1]):
            runs[i : i + 2] = [(runs[i][0], runs[i + 1][1], runs[i + 1][2])]
        else:
            runs[i - 1 : i + 1] = [(runs[i - 1][0], runs[i][1], runs[i - 1][2])]
        runs = _joined(runs)
    return runs


def _joined(runs: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    joined: list[tuple[int, int, int]] = []
    for a, b, lag in runs:
        if joined and joined[-1][2] == lag:
            joined[-1] = (joined[-1][0], b, lag)
        else:
            joined.append((a, b, lag))
    return joined
