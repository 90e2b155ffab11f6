from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avdetect.calibration import Calibration
from avdetect.report.schema import (
    AudioSummary,
    BranchReport,
    DetectorReport,
    FailedReport,
    FileSummary,
    ModelSummary,
    Report,
    SyncReport,
    TimelinePoint,
    TrackReport,
    VideoSummary,
    json_schema,
)
from avdetect.types import CLASSES, Segment
from avdetect.verdict import judge
from tests.report.findings import SHA, analysis, audit, sound_alone, track

numbers = st.floats(-1e6, 1e6)
shares = st.none() | st.floats(0, 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
summaries = st.builds(
    FileSummary,
    path=texts,
    sha256=st.just(SHA),
    duration_s=st.none() | st.floats(0, 1e5),
    video=st.none() | st.builds(VideoSummary, texts, st.integers(1, 9999), st.integers(1, 9999), st.floats(1, 240)),
    audio=st.none() | st.builds(AudioSummary, texts, st.integers(1, 192_000)),
)
tracks = st.builds(
    TrackReport,
    id=st.integers(-1, 9),
    start_s=numbers,
    end_s=numbers,
    speaking=st.none() | st.booleans(),
    visual=st.builds(BranchReport, shares),
    audio=st.builds(BranchReport, shares),
    sync=st.builds(
        SyncReport, shares, st.none() | numbers, st.none() | st.tuples(numbers, numbers), texts, st.none() | numbers,
        st.none() | numbers,
    ),
    classes=st.none() | st.fixed_dictionaries({name: st.floats(0, 1) for name in CLASSES}),
    timeline=st.lists(
        st.builds(TimelinePoint, numbers, shares, shares, shares, st.none() | numbers), max_size=3
    ).map(tuple),
)  # fmt: skip
reports = st.builds(
    Report,
    file=summaries,
    model=st.builds(ModelSummary, texts, texts, texts),
    verdict=st.sampled_from(["real", "fake", "inconclusive"]),
    probability_fake=shares,
    reasons=st.lists(texts, max_size=3).map(tuple),
    abstained=st.lists(st.sampled_from(["no_face", "no_audio", "too_short"]), unique=True).map(tuple),
    tracks=st.lists(tracks, max_size=2).map(tuple),
    segments=st.lists(
        st.builds(Segment, numbers, numbers, st.sampled_from(["visual", "audio", "sync"]), st.floats(0, 1)), max_size=3
    ).map(tuple),
    detectors=st.lists(
        st.builds(DetectorReport, texts, texts, texts, shares, st.booleans(), texts), max_size=2
    ).map(tuple),
)  # fmt: skip
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


@given(reports)
def test_json_round_trip_and_schema(report: Report) -> None:
    text = report.to_json()
    assert Report.from_json(text) == report
    assert "\n" not in text
    VALIDATOR.validate(json.loads(text))


@pytest.mark.parametrize(
    "found",
    [
        analysis(track()),
        analysis(track(visual=5.0), track(number=1, height=0.0), sound_alone()),
        analysis(sound_alone(), video=False),
        analysis(track(speech=np.nan, audio=np.nan, sync=np.nan), audio=False),
        analysis(track(3, speech=np.nan), audio=False, still=True),
        analysis(audio=False),
    ],
    ids=["one face", "two faces and sound", "sound", "silent", "still", "nothing"],
)
def test_real_reports_follow_the_schema(found) -> None:
    report = judge(found, Calibration(), model={"name": "a", "version": "1", "sha256": "x", "licence": "ignored"})
    VALIDATOR.validate(json.loads(report.to_json()))
    assert Report.from_json(report.to_json()) == report


def test_the_schema_is_one_and_strict() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    data = json.loads(judge(analysis(track()), Calibration()).to_json())
    for spoil in (
        {"verdict": "maybe"},
        {"probability_fake": 1.5},
        {"extra": 1},
        {"abstained": ["tired"]},
        {"schema": "avdetect.report/2"},
        {"error": "both"},
        {"detectors": [{"name": "a", "probability_fake": 0.5}]},
    ):
        assert not VALIDATOR.is_valid({**data, **spoil}), spoil
    del data["segments"]
    assert not VALIDATOR.is_valid(data)


def test_what_is_not_finite_is_null() -> None:
    report = Report(FileSummary("a", SHA, float("inf"), None, None), ModelSummary(), "inconclusive", float("nan"))
    data = json.loads(report.to_json())
    assert data["probability_fake"] is None and data["file"]["duration_s"] is None
    VALIDATOR.validate(data)


def test_failed_files_have_a_line_too() -> None:
    failed = FailedReport("böse\udc80.mp4", "böse\udc80.mp4: not a media file")
    data = json.loads(failed.to_json().encode("utf-8"))
    VALIDATOR.validate(data)
    assert data["file"]["path"] == "böse\\x80.mp4"
    with pytest.raises(ValueError, match="was not scored: b"):
        Report.from_dict(data)


def test_reports_without_a_list_of_detectors_are_read() -> None:
    data = judge(analysis(track()), Calibration()).to_dict()
    assert data.pop("detectors") == []
    VALIDATOR.validate(data)
    assert Report.from_dict(data).detectors == ()


def test_other_json_is_refused() -> None:
    with pytest.raises(ValueError, match="schema None"):
        Report.from_json("{}")
    with pytest.raises(ValueError, match="not a report"):
        Report.from_json('{"schema": "avdetect.report/1"}')


def test_audits_are_json_without_arrays() -> None:
    data = json.loads(audit(offset=8.0).to_json())
    assert data["schema"] == "avdetect.audit/1"
    assert data["band"] == "sound late" and data["tracks"][0]["segments"][0]["band"] == "sound late"
    assert "picture" not in data["tracks"][0]
    assert len(data["tracks"][0]["timeline"]) == 25
