"""Faces that do not speak: their pictures count, their lips and voices do not, and the unjudged ones are named."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from avdetect.calibration import Calibration
from avdetect.report.schema import Report
from avdetect.verdict import TrackEvidence, judge
from avdetect.verdict.combine import branch_logits, combined
from avdetect.verdict.judge import measure
from tests.report.findings import analysis, track

SILENT: dict[str, Any] = {"speech": 0.02, "audio": np.nan, "sync": np.nan, "height": 0.0}
CALIBRATION = Calibration(fake_above=0.95)


def judged(*tracks: TrackEvidence, **options: Any) -> Report:
    return judge(analysis(*tracks, **options), CALIBRATION)


def listener(**changes: Any) -> TrackEvidence:
    return track(**{"number": 1, "height": 0.0, "sync": 5.0, "lip_motion": 0.3, **changes})


def test_a_forged_face_that_does_not_speak_counts_and_is_named() -> None:
    report = judged(track(), track(number=1, start=250, visual=1.5, **SILENT))
    assert [t.speaking for t in report.tracks] == [True, None]
    assert report.verdict == "inconclusive" and report.probability_fake == pytest.approx(0.818, abs=0.01)
    assert report.reasons[0] == "Face 1 may be generated or edited from 10.0 to 20.0 s (p 0.82); it does not speak."
    assert "Face 0 shows no sign of being generated or edited (p 0.05)." in report.reasons
    assert [(s.kind, s.start_s) for s in report.segments] == [("visual", 10.0)]
    beside = judged(track(), listener(visual=4.0))
    assert beside.verdict == "fake" and beside.reasons[0].startswith("Face 1 looks generated")


def test_the_lips_and_the_voice_of_a_face_that_does_not_speak_do_not_count() -> None:
    report = judged(track(), listener(audio=-3.0))
    assert report.verdict == "real" and report.segments == ()
    assert "Faces 0, 1 show no sign of being generated or edited (p 0.05 at the most)." in report.reasons


def test_a_forged_voice_that_nobody_in_view_speaks_keeps_a_file_from_being_called_real() -> None:
    report = judged(track(), listener(audio=2.0, start=250, lip_motion=0.005))
    assert report.probability_fake == pytest.approx(0.05, abs=0.01), "the voice itself is not counted"
    assert report.verdict == "inconclusive"
    assert any("The voice heard while face 1 is in view may be generated (p 0.88)" in r for r in report.reasons)
    assert any("because of that voice the file is not called real" in r for r in report.reasons)


@pytest.mark.parametrize("lips", [0.3, None])
def test_a_dubbed_guest_is_not_hidden_by_a_genuine_host_before(lips: float | None) -> None:
    report = judged(track(), listener(start=250, lip_motion=lips))
    assert [t.speaking for t in report.tracks] == [True, None if lips is None else True]
    assert report.verdict == "fake"
    assert report.reasons[0].startswith("Lips and sound disagree, or are more than 600 ms apart, from 10.0 to 20.0 s")
    assert judged(track(), listener(start=250, sync=-3.0, lip_motion=lips)).verdict == "real"


def test_a_face_that_only_listens_beside_those_who_fit_does_not_speak() -> None:
    for lips in (0.3, None):
        host, guest = track(), track(number=2, start=250, seed=2)
        report = judged(host, guest, listener(t=500, lip_motion=lips))
        assert [t.speaking for t in report.tracks] == [True, True, False] and report.verdict == "real"


@pytest.mark.parametrize(("alone", "speaking"), [(0, False), (14, False), (15, True), (100, True)])
def test_beside_one_who_fits_only_the_rest_of_the_speech_is_a_face_s_own(alone: int, speaking: bool) -> None:
    beside = np.arange(200) < 200 - alone
    for misfit, verdict in ((beside, "real"), (~beside, "fake" if speaking else "real")):
        guest = listener(t=200, start=50 + alone, sync=np.where(misfit, 5.0, -3.0))
        report = judged(track(), guest)
        assert report.tracks[1].speaking is speaking and report.verdict == verdict


def test_lips_that_are_still_while_nobody_else_speaks_are_those_of_a_listener() -> None:
    lips = np.where(np.arange(250) < 150, 0.3, 0.005).astype(np.float32)
    still = dataclasses.replace(listener(start=100), lip_motion=lips)
    assert judged(track(), still).tracks[1].speaking is False


def test_one_face_counts_as_before_whether_it_speaks_or_not() -> None:
    for lips in (0.01, 0.3, None):
        (alone,) = findings = measure(analysis(track(visual=0.3, height=0.0, lip_motion=lips)), CALIBRATION)
        logits = branch_logits(findings)
        assert np.isnan(logits[2]) == (alone.speaking is False) and np.isfinite(logits[:2]).all()


def test_the_speaker_must_be_judged_whoever_else_is() -> None:
    report = judged(track(size_px=36.0), listener())
    assert report.verdict == "inconclusive"
    assert "Face 0 (0.0 to 10.0 s) could not be judged: it is too small to tell whether it is" in "\n".join(
        report.reasons
    )


def test_a_small_face_in_the_background_is_named_and_bars_nothing() -> None:
    report = judged(track(), listener(visual=5.0, size_px=30.0))
    assert report.verdict == "real"
    assert any(r.startswith("Face 1 (0.0 to 10.0 s) could not be judged: it is too small") for r in report.reasons)


def test_of_many_faces_a_few_are_named() -> None:
    others = [track(50, number=i, start=50 * i, visual=2.0, **SILENT) for i in range(1, 9)]
    report = judged(track(50), *others)
    assert sum(r.startswith("Face ") and "generated or edited" in r for r in report.reasons) == 6
    assert "3 more faces may be generated or edited." in report.reasons


def test_a_probability_of_the_picture_alone_counts_of_every_face() -> None:
    tracks = [track(visual=np.nan), listener(visual=np.nan)]
    said = [
        dataclasses.replace(t, evidence=dataclasses.replace(t.evidence, probability=p))
        for t, p in zip(tracks, (0.1, 0.9), strict=True)
    ]
    for needs, probability in ((("picture",), 0.9), (("picture", "sound"), 0.1)):
        found = dataclasses.replace(analysis(*said), needs=frozenset(needs))
        assert combined(measure(found, CALIBRATION), CALIBRATION) == pytest.approx(probability, abs=1e-6)
