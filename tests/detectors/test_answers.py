"""Every way to answer wrongly is noticed, and said so that its author can mend it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from avdetect.detectors.answers import why_not, wrong
from avdetect.testing import synthetic_clip
from avdetect.types import LAGS, Evidence

T = 12


def filled(**changes: Any) -> Evidence:
    ticks = np.linspace(-2, 2, T).astype(np.float32)
    ticks[3] = np.nan
    good = Evidence(
        ticks,
        ticks,
        ticks,
        np.clip(np.full((T, 31), 0.2, np.float32), -1, 1),
        LAGS,
        np.full(T, 0.9, np.float32),
        np.log(np.array([0.7, 0.1, 0.1, 0.1], np.float32)),
        0.25,
    )
    return dataclasses.replace(good, **changes)


def changed(value: float, name: str = "visual") -> dict[str, np.ndarray]:
    array = getattr(filled(), name).copy()
    array.flat[0] = value
    return {name: array}


@pytest.mark.parametrize("evidence", [filled(), Evidence.only(T), Evidence.only(T, probability=1)])
def test_good_answers_pass(evidence: Evidence) -> None:
    assert wrong(evidence, T) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"visual": np.zeros(T + 1, np.float32)}, "visual has 13 ticks, the clip has 12"),
        ({"audio": np.zeros((T, 1), np.float32)}, "audio has shape (12, 1); it must be (12,)"),
        ({"sync": np.zeros(T)}, "sync is of float64; it must be of float32"),
        ({"speech": np.zeros(T, np.int32)}, "speech is of int32"),
        ({"visual": [0.0] * T}, "visual is a list; it must be a NumPy array"),
        (changed(np.inf), "visual is infinite at 1 ticks"),
        (changed(1.5, "speech"), "speech holds 1.5; it must lie in 0 ... 1"),
        (changed(-2.0, "similarity"), "similarity holds -2; it must lie in -1 ... 1"),
        (changed(np.inf, "similarity"), "similarity is infinite at 1 ticks"),
        ({"similarity": np.zeros((T, 5), np.float32)}, "similarity has shape (12, 5)"),
        ({"similarity": np.zeros((T - 1, 31), np.float32)}, "similarity has 11 ticks"),
        ({"lags": LAGS[::-1].copy()}, "lags must ascend"),
        ({"lags": LAGS.astype(np.float32)}, "lags is of float32"),
        ({"probability": float("nan")}, "probability is nan; it must lie in 0 ... 1, or be None"),
        ({"probability": 1.2}, "probability is 1.2"),
        ({"probability": -float("inf")}, "probability is -inf"),
        ({"probability": "high"}, "probability is a str"),
        ({"probability": True}, "probability is a bool"),
        ({"probability": np.array([0.5, 0.5])}, "probability is a ndarray"),
        ({"classes": np.full(4, 0.25, np.float32)}, "log-probabilities are not above 0"),
        ({"classes": np.full(4, np.nan, np.float32)}, "log-probabilities"),
        ({"classes": np.zeros(3, np.float32)}, "four log-probabilities"),
    ],
    ids=lambda x: "" if isinstance(x, str) else next(iter(x)),
)
def test_wrong_answers_are_named(changes: dict[str, Any], said: str) -> None:
    assert said in wrong(filled(**changes), T)


def test_the_answer_to_a_call_is_a_list_of_evidence() -> None:
    clips = [synthetic_clip(0, T, sound=False)] * 2
    good = Evidence.only(T)
    assert why_not([good, good], clips) == "" and why_not((good, good), clips) == ""
    assert "1 Evidence for 2 clips" in why_not([good], clips)
    assert "type generator" in why_not((e for e in [good, good]), clips)
    assert "type NoneType" in why_not(None, clips)
    assert "type float for a clip" in why_not([good, 0.5], clips)
    assert "(clip 2 of 2 in the call)" in why_not([good, Evidence.only(T - 1)], clips)
