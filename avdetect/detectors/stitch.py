"""The evidence of a track out of that of its stretches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.detectors.windows import Window
from avdetect.types import Evidence

_PER_TICK = ("visual", "audio", "sync", "speech", "similarity")


def stitch(parts: Sequence[tuple[Window, Evidence]], n_ticks: int) -> Evidence:
    """Along the track, what was said first of a tick counts; what no stretch covers is NaN.

    Of the probabilities of whole stretches the highest is kept: a track is as suspicious as its most suspicious part.
    Class probabilities are means over the stretches, each by the ticks that it adds.

    Args:
        parts: stretches and their evidence, in any order.
        n_ticks: of the track.

    Raises:
        ValueError: the stretches have different lags.
    """
    parts = sorted(parts, key=lambda part: part[0])
    if not parts:
        return Evidence.only(n_ticks)
    lags = parts[0][1].lags
    out = {name: np.full((n_ticks, *getattr(parts[0][1], name).shape[1:]), np.nan, np.float32) for name in _PER_TICK}
    covered = np.zeros(n_ticks, bool)
    classes, weights, probabilities = [], [], []
    for (start, stop), evidence in parts:
        if not np.array_equal(evidence.lags, lags):
            raise ValueError(f"the lags change from {lags.tolist()} to {evidence.lags.tolist()} within a track")
        fresh = ~covered[start:stop]
        for name, array in out.items():
            array[start:stop][fresh] = getattr(evidence, name)[fresh]
        covered[start:stop] = True
        if evidence.classes is not None:
            classes.append(np.exp(evidence.classes.astype(np.float64)))
            weights.append(max(1, int(fresh.sum())))
        if evidence.probability is not None:
            probabilities.append(float(evidence.probability))
    mean = None
    if classes:
        total = np.average(classes, axis=0, weights=weights)
        with np.errstate(divide="ignore"):
            mean = np.log(total / total.sum()).astype(np.float32)
    return Evidence(**out, lags=lags, classes=mean, probability=max(probabilities, default=None))
