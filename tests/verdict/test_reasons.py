"""Every branch that counts is in the reasons, and no sentence says what is not so."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from avdetect.calibration import Calibration, Platt
from avdetect.report.schema import Report
from avdetect.sync.offset import estimate_offset
from avdetect.verdict import Analysis, audit_sync, judge
from avdetect.verdict.timing import offset_sentence
from tests.report.findings import analysis, sound_alone, track
from tests.sync.made_up import LAGS, similarity

SHIPPED = Calibration(verdict=Platt(temperature=0.77, bias=-0.98), real_below=0.36, fake_above=0.92)


def reasons(of: Report | Analysis, calibration: Calibration | None = None) -> str:
    report = judge(of, calibration or Calibration()) if isinstance(of, Analysis) else of
    return "\n".join(report.reasons)


def with_length(found: Analysis, *, read_s: float, duration_s: float) -> Analysis:
    info = dataclasses.replace(found.info, container="mov,mp4", duration_s=duration_s)
    return dataclasses.replace(found, info=info, read_s=read_s)


def test_what_could_not_be_told_either_way_is_said() -> None:
    report = judge(analysis(track(visual=-0.12, audio=0.0, sync=-0.12)), SHIPPED)
    assert report.verdict == "real" and report.probability_fake is not None and report.probability_fake < 0.47
    assert report.reasons[:3] == (
        "The face could not be told either way (p 0.47).",
        "The voice could not be told either way (p 0.50).",
        "Whether lips and sound belong together could not be told (p 0.47).",
    )
    assert f"All in all the probability of a fake is {report.probability_fake:.2f}, not above the 0.36" in reasons(
        report
    )


@pytest.mark.parametrize("p", np.linspace(0.02, 0.98, 13))
def test_no_branch_is_passed_over(p: float) -> None:
    said = reasons(analysis(track(visual=float(np.log(p / (1 - p))))), SHIPPED)
    assert any(line.startswith("The face") and f"(p {p:.2f})" in line for line in said.split("\n"))


def test_a_file_that_is_too_short_is_not_called_real() -> None:
    report = judge(analysis(track(22)), Calibration())
    assert report.probability_fake is not None and report.probability_fake < 0.3
    assert report.verdict == "inconclusive" and report.abstained == ("too_short",)
    assert "too little to see or hear, so the file is not called real" in reasons(report)
    assert "A face was seen for only 0.9 s, too little to call a file real." in report.reasons
    assert judge(analysis(track(22, visual=5.0)), Calibration()).verdict == "fake"


def test_a_file_of_which_part_could_not_be_read_is_not_called_real() -> None:
    part = with_length(analysis(track(100)), read_s=4.0, duration_s=9.0)
    assert judge(part, Calibration()).verdict == "inconclusive"
    assert "Only 4.0 of 9.0 s could be read; the rest was not judged." in reasons(part)
    assert "Only 4.0 of 9.0 s could be read; the rest was not judged." in audit_sync(part, Calibration()).summary
    assert judge(with_length(part, read_s=4.0, duration_s=4.3), Calibration()).verdict == "real"


def test_a_face_too_short_to_be_judged_is_said_once() -> None:
    said = judge(analysis(track(12)), Calibration()).reasons
    assert "A face was seen for only 0.5 s, too little to judge." in said
    assert not any("could not be judged" in line for line in said)


def test_notes_on_damage_are_sentences() -> None:
    found = dataclasses.replace(analysis(track()), warnings=["a picture frame is damaged (50 times)"])
    assert reasons(found).endswith("\nA picture frame is damaged (50 times).")
    assert audit_sync(found, Calibration()).summary[-1] == "A picture frame is damaged (50 times)."


def test_a_moving_picture_without_a_face_is_not_called_real_on_its_voice() -> None:
    film = judge(analysis(sound_alone()), Calibration())
    assert (film.verdict, film.abstained) == ("inconclusive", ("no_face",))
    assert "only the voice was judged" in reasons(film)
    assert judge(analysis(sound_alone(audio=4.0)), Calibration()).verdict == "fake"
    heard = judge(analysis(sound_alone(), video=False), Calibration())
    assert heard.verdict == "real" and heard.reasons[-1] == "There is no picture."
    assert judge(analysis(sound_alone(), still=True), Calibration()).verdict == "real"


def test_a_face_that_was_seen_too_briefly() -> None:
    found = dataclasses.replace(analysis(audio=False), glimpses=1)
    assert judge(found, Calibration()).abstained == ("no_audio", "too_short")
    assert "A face was seen, but too briefly to be judged." in reasons(found) and "No face" not in reasons(found)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (analysis(track(12)), "Less than 0.6 s of speech was heard while a face was in view, so neither"),
        (analysis(track(speech=0.02)), "No speech was heard while a face was in view, so neither the voice nor"),
        (analysis(sound_alone(speech=0.1), video=False), "No speech was heard, so the voice was not judged."),
        (analysis(track(speech=np.nan)), "No sound was heard while a face was in view, so neither the voice nor"),
        (analysis(track(speech=np.nan), audio=False), "There is no sound, so neither the voice nor"),
        (analysis(sound_alone(10), video=False), "Sound was heard for only 0.4 s, too little to judge."),
    ],
)
def test_what_was_not_judged_is_said_as_it_is(found: Analysis, sentence: str) -> None:
    assert sentence in reasons(found)


def test_speech_that_no_face_covers_is_named_and_if_no_other_was_judged_bars() -> None:
    speech = np.where(np.arange(500) < 400, 0.9, np.nan).astype(np.float32)
    for silent, verdict in ((False, "real"), (True, "inconclusive")):
        seen = track(speech=0.02, audio=np.nan, sync=np.nan) if silent else track()
        report = judge(dataclasses.replace(analysis(seen), speech=speech), Calibration())
        assert report.verdict == verdict
        assert "Speech of 6.0 s, heard while no face was in view, was not judged." in report.reasons
    quiet = dataclasses.replace(analysis(track()), speech=np.full(300, 0.1, np.float32))
    assert "was not judged" not in reasons(quiet)


def test_speech_that_is_spread_over_many_short_shots_is_named_and_bars() -> None:
    seen = track(400, speech=0.02, audio=np.nan, sync=np.nan, height=0.0)
    shots = [track(14, number=i + 1, start=400 + 20 * i, audio=6.0, sync=np.nan, visual=np.nan) for i in range(20)]
    report = judge(analysis(seen, *shots), Calibration())
    assert report.verdict == "inconclusive" and "no_speech" not in report.abstained
    said = "Speech of 11.2 s, heard with faces in view for less than 0.6 s of it each, was not judged."
    assert said in report.reasons
    assert "Less than 0.6 s of speech" not in reasons(report) and "the voice could not be judged" in reasons(report)
    judged = judge(analysis(track(number=30, start=800), *shots), Calibration())
    assert judged.verdict == "real" and said in judged.reasons


def test_speech_counts_once_however_many_faces_are_in_view() -> None:
    shots = [track(12, number=i, visual=np.nan) for i in range(5)]
    report = judge(analysis(track(400, number=9, start=12, speech=0.02), *shots), Calibration())
    assert report.verdict == "real" and "no_speech" in report.abstained
    assert "Less than 0.6 s of speech was heard while a face was in view" in reasons(report)


def test_speech_with_and_without_a_face_adds_up() -> None:
    said = np.where(np.arange(250) < 10, 0.9, 0.02)
    seen = track(speech=said, audio=np.nan, sync=np.nan)
    speech = np.concatenate([said, np.full(6, 0.9)]).astype(np.float32)
    for whole, verdict in ((speech, "inconclusive"), (speech[:254], "real")):
        report = judge(dataclasses.replace(analysis(seen), speech=whole), Calibration())
        assert report.verdict == verdict
        assert ("Speech of 0.2 s, heard while no face was in view, was not judged." in reasons(report)) is (
            verdict == "inconclusive"
        )
        assert ("Speech of 0.4 s, heard with faces in view for less" in reasons(report)) is (verdict == "inconclusive")


def test_sound_that_nobody_listened_to_is_named_and_if_no_other_was_judged_bars() -> None:
    for silent, verdict in ((False, "real"), (True, "inconclusive")):
        seen = track(speech=0.02, audio=np.nan, sync=np.nan) if silent else track()
        report = judge(dataclasses.replace(analysis(seen), unheard_s=5.0), Calibration())
        assert report.verdict == verdict
        assert "Sound of 5.0 s, heard while no face was in view, was not judged." in report.reasons


def test_no_offset_is_told_where_none_fits() -> None:
    foreign = analysis(track(100, sync=5.0, height=0.0, lip_motion=0.3, seed=3))
    report = judge(foreign, Calibration(offset_confidence=0.0, offset_stability=0.0))
    said = reasons(report)
    assert report.reasons[0].startswith("Lips and sound disagree, or are more than 600 ms apart, from 0.0 to 4.0 s (p")
    assert "No offset of up to 600 ms makes lips and sound fit." in said
    assert "ms late" not in said and "ms early" not in said


def test_an_offset_that_is_hardly_known_is_not_told_as_known() -> None:
    found = analysis(track(100, height=0.0, lip_motion=0.3, seed=3))
    loose = Calibration(offset_confidence=0.0, offset_stability=0.0)
    report = judge(found, loose)
    sync = report.tracks[0].sync
    assert sync.offset_ci_ms is not None and sync.offset_ci_ms[1] - sync.offset_ci_ms[0] > 400
    assert sync.offset_ms is None and sync.offset_text == "offset could not be measured"
    assert "The sound may be anywhere from" in reasons(report)
    assert audit_sync(found, loose).offset_ms is not None


def test_an_offset_that_is_known_beside_a_mismatch() -> None:
    part = np.where(np.arange(250) < 60, 5.0, -3.0)
    said = reasons(analysis(track(sync=part)))
    assert "Where lips and sound fit best, the sound is 8" in said


@pytest.mark.parametrize("seed", range(6))
def test_a_sentence_gives_the_offset_as_the_report_does(seed: int) -> None:
    estimate = estimate_offset(similarity(2.4125, 200, seed=seed), LAGS)
    assert estimate.offset_ms is not None
    for offset in (96.5 + 0.04, 97.46, estimate.offset_ms):
        shown: Any = dataclasses.replace(estimate, offset_ms=offset)
        assert f"is {round(round(offset, 1))} ms late" in offset_sentence(shown)


@pytest.mark.parametrize("t", [36, 51, 60])
def test_the_timeline_ends_within_the_track(t: int) -> None:
    found = analysis(track(t))
    (shown,) = judge(found, Calibration()).tracks
    assert shown.timeline[0].t_s == 0.2 and shown.timeline[-1].t_s < shown.end_s
    audited = audit_sync(found, Calibration())
    assert [p.t_s for track_ in audited.tracks for p in track_.timeline] == [p.t_s for p in shown.timeline]
