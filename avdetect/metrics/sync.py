"""Lip sync: how often the offset is found from a few ticks, and SyncNet's two errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64, Int

CONTEXTS = (5, 7, 9, 11, 13, 15)
"""Ticks of context at which offset accuracy is customarily stated."""
ONE_SCORE = 5
"""Ticks that a single score is taken to see, in the published protocol."""


def distances(similarity: Float[np.ndarray, "t k"]) -> Float64[np.ndarray, "t k"]:
    """Euclidean distances of unit vectors from their cosine similarities: ``sqrt(2 - 2 s)``, in [0, 2]; NaN stays."""
    return np.sqrt(np.clip(2.0 - 2.0 * np.asarray(similarity, np.float64), 0.0, None))


def lip_sync_errors(distance: Float[np.ndarray, "t k"]) -> tuple[float, float]:
    """LSE-C and LSE-D of a clip (Chung and Zisserman 2016, "Out of time"; named by Prajwal et al. 2020).

    The mean distance at each lag is ``m[k]``; LSE-D is the least of them, LSE-C the median over lags minus the least.
    What a clip does not have is left out of the means and not padded with zeros. Distances of unit vectors are at most
    2, so these figures are not on the scale of those published for SyncNet's own embeddings.

    Args:
        distance: of the lips at each tick and the sound at each lag, NaN where there is none.

    Returns:
        Confidence (LSE-C, higher is better) and distance (LSE-D, lower is better); NaN where no lag is known.
    """
    distance = np.asarray(distance, np.float64)
    known = np.isfinite(distance)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, distance, 0.0).sum(axis=0) / count
    mean = mean[count > 0]
    if not len(mean):
        return float("nan"), float("nan")
    return float(np.median(mean) - mean.min()), float(mean.min())


def offset_hits(
    similarity: Float[np.ndarray, "t k"],
    lags: Int[np.ndarray, " k"],
    true_lag: int,
    *,
    contexts: Sequence[int] = CONTEXTS,
    tolerance: int = 1,
) -> dict[int, tuple[int, int]]:
    """For each context length, how many of the windows of a clip find the true lag.

    As in Chung and Chung (2016 to 2019) and Kadandale et al. (2022, VocaLiST): a context of ``K`` ticks is the mean of
    ``K - 4`` neighbouring scores. A window's lag is unknown where any of its scores is, so that edges are masked;
    windows that do not know the true lag, or know nothing to confuse it with, do not count. A network whose scores see
    more than five ticks sees as much more here.

    Args:
        similarity: NaN where missing.
        lags: of its columns, ticks.
        true_lag: what is to be found, ticks.
        contexts: values of ``K``, ticks, at least 5.
        tolerance: how far off a hit may be, ticks.

    Returns:
        ``{K: (hits, windows)}``.

    Raises:
        ValueError: ``true_lag`` is not among the lags, or a context is too short.
    """
    lags = np.asarray(lags)
    if true_lag not in lags:
        raise ValueError(f"the true lag {true_lag} is outside those searched ({lags.min()} to {lags.max()} ticks)")
    column = int(np.flatnonzero(lags == true_lag)[0])
    similarity = np.asarray(similarity, np.float64)
    found = {}
    for k in contexts:
        n = k - ONE_SCORE + 1
        if n < 1:
            raise ValueError(f"a context of {k} ticks is shorter than one score ({ONE_SCORE})")
        if len(similarity) < n:
            found[k] = (0, 0)
            continue
        mean = np.lib.stride_tricks.sliding_window_view(similarity, n, axis=0).mean(axis=-1)
        apart = np.abs(lags - true_lag) > tolerance
        use = np.isfinite(mean[:, column]) & np.isfinite(mean[:, apart]).any(axis=1)
        best = np.where(np.isfinite(mean), mean, -np.inf)[use].argmax(axis=1)
        found[k] = (int((np.abs(lags[best] - true_lag) <= tolerance).sum()), int(use.sum()))
    return found
