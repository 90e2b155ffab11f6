"""How branches become one verdict: suspicion never lowers it, innocence is no alibi, a missing branch adds nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.calibration import RULES, Calibration, Platt, VerdictRule, logit
from avdetect.verdict import judge
from avdetect.verdict.combine import combined, combined_logits, contributions, harmless
from avdetect.verdict.judge import measure
from tests.report.findings import analysis, track

LOGITS = st.one_of(st.just(float("nan")), st.floats(-8, 8))
WEIGHTS = st.floats(0, 3)
ANY_RULE = st.builds(VerdictRule, st.sampled_from(RULES), WEIGHTS, WEIGHTS, WEIGHTS, WEIGHTS, WEIGHTS)


def one(logits: list[float], rule: VerdictRule) -> float:
    return float(combined_logits(np.array([logits]), rule)[0])


@settings(max_examples=150, deadline=None)
@given(st.lists(LOGITS, min_size=4, max_size=4), st.integers(0, 3), st.floats(0, 5), ANY_RULE)
def test_more_suspicion_never_lowers_the_verdict(logits: list[float], i: int, more: float, rule: VerdictRule) -> None:
    if np.isnan(logits[i]):
        return
    raised = [*logits[:i], logits[i] + more, *logits[i + 1 :]]
    assert one(raised, rule) >= one(logits, rule) - 1e-9


@settings(max_examples=150, deadline=None)
@given(st.lists(LOGITS, min_size=4, max_size=4), st.integers(0, 3), st.floats(-8, 0), ANY_RULE)
def test_an_innocent_branch_is_no_alibi(logits: list[float], i: int, innocent: float, rule: VerdictRule) -> None:
    """Whatever the others say, a branch that finds nothing never makes the file look better than not asking it."""
    unasked = [*logits[:i], float("nan"), *logits[i + 1 :]]
    if np.isnan(unasked).all():
        assert np.isnan(one(unasked, rule))
        return
    asked = [*logits[:i], innocent, *logits[i + 1 :]]
    assert one(asked, rule) >= one(unasked, rule) - 1e-9


def test_rules_by_hand() -> None:
    logits = [1.0, 2.0, float("nan"), -3.0]
    assert one(logits, VerdictRule()) == 2.0
    guilty = 1 - (1 - 1 / (1 + np.exp(-1))) * (1 - 1 / (1 + np.exp(-2))) * (1 - 1 / (1 + np.exp(3)))
    assert one(logits, VerdictRule("noisy_or")) == pytest.approx(float(logit(guilty)))
    weighted = VerdictRule("logistic", visual=0.5, audio=2.0, sync=9.0, whole=9.0, clear=0.7)
    assert one(logits, weighted) == pytest.approx(0.5 * 1 + 2 * 2)
    assert one([-1.0, -2.0, float("nan"), float("nan")], weighted) == pytest.approx(0.7 * -1)


def test_a_fake_verdict_of_several_branches_names_the_one_that_contributes_most() -> None:
    rule = VerdictRule("logistic", visual=1.0, audio=3.0)
    calibration = Calibration(rule=rule, verdict=Platt(bias=-1.0), fake_above=0.8)
    file = analysis(track(visual=1.3, audio=0.7))
    report = judge(file, calibration)
    assert report.verdict == "fake"
    assert report.reasons[0].startswith("The voice"), "1.3 of the face weighs less than three times 0.7 of the voice"
    assert f"a fake of {report.probability_fake:.2f}; the voice contributes most" in "\n".join(report.reasons)
    parts = contributions(measure(file, calibration), calibration)
    assert parts == pytest.approx({"visual": 1.3, "audio": 2.1}, abs=0.05)
    assert "contributes" not in "\n".join(judge(file, replace(calibration, rule=VerdictRule())).reasons)


def test_what_alone_would_not_keep_a_file_from_being_called_real_is_no_accusation() -> None:
    calibration = Calibration(verdict=Platt(temperature=0.7, bias=-1.3), real_below=0.36, fake_above=0.9)
    slight, clear = (judge(analysis(track(audio=logit)), calibration) for logit in (0.3, 1.5))
    assert slight.verdict == "real" and not any("voice may be" in reason for reason in slight.reasons)
    assert clear.verdict == "inconclusive" and any("voice may be" in reason for reason in clear.reasons)
    assert [harmless("audio", p, calibration) for p in (0.1, 0.5, 0.6, 0.7, 0.99)] == [True] * 3 + [False] * 2


def test_dropping_branches_of_a_file() -> None:
    calibration = Calibration(rule=VerdictRule("logistic"), verdict=Platt(bias=-0.5))
    whole = combined(measure(analysis(track(visual=2.0, audio=1.0, sync=-4.0)), calibration), calibration)
    silent = combined(measure(analysis(track(visual=2.0, audio=np.nan, sync=np.nan)), calibration), calibration)
    nothing = measure(analysis(track(visual=np.nan, audio=np.nan, sync=np.nan)), calibration)
    assert whole is not None and silent is not None and whole > silent > 0.5
    assert combined(nothing, calibration) is None


def test_length_shortens_the_logit_and_segments_too() -> None:
    calibration = Calibration(visual=Platt(half_ticks=50.0))
    short, long = (measure(analysis(track(n, visual=3.0)), calibration)[0].visual or 0.0 for n in (50, 500))
    assert 0.5 < short < long < float(Platt().probability(3.0))
    logits = np.full(250, -3.0)
    logits[80:190] = 4.0
    (segment,) = (s for s in measure(analysis(track(visual=logits)), calibration)[0].segments if s.kind == "visual")
    (before,) = (s for s in measure(analysis(track(visual=logits)), Calibration())[0].segments if s.kind == "visual")
    assert (segment.start_s, segment.end_s) == (before.start_s, before.end_s)
    assert 0.5 < segment.probability < before.probability


def test_speaking_does_not_follow_the_gate_of_the_offset() -> None:
    strict = Calibration(offset_stability=1.01)
    found = measure(analysis(track()), strict)[0]
    assert found.speaking is True
    assert found.estimate is not None and found.estimate.offset_ms is None
    assert measure(analysis(track()), Calibration(speaking_sharpness=1e6))[0].speaking is not True
