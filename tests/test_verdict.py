from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from avdetect.calibration import Calibration, Platt
from avdetect.report.schema import Report
from avdetect.types import Segment
from avdetect.verdict import TrackEvidence, audit_sync, judge
from avdetect.verdict.audit import why_not_to_move
from avdetect.verdict.segments import find_segments, merge_segments
from tests.report.findings import analysis, audit, sound_alone, track


def judged(*tracks: TrackEvidence, calibration: Calibration | None = None, **options) -> Report:
    return judge(analysis(*tracks, **options), calibration or Calibration())


def reasons(report: Report) -> str:
    return "\n".join(report.reasons)


def test_a_clean_clip_is_real_and_says_why() -> None:
    report = judged(track())
    assert (report.verdict, report.abstained, report.segments) == ("real", (), ())
    assert report.tracks[0].speaking is True
    assert "no sign of being generated or edited (p 0.05)" in reasons(report)
    assert "by itself does not make a video genuine" in reasons(report)
    assert "The sound is 8" in reasons(report) and "ms late" in report.tracks[0].sync.offset_text


@pytest.mark.parametrize(("branch", "words"), [("visual", "face"), ("audio", "voice"), ("sync", "Lips and sound")])
def test_any_branch_alone_can_accuse(branch: str, words: str) -> None:
    logits = np.full(250, -3.0)
    logits[80:190] = 4.0
    logit_of: dict[str, Any] = {branch: logits}
    report = judged(track(**logit_of))
    assert report.verdict == "fake"
    assert [s.kind for s in report.segments] == [branch]
    assert report.segments[0].start_s == pytest.approx(3.2, abs=0.25)
    assert report.segments[0].end_s == pytest.approx(7.6, abs=0.25)
    assert words in report.reasons[0] and " s (p 0.9" in report.reasons[0]


def test_sync_alone_never_makes_a_file_real() -> None:
    report = judged(track(visual=np.nan, audio=np.nan, sync=-8.0))
    assert report.verdict == "inconclusive"
    assert report.probability_fake is not None and report.probability_fake < 0.3
    assert "neither face nor voice could be judged, so the file is not called real" in reasons(report)


@pytest.mark.parametrize("unjudged", ["visual", "audio"])
def test_what_is_shown_must_be_judged_before_a_file_is_real(unjudged: str) -> None:
    nothing: dict[str, Any] = {unjudged: np.nan}
    assert judged(track(**nothing)).verdict == "inconclusive"
    assert judged(track(**nothing, sync=5.0)).verdict == "fake"


@pytest.mark.parametrize("offset", [-7.0, 8.0])
def test_late_or_early_sound_is_reported_not_accused(offset: float) -> None:
    report = judged(track(offset=offset))
    assert report.verdict == "real"
    assert report.tracks[0].sync.offset_ms == pytest.approx(40 * offset, abs=15)
    assert "outside the -45 to +125 ms" in reasons(report)


def test_between_the_thresholds_is_inconclusive() -> None:
    report = judged(track(visual=0.0))
    assert report.verdict == "inconclusive" and report.probability_fake == pytest.approx(0.5)
    assert "between the 0.30" in reasons(report)
    assert judged(track(visual=0.0), calibration=Calibration(fake_above=0.45)).verdict == "fake"


def test_branches_that_know_nothing_do_not_add_up_to_a_fake() -> None:
    report = judged(track(visual=0.0, audio=0.0, sync=0.0))
    assert report.probability_fake == pytest.approx(0.5)


def test_scaling_is_used() -> None:
    calibration = Calibration(visual=Platt(2.0, 1.0), verdict=Platt(1.0, -4.0))
    report = judged(track(visual=2.0), calibration=calibration)
    assert report.tracks[0].visual.probability_fake == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3)
    assert report.probability_fake == pytest.approx(1 / (1 + np.exp(2)), abs=1e-3)


def test_no_face() -> None:
    report = judged(sound_alone())
    assert report.abstained == ("no_face",)
    assert report.tracks[0].speaking is None and report.tracks[0].visual.probability_fake is None
    assert report.tracks[0].sync.offset_text == "offset could not be measured"
    assert judged(sound_alone(audio=4.0), video=False).verdict == "fake"
    assert judged(audio=False).abstained == ("no_face", "no_audio")
    assert judged(audio=False).probability_fake is None


def test_no_audio() -> None:
    report = judged(track(speech=np.nan, audio=np.nan, sync=np.nan), audio=False)
    assert (report.verdict, report.abstained) == ("real", ("no_audio",))
    assert report.tracks[0].speaking is None
    assert report.tracks[0].sync.offset_ms is None and report.tracks[0].audio.probability_fake is None


def test_no_speech() -> None:
    report = judged(track(speech=0.05))
    assert report.abstained == ("no_speech",)
    assert report.tracks[0].audio.probability_fake is None, "music is not a voice"
    assert report.tracks[0].sync.probability_mismatch is None


def test_not_speaking_is_no_mismatch() -> None:
    report = judged(track(sync=5.0, height=0.0, lip_motion=0.01))
    assert report.abstained == ("not_speaking",)
    assert report.tracks[0].speaking is False
    assert report.verdict == "real" and report.segments == ()


def test_moving_lips_that_do_not_fit_are_a_dub() -> None:
    report = judged(track(sync=5.0, height=0.0, lip_motion=0.2))
    assert report.tracks[0].speaking is True
    assert report.verdict == "fake"
    unknown = judged(track(sync=5.0, height=0.0))
    assert unknown.tracks[0].speaking is None and unknown.verdict == "fake"


def test_of_several_faces_the_one_that_fits_speaks() -> None:
    listener = track(number=1, height=0.0, sync=5.0, lip_motion=0.3)
    report = judged(track(), listener)
    assert [t.speaking for t in report.tracks] == [True, False]
    assert report.verdict == "real", "a listener whose lips do not fit accuses nobody"
    assert "Face 0: The sound is" in reasons(report)


def test_faces_that_take_turns_both_speak() -> None:
    report = judged(track(seed=1), track(seed=2, number=1, start=250))
    assert [t.speaking for t in report.tracks] == [True, True]


def test_too_short() -> None:
    report = judged(track(12, speech=0.9))
    assert "too_short" in report.abstained
    assert report.verdict == "inconclusive" and report.probability_fake is None


def test_a_still_is_judged_by_its_one_tick() -> None:
    still = track(1, visual=4.0, audio=np.nan, sync=np.nan, speech=np.nan)
    report = judged(still, audio=False, still=True)
    assert report.verdict == "fake" and report.abstained == ("no_audio",)


@pytest.mark.parametrize(
    "fault", [{"size_px": 8.0}, {"light": 0.01}, {"light": 0.99}, {"sharpness": 0.01}, {"yaw_deg": -80.0}]
)
def test_low_quality(fault: dict[str, Any]) -> None:
    report = judged(track(visual=5.0, **fault))
    assert report.abstained == ("low_quality",)
    assert report.tracks[0].visual.probability_fake is None
    assert report.verdict == "inconclusive"


def test_of_a_small_face_only_the_lips_are_judged() -> None:
    report = judged(track(visual=5.0, size_px=36.0))
    found = report.tracks[0]
    assert found.visual.probability_fake is None and found.sync is not None and found.sync.offset_ms is not None
    assert report.verdict == "inconclusive" and report.abstained == (), "nothing suspicious, yet not called real"
    assert any("too small to tell" in reason for reason in report.reasons)
    assert not any("too small" in reason for reason in judged(track(size_px=46.0)).reasons)


def test_bad_ticks_do_not_count_among_good_ones() -> None:
    logits = np.full(250, -3.0)
    logits[:80] = 6.0
    mixed = track(visual=logits)
    assert mixed.quality is not None
    small = np.where(np.arange(250) < 80, 5.0, 80.0).astype(np.float32)
    report = judged(replace(mixed, quality=replace(mixed.quality, size_px=small)))
    assert report.verdict == "real" and report.tracks[0].timeline[0].visual is None


def test_warnings_are_among_the_reasons() -> None:
    found = replace(analysis(track()), warnings=["The file is damaged from 3.0 s."])
    assert judge(found, Calibration()).reasons[-1] == "The file is damaged from 3.0 s."


def test_a_report_is_the_same_to_the_last_bit() -> None:
    assert judged(track(visual=1.0)).to_json() == judged(track(visual=1.0)).to_json()


def test_times_are_on_the_files_clock() -> None:
    report = judged(track(start=100, visual=4.0))
    assert (report.tracks[0].start_s, report.tracks[0].end_s) == (4.0, 14.0)
    assert report.tracks[0].timeline[0].t_s == 4.2
    assert report.segments[0] == Segment(4.0, 14.0, "visual", report.segments[0].probability)
    assert report.segments[0].probability == pytest.approx(0.982, abs=1e-3)


def test_segments_bridge_dips_and_drop_crumbs() -> None:
    logits = np.full(500, -4.0)
    logits[100:150] = logits[155:200] = 4.0
    logits[300:305] = 9.0
    logits[400:425] = np.nan
    found = find_segments(logits, Platt(), "audio", start_tick=50)
    assert len(found) == 1
    assert found[0].start_s == pytest.approx(6.0, abs=0.2) and found[0].end_s == pytest.approx(10.0, abs=0.2)
    assert find_segments(np.full(40, np.nan), Platt(), "audio") == ()
    assert find_segments(np.full(0, np.nan), Platt(), "audio") == ()


def test_overlapping_segments_of_one_kind_are_joined() -> None:
    a, b = Segment(0, 2, "audio", 0.8), Segment(1, 3, "audio", 0.9)
    c = Segment(1, 3, "sync", 0.7)
    assert merge_segments([b, c, a]) == (Segment(0, 3, "audio", 0.9), c)


def test_audit_and_whether_the_sound_may_be_moved() -> None:
    late = audit(offset=8.0)
    assert late.band == "sound late" and late.offset_ms == pytest.approx(320, abs=20)
    assert why_not_to_move(late) == ""
    assert "could not be measured" in why_not_to_move(audit(height=0.0))
    assert "cannot be told from none" in why_not_to_move(audit(offset=0.0))
    jumps = audit(t=1000, offset=np.where(np.arange(1000) < 500, 0.0, 8.0))
    assert len(jumps.tracks[0].segments) == 2 and "jumps (2 stretches)" in why_not_to_move(jumps)
    drifts = audit(t=2000, offset=2 + np.arange(2000) * 2e-3, height=0.5)
    assert drifts.drift_ppm == pytest.approx(2000, abs=300) and "drifts by" in why_not_to_move(drifts)
    two = audit_sync(analysis(track(offset=8.0), track(offset=-5.0, number=1, seed=1)), Calibration())
    assert "faces 1 speak with another offset" in why_not_to_move(two) or "faces 0" in why_not_to_move(two)


def test_audit_without_a_face() -> None:
    found = audit_sync(analysis(sound_alone()), Calibration())
    assert found.track is None and found.band == "cannot tell" and found.tracks == ()
    assert any("No face" in line for line in found.summary)
