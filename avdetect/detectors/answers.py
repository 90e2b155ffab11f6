"""Does a detector answer as its contract says? Looked at for every clip: a wrong shape could pass for scores."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from avdetect.types import Clip, Evidence

SLACK = 5e-3
"""By how much a cosine, a probability per tick or a log-probability may leave its range by rounding."""


def why_not(answer: Any, clips: Sequence[Clip]) -> str:
    """What is wrong with the answer to a call; empty if nothing is."""
    if not isinstance(answer, list | tuple):
        found = type(answer).__name__
        return f"evidence() gave an object of type {found}; it must give a list with one Evidence for each clip"
    if len(answer) != len(clips):
        return f"evidence() gave {len(answer)} Evidence for {len(clips)} clips"
    for i, (evidence, clip) in enumerate(zip(answer, clips, strict=True)):
        if reason := wrong(evidence, clip.n_ticks):
            return f"{reason} (clip {i + 1} of {len(clips)} in the call)"
    return ""


def wrong(evidence: Any, t: int) -> str:
    """What is wrong with the evidence of a clip of ``t`` ticks; empty if nothing is."""
    if not isinstance(evidence, Evidence):
        found = type(evidence).__name__
        return f"evidence() gave an object of type {found} for a clip; it must be an avdetect.api.Evidence"
    for name in ("visual", "audio", "sync", "speech"):
        if reason := _array(name, getattr(evidence, name), (t,), np.float32):
            return reason
    if reason := _array("lags", evidence.lags, (len(np.atleast_1d(evidence.lags)),), np.int32):
        return reason
    if reason := _array("similarity", evidence.similarity, (t, len(evidence.lags)), np.float32):
        return reason
    if (np.diff(evidence.lags) != 1).any():
        return f"lags must ascend by one tick, not {evidence.lags.tolist()}"
    return (
        _range("similarity", evidence.similarity, -1, 1)
        or _range("speech", evidence.speech, 0, 1)
        or _probability(evidence.probability)
        or _classes(evidence.classes)
    )


def _array(name: str, value: Any, shape: tuple[int, ...], dtype: type[np.generic]) -> str:
    if not isinstance(value, np.ndarray):
        return f"{name} is a {type(value).__name__}; it must be a NumPy array"
    if value.ndim == len(shape) and value.shape[0] != shape[0]:
        return f"{name} has {value.shape[0]} ticks, the clip has {shape[0]}"
    if value.shape != shape:
        return f"{name} has shape {value.shape}; it must be {shape}"
    if value.dtype != dtype:
        return f"{name} is of {value.dtype}; it must be of {np.dtype(dtype)}"
    if np.issubdtype(dtype, np.floating) and np.isinf(value).any():
        return f"{name} is infinite at {int(np.isinf(value).any(axis=tuple(range(1, value.ndim))).sum())} ticks"
    return ""


def _range(name: str, values: np.ndarray, low: float, high: float) -> str:
    measured = values[np.isfinite(values)]
    if len(measured) and (measured.min() < low - SLACK or measured.max() > high + SLACK):
        worst = measured.min() if measured.min() < low - SLACK else measured.max()
        return f"{name} holds {worst:.4g}; it must lie in {low} ... {high}, or be NaN"
    return ""


def _probability(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, Real):
        return f"probability is a {type(value).__name__}; it must be a number, or None where there is nothing to say"
    if not 0 <= float(value) <= 1:  # NaN is not
        return f"probability is {float(value):.4g}; it must lie in 0 ... 1, or be None where there is nothing to say"
    return ""


def _classes(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, np.ndarray) or value.shape != (4,) or not np.issubdtype(value.dtype, np.floating):
        return "classes must be four log-probabilities (RVRA, FVRA, RVFA, FVFA) in a NumPy array, or None"
    if np.isnan(value).any() or (value > SLACK).any() or not np.isfinite(value).any():
        return f"classes are {value.tolist()}; log-probabilities are not above 0, and not NaN"
    return ""
