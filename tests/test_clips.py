"""Tracks and sound cut on one clock."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.clips import clip_of, cut_track, join_pieces, read_clips, split_long
from avdetect.media.errors import MediaError
from avdetect.testing import synthetic_clip, write_synthetic_video
from avdetect.types import SAMPLES_PER_TICK, Clip, FaceTrack, Quality

ARRAYS = ("faces", "mouths", "landmarks", "visible", "boxes")


def plain_track(n: int, *, start: int = 0, track_id: int = 3) -> FaceTrack:
    """A track whose every array tells its tick."""
    ticks = np.arange(start, start + n)
    quality = Quality(**{f.name: ticks.astype(np.float32) for f in dataclasses.fields(Quality)})
    return FaceTrack(
        track_id=track_id,
        start_tick=start,
        faces=np.tile(ticks.astype(np.uint8)[:, None, None, None], (1, 2, 2, 3)),
        mouths=np.tile(ticks.astype(np.uint8)[:, None, None, None], (1, 2, 2, 3)),
        landmarks=np.tile(ticks.astype(np.float32)[:, None, None], (1, 468, 3)),
        visible=ticks % 3 > 0,
        boxes=np.tile(ticks.astype(np.float32)[:, None], (1, 4)),
        quality=quality,
    )


def same_track(a: FaceTrack, b: FaceTrack) -> None:
    assert (a.track_id, a.start_tick, a.ended) == (b.track_id, b.start_tick, b.ended)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for field in dataclasses.fields(Quality):
        np.testing.assert_array_equal(getattr(a.quality, field.name), getattr(b.quality, field.name))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 30), cuts=st.lists(st.integers(1, 29), max_size=5), start=st.integers(0, 90))
def test_pieces_of_a_track_join_to_the_track(n: int, cuts: list[int], start: int) -> None:
    track = plain_track(n, start=start)
    edges = [0, *sorted({c for c in cuts if c < n}), n]
    pieces = [cut_track(track, a, b) for a, b in itertools.pairwise(edges)]
    assert [p.ended for p in pieces] == [False] * (len(pieces) - 1) + [True]
    assert [p.start_tick for p in pieces] == [start + a for a in edges[:-1]]
    same_track(join_pieces(pieces), track)


def test_pieces_that_do_not_follow_each_other_are_refused() -> None:
    track = plain_track(20)
    for pieces in (
        [cut_track(track, 0, 8), cut_track(track, 9, 20)],
        [cut_track(track, 8, 20), cut_track(track, 0, 8)],
        [cut_track(track, 0, 8), cut_track(plain_track(20, track_id=4), 8, 20)],
    ):
        with pytest.raises(ValueError, match="track 3 do not follow"):
            join_pieces(pieces)


def test_a_track_gets_the_sound_of_its_own_ticks() -> None:
    track = plain_track(10, start=5)
    audio = np.repeat(np.arange(12, dtype=np.float32), SAMPLES_PER_TICK)  # the sound ends three ticks before the face
    valid = np.arange(12) != 7
    clip = clip_of(track, audio, valid)
    assert clip.audio is not None
    np.testing.assert_array_equal(clip.audio[::SAMPLES_PER_TICK], [5, 6, 7, 8, 9, 10, 11, 0, 0, 0])
    np.testing.assert_array_equal(clip.audio_valid, [1, 1, 0, 1, 1, 1, 1, 0, 0, 0])
    late = clip_of(plain_track(4, start=20), audio, valid)
    assert late.audio is not None and not late.audio.any() and not late.audio_valid.any()
    silent = clip_of(track, None, None)
    assert silent.audio is None and silent.n_ticks == 10 and not silent.audio_valid.any()


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 120), most=st.integers(1, 40), face=st.booleans())
def test_long_clips_are_cut_evenly_and_lose_nothing(n: int, most: int, face: bool) -> None:
    audio = np.arange(n * SAMPLES_PER_TICK, dtype=np.float32)
    whole = Clip(plain_track(n, start=7) if face else None, audio, np.arange(n) % 4 > 0)
    pieces = list(split_long(whole, most))
    sizes = [p.n_ticks for p in pieces]
    assert sum(sizes) == n and max(sizes) <= most and max(sizes) - min(sizes) <= 1
    assert len(pieces) == -(-n // most), "no more pieces than needed"
    np.testing.assert_array_equal(np.concatenate([p.audio for p in pieces if p.audio is not None]), audio)
    np.testing.assert_array_equal(np.concatenate([p.audio_valid for p in pieces]), whole.audio_valid)
    for piece in pieces:
        assert piece.audio is not None and len(piece.audio) == piece.n_ticks * SAMPLES_PER_TICK
    if face:
        assert whole.track is not None
        same_track(join_pieces([p.track for p in pieces if p.track is not None]), whole.track)


def test_reading_a_video(talking_video: Path) -> None:
    info, clips = read_clips(talking_video)
    assert info.video is not None and info.audio is not None
    (clip,) = clips
    assert clip.track is not None and clip.audio is not None
    assert 190 <= clip.n_ticks <= 201 and clip.track.visible.mean() > 0.95
    assert len(clip.audio) == clip.n_ticks * SAMPLES_PER_TICK
    # The voice is that which was drawn up, at the track's own place.
    made = synthetic_clip(1, 200, face=False).audio
    assert made is not None
    part = made[clip.start_tick * SAMPLES_PER_TICK :][: 180 * SAMPLES_PER_TICK]
    assert np.corrcoef(part, clip.audio[: len(part)])[0, 1] > 0.9


def test_sound_without_a_picture_is_one_clip_and_a_picture_without_a_face_none(tmp_path: Path) -> None:
    sound = write_synthetic_video(tmp_path / "sound.mp4", seconds=1, picture=False)
    _, (clip,) = read_clips(sound)
    assert clip.track is None and clip.audio is not None and clip.n_ticks >= 25
    wall = write_synthetic_video(tmp_path / "wall.mp4", seconds=1, sound=False, face_scale=0.005, width=96, height=64)
    info, clips = read_clips(wall)
    assert clips == [] and info.video is not None and info.audio is None


def test_a_broken_file_is_an_error_of_that_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"this is no film" * 100)
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        read_clips(broken)
