"""File -> evidence: what streaming finds is what the clips in memory give."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from avdetect.clips import cut_track, read_clips
from avdetect.inference import _feed, _Track, analyse, score_file
from avdetect.media.errors import MediaError
from avdetect.report.schema import Report
from avdetect.sound_stream import SoundStream
from avdetect.testing import synthetic_clip, write_synthetic_video
from avdetect.testing.clip import Talk
from avdetect.testing.video import draw_scene
from avdetect.types import Quality
from avdetect.verdict import NO_FACE_TRACK, Analysis, judge
from tests.media.flash_beep import make_film
from tests.small_nets import small_detector


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of a drawn speaker."""
    path = tmp_path_factory.mktemp("media") / "speaker.mp4"
    return write_synthetic_video(path, seconds=3, seed=2, width=320, height=240)


@pytest.fixture(scope="module")
def told() -> list[float]:
    return []


@pytest.fixture(scope="module")
def analysis(video: Path, told: list[float]) -> Analysis:
    return analyse(video, small_detector(), progress=told.append)


def test_a_file_gives_what_its_clips_give(video: Path, analysis: Analysis) -> None:
    info, (clip,) = read_clips(video)
    (found,) = analysis.tracks
    assert clip.track is not None and found.visible is not None and found.quality is not None
    assert analysis.info == info
    assert (found.track_id, found.start_tick, found.n_ticks) == (clip.track.track_id, clip.start_tick, clip.n_ticks)
    np.testing.assert_array_equal(found.visible, clip.track.visible)
    np.testing.assert_array_equal(found.audio_valid, clip.audio_valid)
    np.testing.assert_array_equal(found.boxes, clip.track.boxes)
    for field in dataclasses.fields(Quality):
        np.testing.assert_array_equal(getattr(found.quality, field.name), getattr(clip.track.quality, field.name))
    expected = small_detector().evidence(clip)
    for name in ("visual", "audio", "sync", "similarity", "speech"):
        a, b = getattr(found.evidence, name), getattr(expected, name)
        assert np.isfinite(b).any(), name
        np.testing.assert_allclose(a, b, atol=1e-4, err_msg=name)
    assert found.evidence.classes is not None and expected.classes is not None
    np.testing.assert_allclose(found.evidence.classes, expected.classes, atol=1e-4)


def test_of_tracks_that_ended_no_crops_are_kept() -> None:
    """A long film has thousands of them before its sound is over."""
    detector, tracks, length = small_detector(), {}, 30
    sound = SoundStream(detector)
    clips = [synthetic_clip(seed, length) for seed in range(4)]
    for number, clip in enumerate(clips):
        assert clip.track is not None and clip.audio is not None
        track = dataclasses.replace(clip.track, track_id=number, start_tick=number * length)
        for low in range(0, length, 10):
            piece = dataclasses.replace(cut_track(track, low, low + 10), ended=low == length - 10)
            _feed(tracks, [piece], detector, sound)
        sound.push(clip.audio, clip.audio_valid)
    assert [track._stream._windows for track in tracks.values()] == [None] * 4
    assert [track._stream._visual for track in tracks.values()] == [None] * 4
    sound.finish()
    covered = np.ones(4 * length, bool)
    for number, clip in enumerate(clips):
        assert clip.track is not None
        whole = _Track(dataclasses.replace(clip.track, start_tick=number * length, ended=False), detector, sound)
        whole.push(dataclasses.replace(clip.track, start_tick=number * length, ended=False))
        found, expected = tracks[number].evidence(covered).evidence, whole.evidence(covered).evidence
        for name in ("visual", "audio", "sync", "speech", "similarity", "classes"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
        assert np.isfinite(found.visual).all() and np.isfinite(found.similarity).any()


def test_the_analysis_says_which_file_it_is_of(video: Path, analysis: Analysis) -> None:
    assert analysis.sha256 == hashlib.sha256(video.read_bytes()).hexdigest()
    assert analysis.info.path.endswith("speaker.mp4") and not analysis.warnings
    assert analysis.read_s == pytest.approx(3.0, abs=0.05) and analysis.glimpses == 0
    assert analysis.speech is not None and analysis.speech.shape == (75,)


def test_a_file_that_changes_while_it_is_read_is_an_error_of_that_file(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "growing.mp4"
    path.write_bytes(video.read_bytes())

    def grow(share: float) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    with pytest.raises(MediaError, match=r"growing\.mp4: the file changed while it was read"):
        analyse(path, small_detector(), progress=grow)


def test_a_length_that_is_not_stated_is_the_one_read(tmp_path: Path) -> None:
    path = tmp_path / "live.mkv"
    make_film(path, video_codec="libx264", audio_codec="aac", options={"live": "1"})
    assert analyse(path, small_detector()).info.duration_s == pytest.approx(2.2, abs=0.05)


def test_progress_rises_to_one(analysis: Analysis, told: list[float]) -> None:
    assert told and told == sorted(told) and 0 < told[0] and told[-1] == 1.0
    assert len(analysis.tracks) == 1


def test_a_report_is_the_judgement_of_the_analysis_and_repeatable(video: Path, analysis: Analysis) -> None:
    detector = small_detector()
    report = score_file(video, detector)
    assert isinstance(report, Report)
    assert report.to_json() == judge(analysis, detector.calibration, model=detector.card).to_json()


def test_sound_without_a_picture(tmp_path: Path) -> None:
    path = write_synthetic_video(tmp_path / "voice.mp4", seconds=2, seed=5, picture=False)
    (found,) = analyse(path, small_detector()).tracks
    assert found.track_id == NO_FACE_TRACK and found.start_tick == 0
    assert found.visible is None and found.quality is None
    assert np.isfinite(found.evidence.audio).sum() > 30 and np.isnan(found.evidence.visual).all()


def test_a_picture_without_sound(tmp_path: Path) -> None:
    path = write_synthetic_video(tmp_path / "mute.mp4", seconds=1.2, seed=2, width=320, height=240, sound=False)
    (found,) = analyse(path, small_detector()).tracks
    assert not found.audio_valid.any()
    assert np.isfinite(found.evidence.visual).all() and np.isnan(found.evidence.audio).all()
    assert "no_audio" in score_file(path, small_detector()).abstained


def test_neither_a_face_nor_sound(tmp_path: Path) -> None:
    path = write_synthetic_video(tmp_path / "wall.mp4", seconds=1, sound=False, face_scale=0.005, width=96, height=64)
    assert analyse(path, small_detector()).tracks == []
    report = score_file(path, small_detector())
    assert report.verdict == "inconclusive" and {"no_face", "no_audio"} <= set(report.abstained)


def test_a_still_picture_is_one_tick(tmp_path: Path) -> None:
    path = tmp_path / "still.png"
    scene = draw_scene(Talk(2, 25), 0.4, seed=2, width=640, height=360, face_scale=0.25)
    cv2.imwrite(str(path), cv2.cvtColor(scene, cv2.COLOR_RGB2BGR))
    analysis = analyse(path, small_detector())
    assert analysis.info.video is not None and analysis.info.video.is_still
    (found,) = analysis.tracks
    assert found.n_ticks == 1 and np.isfinite(found.evidence.visual).all()
    assert found.evidence.classes is not None


@pytest.mark.parametrize("content", [b"", b"no film at all" * 50])
def test_what_cannot_be_read_is_an_error_of_that_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        analyse(path, small_detector())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises((MediaError, FileNotFoundError), match=r"absent\.mp4"):
        analyse(tmp_path / "absent.mp4", small_detector())


def test_a_detector_without_parts_for_it_still_reports(video: Path) -> None:
    (found,) = analyse(video, small_detector("visual")).tracks
    assert np.isfinite(found.evidence.visual).all() and np.isnan(found.evidence.similarity).all()


def test_nothing_was_compiled_twice(analysis: Analysis) -> None:
    small_detector().evidence(synthetic_clip(1, 30))
    assert all(size <= 1 for size in small_detector().cache_sizes().values())
