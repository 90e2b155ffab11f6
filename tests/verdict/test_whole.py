"""Probabilities of whole clips in the verdict's rule: one branch more, that judges what the detector needs."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from avdetect.calibration import Calibration, Platt
from avdetect.verdict import Analysis, judge
from avdetect.verdict.abstaining import unjudged
from avdetect.verdict.judge import measure
from tests.report.findings import analysis, sound_alone, track

SILENT: dict[str, Any] = {"visual": np.nan, "audio": np.nan, "sync": np.nan, "height": 0.0}


def whole(probability: float | None, *needs: str, **options: Any) -> Analysis:
    seen = track(**{**SILENT, **options})
    seen = dataclasses.replace(seen, evidence=dataclasses.replace(seen.evidence, probability=probability))
    return dataclasses.replace(analysis(seen), needs=frozenset(needs))


@pytest.mark.parametrize(
    ("probability", "needs", "verdict"),
    [
        (0.9, ["picture"], "fake"),
        (0.5, ["picture", "sound"], "inconclusive"),
        (0.1, ["picture", "sound"], "real"),
        (0.1, [], "real"),
        (0.1, ["picture"], "inconclusive"),
        (0.1, ["sound"], "inconclusive"),
        (None, ["picture", "sound"], "inconclusive"),
    ],
)
def test_it_accuses_alone_but_clears_only_what_it_judges(
    probability: float | None, needs: list[str], verdict: str
) -> None:
    report = judge(whole(probability, *needs), Calibration())
    assert report.probability_fake == (None if probability is None else pytest.approx(probability))
    assert report.verdict == verdict


def test_what_is_not_judged_is_named() -> None:
    for needs, missing in (((), ()), (("picture",), ("voice",)), (("sound",), ("face",))):
        found = whole(0.1, *needs)
        assert unjudged(found, measure(found, Calibration()), Calibration()) == missing


def test_the_most_suspicious_branch_counts_and_the_verdict_is_scaled() -> None:
    calibration = Calibration(verdict=Platt(2.0, 0.0))
    high = judge(whole(0.9, visual=-3.0), calibration).probability_fake
    assert high == pytest.approx(float(calibration.verdict.probability(np.log(9.0))), abs=1e-4)
    low = judge(whole(0.2, visual=2.0), Calibration()).probability_fake
    assert low is not None and low > 0.85


def test_a_bad_picture_is_not_judged_but_its_sound_is() -> None:
    for needs, probability in ((("picture",), None), (("picture", "sound"), None), (("sound",), 0.9)):
        report = judge(whole(0.9, *needs, size_px=3.0), Calibration())
        assert report.probability_fake == probability and "low_quality" in report.abstained


def test_it_is_said_in_words() -> None:
    assert "It looks forged, taken as a whole (p 0.90)." in judge(whole(0.9), Calibration()).reasons
    assert "It may be forged, taken as a whole (p 0.60)." in judge(whole(0.6), Calibration()).reasons
    assert any("no sign of forgery" in line for line in judge(whole(0.1), Calibration()).reasons)


def test_sound_without_a_face() -> None:
    voice = sound_alone(audio=np.nan)
    voice = dataclasses.replace(voice, evidence=dataclasses.replace(voice.evidence, probability=0.1))
    found = dataclasses.replace(analysis(voice, video=False), needs=frozenset({"sound"}))
    assert judge(found, Calibration()).verdict == "real"
