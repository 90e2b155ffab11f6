"""Forged stretches of time: average precision at an overlap, average recall at a number of proposals.

The protocol is that of LAV-DF and AV-Deepfake1M (Cai et al. 2022, 2024). The library published with the latter begins
the area under the precision-recall curve at the second proposal, which costs at most one over the number of truths;
``published=True`` does the same, for figures that are to be held against published ones. It refuses files without
proposals; here their truths are missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import ArrayLike

AP_OVERLAPS = (0.5, 0.75, 0.9, 0.95)
AR_OVERLAPS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
AR_PROPOSALS = (50, 30, 20, 10, 5)


@dataclass(frozen=True)
class FileMatch:
    """Proposals of one file held against its truths; files are matched once and then pooled in any combination.

    Attributes:
        scores: of the proposals, highest first.
        right: for each overlap of AP and each proposal, whether it is the one that finds a truth.
        best: for each proposal and truth, the highest overlap of this and all higher proposals with the truth.
        truths: number of truths.
    """

    scores: Float32[np.ndarray, " n"]
    right: Bool[np.ndarray, "o n"]
    best: Float32[np.ndarray, "n m"]
    truths: int


def overlaps(proposals: ArrayLike, truths: ArrayLike) -> Float32[np.ndarray, "n m"]:
    """Intersection over union of every pair of ``[start, end]``; 0 where they only touch."""
    # Single precision as in the published library: an overlap of exactly a threshold must fall on the same side.
    a = np.asarray(proposals, np.float32).reshape(-1, 1, 2)
    b = np.asarray(truths, np.float32).reshape(1, -1, 2)
    common = np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0])
    # For overlapping stretches the span is the union; for others the numerator is 0 anyway.
    span = np.maximum(a[..., 1], b[..., 1]) - np.minimum(a[..., 0], b[..., 0])
    return np.divide(np.maximum(common, 0), span, out=np.zeros_like(span), where=span > 0)


def match(
    proposals: Sequence[tuple[float, float, float]],
    truths: Sequence[tuple[float, float]],
    *,
    at: Sequence[float] = AP_OVERLAPS,
) -> FileMatch:
    """Hold the proposals of a file against its truths.

    Each truth, in its order, takes the highest proposal that overlaps it by more than the threshold and is not taken
    yet; a second proposal for the same truth is wrong.

    Args:
        proposals: start, end (seconds) and score of each, in any order.
        truths: start and end of each forged stretch.
        at: overlaps for AP.
    """
    given = np.asarray(proposals, np.float32).reshape(-1, 3)
    given = given[np.argsort(-given[:, 2], kind="stable")]
    iou = overlaps(given[:, :2], np.asarray(truths, np.float32).reshape(-1, 2))
    right = np.zeros((len(at), len(given)), bool)
    for o, threshold in enumerate(at):
        for candidates in (iou > np.float32(threshold)).T:
            free = np.flatnonzero(candidates & ~right[o])
            right[o, free[:1]] = True
    best = np.maximum.accumulate(iou, axis=0) if len(given) else iou
    return FileMatch(given[:, 2], right, best, iou.shape[1])


def segment_ap(
    files: Sequence[FileMatch], *, at: Sequence[float] = AP_OVERLAPS, published: bool = False
) -> dict[float, float]:
    """Average precision at each overlap, proposals of all files ranked together, precision interpolated from the right.

    Proposals of equal score are taken together, so that the order of the files does not matter. The published library
    takes them in order, and so does ``published``.

    Args:
        files: matched at the same overlaps.
        at: those overlaps.
        published: leave out the area up to the first proposal's recall, as the published library does.

    Returns:
        NaN where no file has a truth.
    """
    truths = sum(f.truths for f in files)
    if truths == 0:
        return {o: float("nan") for o in at}
    scores = np.concatenate([f.scores for f in files])
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], np.concatenate([f.right for f in files], axis=1)[:, order]
    precision = np.cumsum(right, axis=1) / np.arange(1, len(scores) + 1)
    if not published:
        precision = precision[:, np.searchsorted(-scores, -scores, side="right") - 1]  # that of the last of its score
    ceiling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    steps = right / truths
    first = 1 if published else 0
    return {o: float((steps[i] * ceiling[i])[first:].sum()) for i, o in enumerate(at)}


def segment_ar(
    files: Sequence[FileMatch],
    *,
    proposals: Sequence[int] = AR_PROPOSALS,
    at: Sequence[float] = AR_OVERLAPS,
) -> dict[int, float]:
    """Average recall: share of truths overlapped by one of a file's first ``n`` proposals, mean over the overlaps.

    Args:
        files: matched at any overlaps.
        proposals: values of ``n``.
        at: overlaps averaged over.

    Returns:
        NaN where no file has a truth.
    """
    thresholds = np.asarray(at, np.float32)
    truths = sum(f.truths for f in files)
    if truths == 0:
        return {n: float("nan") for n in proposals}
    out = {}
    for n in proposals:
        hits = [f.best[min(n, len(f.best)) - 1] for f in files if len(f.scores)]
        reached = np.concatenate(hits) if hits else np.zeros(0, np.float32)
        out[n] = float((reached[:, None] > thresholds).sum() / (truths * len(thresholds)))
    return out
