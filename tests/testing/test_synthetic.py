from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avdetect.faces.nets import load_face_nets
from avdetect.testing import synthetic_clip, synthetic_speech, write_synthetic_video
from avdetect.testing.clip import Talk
from avdetect.testing.face import INNER_LIPS, SUBJECT_LEFT_EYE, SUBJECT_RIGHT_EYE, mesh
from avdetect.testing.video import draw_scene
from avdetect.types import Clip


def lag_ms(opening: np.ndarray, audio: np.ndarray) -> float:
    """By how much the loudness follows the opening of the mouth (25 values a second), in ms, from their correlation."""
    loudness = np.sqrt(np.square(audio.reshape(-1, 640)).mean(axis=1))
    a, b = opening - opening.mean(), loudness - loudness.mean()
    lags = np.arange(-15, 16)
    scores = [np.corrcoef(a[max(0, -k) : len(a) - max(0, k)], b[max(0, k) : len(b) - max(0, -k)])[0, 1] for k in lags]
    assert max(scores) > 0.6
    return 40.0 * lags[int(np.argmax(scores))]


def lip_gap(clip: Clip) -> np.ndarray:
    assert clip.track is not None
    return clip.track.landmarks[:, 14, 1] - clip.track.landmarks[:, 13, 1]


@pytest.mark.parametrize("offset_ms", [-320.0, 0.0, 200.0])
def test_lips_and_sound_of_a_clip_have_the_offset_asked_for(offset_ms: float) -> None:
    clip = synthetic_clip(5, 250, offset_ms=offset_ms)
    assert clip.audio is not None
    assert lag_ms(lip_gap(clip), clip.audio) == pytest.approx(offset_ms, abs=40)
    assert clip.label.offset_ms == offset_ms


def test_a_clip_has_the_shapes_and_ranges_of_the_types() -> None:
    clip = synthetic_clip(1, 30, start_tick=7, track_id=2)
    track = clip.track
    assert track is not None and clip.audio is not None
    assert (clip.n_ticks, clip.start_tick, track.track_id) == (30, 7, 2)
    assert track.faces.shape == (30, 160, 160, 3) and track.mouths.shape == (30, 64, 64, 3)
    assert track.landmarks.shape == (30, 468, 3) and track.landmarks.dtype == np.float32
    assert np.isfinite(track.landmarks).all() and (np.abs(track.landmarks[..., :2] - 0.5) < 0.6).all()
    assert clip.audio.shape == (30 * 640,) and clip.audio.dtype == np.float32 and np.abs(clip.audio).max() <= 1
    assert (track.boxes[:, 2:] > track.boxes[:, :2]).all()
    assert len(np.unique(track.landmarks[0, :, :2], axis=0)) > 460


def test_the_same_arguments_give_the_same_bits_and_another_seed_does_not() -> None:
    first, again, other = synthetic_clip(1, 10), synthetic_clip(1, 10), synthetic_clip(2, 10)
    assert first.track is not None and again.track is not None and other.track is not None
    np.testing.assert_array_equal(first.track.faces, again.track.faces)
    np.testing.assert_array_equal(first.audio, again.audio)
    assert (first.track.faces != other.track.faces).any()
    assert (first.audio != other.audio).any()


def test_parts_can_be_left_out() -> None:
    assert synthetic_clip(0, 5, face=False).track is None
    silent = synthetic_clip(0, 5, sound=False)
    assert silent.audio is None and not silent.audio_valid.any() and silent.label.offset_ms is None
    with pytest.raises(ValueError, match="face or sound"):
        synthetic_clip(0, 5, face=False, sound=False)
    with pytest.raises(ValueError, match="2000"):
        synthetic_clip(0, 5, offset_ms=2500)


def test_speech_has_syllables_and_pauses() -> None:
    speech = synthetic_speech(0, 500)
    loudness = np.sqrt(np.square(speech.audio.reshape(-1, 640)).mean(axis=1))
    assert 0.05 < (loudness < 0.1 * loudness.max()).mean() < 0.6
    power = np.square(np.abs(np.fft.rfft(loudness - loudness.mean())))
    hz = np.fft.rfftfreq(len(loudness), 1 / 25)
    assert power[(hz > 2) & (hz < 8)].sum() > 0.3 * power.sum()  # the rhythm of syllables


def test_the_face_networks_see_the_face_and_its_mouth() -> None:
    """The drawing stands in for a face in every other test, so the real networks must take it for one."""
    nets = load_face_nets()
    talk = Talk(4, 100)
    times = np.linspace(0.2, 3.8, 16)
    scenes = [draw_scene(talk, t, seed=4, width=640, height=360, face_scale=0.25) for t in times]
    squares = [cv2.copyMakeBorder(s, 140, 140, 0, 0, cv2.BORDER_CONSTANT) for s in scenes]
    logits, _ = nets.detect(np.stack([cv2.resize(s, (128, 128), interpolation=cv2.INTER_AREA) for s in squares]))
    assert (1 / (1 + np.exp(-logits.max(axis=1))) > 0.75).all()

    side = 1.5 * 2.1 * 90
    to_net = np.array([[192 / side, 0, 96 - 320 * 192 / side], [0, 192 / side, 96 - 178 * 192 / side]])
    points, presence = nets.mesh(np.stack([cv2.warpAffine(s, to_net, (192, 192)) for s in scenes]))
    assert (presence > 0.9).all()
    opening = np.array([pose.opening for pose in talk.pose_at(times, x=0, y=0, scale=1)])
    gap = points[:, 14, 1] - points[:, 13, 1]
    assert np.corrcoef(gap, opening)[0, 1] > 0.9

    # Where the networks find lips and eyes is where the made-up landmarks have them.
    for scene_points, pose in zip(points, talk.pose_at(times, x=320, y=151.2, scale=90), strict=True):
        drawn = pose.place(mesh(pose.opening, pose.width, pose.blink)) @ to_net[:, :2].T + to_net[:, 2]
        for ring in (INNER_LIPS, SUBJECT_LEFT_EYE, SUBJECT_RIGHT_EYE):
            assert np.linalg.norm(scene_points[list(ring), :2] - drawn[list(ring)], axis=1).mean() < 6


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_written_video_holds_what_was_asked_for(tmp_path: Path, suffix: str) -> None:
    path = write_synthetic_video(tmp_path / f"a{suffix}", seconds=2, width=320, height=240, fps=30, offset_ms=80)
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 320, 240)
        assert float(video.average_rate or 0) == pytest.approx(30)
        assert audio.codec_context.name == "aac" and audio.codec_context.sample_rate == 16000
        frames = [f for f in container.decode(video)]
    assert len(frames) == 60
    with av.open(str(path)) as container:
        sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    expected = Talk(0, 50, offset_ms=80).audio
    best = np.argmax(np.correlate(sound[: len(expected) + 4000], expected[:16000], mode="valid"))
    assert best <= 2048  # the encoder's priming, which the reader takes off by the file's time stamps


def test_written_videos_can_lack_picture_or_sound(tmp_path: Path) -> None:
    with av.open(str(write_synthetic_video(tmp_path / "v.mp4", seconds=0.4, sound=False))) as container:
        assert len(container.streams.video) == 1 and not container.streams.audio
    with av.open(str(write_synthetic_video(tmp_path / "a.mp4", seconds=0.4, picture=False))) as container:
        assert len(container.streams.audio) == 1 and not container.streams.video
    with pytest.raises(ValueError, match="even"):
        write_synthetic_video(tmp_path / "o.mp4", width=321)
    with pytest.raises(ValueError, match="turned off"):
        write_synthetic_video(tmp_path / "n.mp4", picture=False, sound=False)
