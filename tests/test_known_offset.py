"""From a file to an offset, with the detector that ships: a drawn speaker whose offset is known."""

from __future__ import annotations

from pathlib import Path

import pytest

import avdetect
from avdetect.media.remux import remux_shifted


@pytest.fixture(scope="module")
def detector() -> avdetect.Detector:
    return avdetect.load()


def offset_of(path: Path, detector: avdetect.Detector) -> float:
    found = avdetect.audit(path, detector=detector)
    assert found.offset_ms is not None, f"{path.name}: {found.summary}"
    return found.offset_ms


@pytest.mark.slow
def test_offset_in_the_material_and_in_the_time_stamps(
    talking_video: Path, late_video: Path, tmp_path: Path, detector: avdetect.Detector
) -> None:
    together = offset_of(talking_video, detector)
    assert abs(together) <= 80
    # 320 ms late because the samples are, and 240 ms early because the container says so.
    assert offset_of(late_video, detector) - together == pytest.approx(320, abs=30)
    early = tmp_path / "early.mp4"
    remux_shifted(talking_video, early, -240.0)
    assert offset_of(early, detector) - together == pytest.approx(-240, abs=30)


@pytest.mark.slow
def test_a_report_of_the_speaker(talking_video: Path, detector: avdetect.Detector) -> None:
    report = avdetect.score(talking_video, detector=detector)
    (track,) = report.tracks
    assert track.speaking is True
    # A drawing with a made voice, which may well be called fake; its lips and sound do belong together.
    assert track.sync.probability_mismatch is not None
    assert track.sync.probability_mismatch < detector.calibration.segments.enter
    assert track.start_s == pytest.approx(0, abs=0.1) and track.end_s == pytest.approx(8, abs=0.1)
    assert not set(report.abstained) & {"no_face", "no_audio", "no_speech", "not_speaking", "too_short"}
