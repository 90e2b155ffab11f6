from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avdetect.faces.config import TrackerConfig
from avdetect.faces.nets import FaceNets
from avdetect.faces.tracker import FaceTracker, join
from avdetect.testing.face import Pose
from avdetect.types import FaceTrack
from tests.faces.drawn import blocks, follow, scene, talker

EYES = (33, 263)


def film(n: int, *, start: int = 0, **place: float) -> np.ndarray:
    return np.stack([scene(talker(i, **place), tick=i) for i in range(start, start + n)])


@pytest.fixture(scope="module")
def one_face() -> np.ndarray:
    return film(60)


def same(a: FaceTrack, b: FaceTrack) -> None:
    for field in dataclasses.fields(FaceTrack):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name == "quality":
            for measure in dataclasses.fields(x):
                np.testing.assert_array_equal(getattr(x, measure.name), getattr(y, measure.name))
        else:
            np.testing.assert_array_equal(x, y)


def test_one_face_is_one_track_with_everything_in_it(nets: FaceNets, one_face: np.ndarray) -> None:
    (track,) = follow(blocks(one_face), nets).values()
    assert (track.track_id, track.start_tick, track.n_ticks, track.ended) == (0, 0, 60, True)
    assert track.visible.all()
    assert track.faces.shape == (60, 160, 160, 3)
    assert track.mouths.shape == (60, 64, 64, 3)
    assert track.landmarks.dtype == np.float32
    q = track.quality
    np.testing.assert_allclose(q.size_px, 60, rtol=0.15)
    assert (np.abs(q.yaw_deg) < 15).all()
    assert (q.presence > 0.5).all()
    assert ((q.light > 0.1) & (q.light < 0.9)).all()
    centre = (track.boxes[:, :2] + track.boxes[:, 2:]) / 2
    poses = [talker(i) for i in range(60)]
    np.testing.assert_allclose(centre[:, 0], [p.x for p in poses], atol=12)


def test_the_crop_stands_still_while_the_head_sways_and_the_lips_move(nets: FaceNets, one_face: np.ndarray) -> None:
    (track,) = follow(blocks(one_face), nets).values()
    eyes = track.landmarks[:, list(EYES), :2]
    middle = eyes.mean(1)
    assert middle.std(0).max() < 0.012  # the head itself sways by 4 px, which is 0.03 of the crop
    assert np.abs(middle.mean(0) - [0.5, 0.36]).max() < 0.06
    roll = np.arctan2(*(eyes[:, 1] - eyes[:, 0]).T[::-1])
    assert np.abs(roll).max() < 0.08
    gap = track.landmarks[:, 14, 1] - track.landmarks[:, 13, 1]
    want = np.array([talker(i).opening for i in range(60)])
    assert np.corrcoef(gap, want)[0, 1] > 0.9


def test_the_result_does_not_depend_on_the_blocks(nets: FaceNets, one_face: np.ndarray) -> None:
    frames = np.concatenate([one_face[:34], film(26, start=90, x=90)])  # with a jump inside a group
    whole = follow(blocks(frames), nets)
    for step in (1, 7, 25):
        again = follow(blocks(frames), nets, step=step)
        assert whole.keys() == again.keys()
        for k in whole:
            same(whole[k], again[k])


def test_nothing_is_compiled_for_another_file(nets: FaceNets, one_face: np.ndarray) -> None:
    follow(blocks(one_face[:20]), nets)
    mesh, detector = nets.mesh_jit._cache_size(), nets.detector_jit._cache_size()  # type: ignore[attr-defined]
    assert (mesh, detector) == (1, 1)
    follow(blocks(film(19, x=100)[:, 20:-31, 7:]), nets, step=5)
    follow(blocks(np.stack([scene(talker(i), talker(i + 5, x=240), width=400) for i in range(13)])), nets)
    assert (nets.mesh_jit._cache_size(), nets.detector_jit._cache_size()) == (1, 1)  # type: ignore[attr-defined]


def test_pieces_come_early_and_memory_stays_bounded(nets: FaceNets, one_face: np.ndarray) -> None:
    tracker = FaceTracker(nets=nets)
    late = []
    for i in range(60):
        part = {k: v[i : i + 1] for k, v in blocks(one_face).items()}
        for piece in tracker.push(**part, start_tick=i):
            late.append(i - (piece.start_tick + piece.n_ticks - 1))
    assert late
    assert max(late) <= 20
    (builder,) = tracker._builders.values()
    assert len(builder._sightings) <= 40
    assert len(tracker._waiting) <= 8


def test_two_faces_are_two_tracks_the_larger_first(nets: FaceNets) -> None:
    frames = np.stack([
        scene(talker(i, x=110, scale=44), talker(i + 7, x=340, scale=62), width=480, tick=i) for i in range(30)
    ])  # fmt: skip
    tracks = follow(blocks(frames), nets)
    assert sorted(tracks) == [0, 1]
    assert all(t.visible.all() and t.n_ticks == 30 for t in tracks.values())
    assert tracks[0].boxes[:, 0].mean() > 240 > tracks[1].boxes[:, 2].mean()
    only = follow(blocks(frames), nets, config=TrackerConfig(max_faces=1))
    assert sorted(only) == [0]
    assert only[0].boxes[:, 0].mean() > 240


def test_a_cut_ends_the_track_and_starts_another(nets: FaceNets) -> None:
    def other(i: int) -> np.ndarray:
        frame = scene(Pose(85, 100, 42, opening=0.3), seed=3, tick=i, wall=60)
        frame[160:, 170:] = 225
        return frame

    frames = np.concatenate([film(21, x=200), np.stack([other(i) for i in range(19)])])
    tracks = follow(blocks(frames), nets)
    assert [(t.start_tick, t.n_ticks) for t in tracks.values()] == [(0, 21), (21, 19)]
    alone = follow(blocks(frames[:21]), nets)[0]
    same(tracks[0], alone)  # nothing from behind the cut is mixed in


def test_a_face_that_comes_back_within_a_second_keeps_its_track(nets: FaceNets) -> None:
    frames = film(50)
    frames[20:30, 20:170, 100:220] = (90, 110, 90)  # something is held before the head
    (track,) = follow(blocks(frames), nets).values()
    assert track.n_ticks == 50
    np.testing.assert_array_equal(track.visible, (np.arange(50) < 20) | (np.arange(50) >= 30))
    gap = slice(20, 30)
    assert (track.faces[gap] == track.faces[19]).all()
    assert (track.mouths[gap] == track.mouths[19]).all()
    assert not track.landmarks[gap].any()
    assert not track.boxes[gap].any()
    assert np.isnan(track.quality.size_px[gap]).all()


def test_a_face_that_stays_away_is_a_new_track(nets: FaceNets) -> None:
    empty = np.stack([scene(tick=i) for i in range(40)])
    tracks = follow(blocks(np.concatenate([film(16), empty, film(16, start=30)])), nets)
    assert [(t.start_tick, t.n_ticks) for t in tracks.values()] == [(0, 16), (56, 16)]


def test_a_face_seen_for_less_than_four_tenths_of_a_second_is_dropped(nets: FaceNets) -> None:
    empty = np.stack([scene(tick=i) for i in range(32)])
    assert follow(blocks(np.concatenate([film(8), empty])), nets) == {}
    assert follow(blocks(np.concatenate([film(8), empty])), nets, config=TrackerConfig(min_ticks=8)).keys() == {0}


def test_faces_that_were_dropped_are_counted(nets: FaceNets) -> None:
    tracker = FaceTracker(nets=nets)
    empty = np.stack([scene(tick=i) for i in range(32)])
    assert tracker.push(**blocks(np.concatenate([film(8), empty])), start_tick=0) == []
    assert tracker.finish() == [] and tracker.glimpses == 1


def test_a_small_face_is_found_by_tiles_and_followed(nets: FaceNets) -> None:
    frames = np.stack([scene(talker(i, x=700, y=150, scale=20), width=1000, height=560, tick=i) for i in range(16)])
    (track,) = follow(blocks(frames), nets).values()
    assert track.visible.sum() == 16
    assert follow(blocks(frames), nets, config=TrackerConfig(small_faces=False)) == {}


def test_a_frame_on_two_ticks_is_looked_at_once_and_landmarks_lie_between(nets: FaceNets) -> None:
    """12.5 frames a second: every frame is shown twice, and its own time is that of the first tick."""
    frames = np.repeat(film(60)[::2], 2, axis=0)
    index = np.repeat(np.arange(30, dtype=np.int32), 2)
    calls = []

    class Counting:
        def detect(self, images: np.ndarray):
            return nets.detect(images)

        def mesh(self, images: np.ndarray):
            calls.append(len(images))
            return nets.mesh(images)

    played = blocks(frames, frame_index=index, frame_pts_s=index * 0.08)
    (track,) = follow(played, Counting()).values()  # type: ignore[arg-type]
    assert track.n_ticks == 60
    assert sum(calls) <= 30 + 8  # a first look may be repeated
    np.testing.assert_array_equal(track.faces[0::2], track.faces[1::2])
    between = (track.landmarks[0:-2:2] + track.landmarks[2::2]) / 2
    np.testing.assert_allclose(track.landmarks[1:-1:2], between, atol=1e-5)


def test_landmarks_belong_to_the_tick_and_not_to_the_frame(nets: FaceNets, one_face: np.ndarray) -> None:
    late = follow(blocks(one_face, frame_pts_s=np.arange(60) / 25 + 0.01), nets)[0]
    on_time = follow(blocks(one_face), nets)[0]
    np.testing.assert_array_equal(late.faces, on_time.faces)
    want = on_time.landmarks[1:] * 0.75 + on_time.landmarks[:-1] * 0.25
    np.testing.assert_allclose(late.landmarks[1:], want, atol=1e-4)


def test_ticks_without_a_picture_are_gaps(nets: FaceNets, one_face: np.ndarray) -> None:
    valid = np.ones(60, bool)
    valid[24:30] = False
    index = np.where(valid, np.arange(60), -1).astype(np.int32)
    noise = one_face.copy()
    noise[~valid] = np.random.default_rng(0).integers(0, 256, noise[~valid].shape)
    pts = np.where(valid, np.arange(60) / 25, np.nan)
    (track,) = follow(blocks(noise, frame_valid=valid, frame_index=index, frame_pts_s=pts), nets).values()
    np.testing.assert_array_equal(track.visible, valid)


def test_a_still_picture_gives_a_still_track(nets: FaceNets, one_face: np.ndarray) -> None:
    frames = np.repeat(one_face[:1], 40, axis=0)
    (track,) = follow(blocks(frames, frame_index=np.zeros(40, np.int32), frame_pts_s=np.zeros(40)), nets).values()
    assert track.visible.all()
    assert track.n_ticks == 40
    assert (track.faces == track.faces[0]).all()
    assert (track.landmarks == track.landmarks[0]).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (96, 128)])
def test_pictures_without_a_face_give_no_track(nets: FaceNets, shape: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (12, *shape, 3)).astype(np.uint8)
    assert follow(blocks(frames), nets) == {}


def test_a_file_may_start_late_and_have_no_picture_at_all(nets: FaceNets) -> None:
    tracker = FaceTracker(nets=nets)
    nothing = np.zeros(9, bool)
    assert tracker.push(None, nothing, np.full(9, -1, np.int32), np.full(9, np.nan), 13) == []
    assert tracker.finish() == []


def test_blocks_out_of_order_are_an_error(nets: FaceNets, one_face: np.ndarray) -> None:
    tracker = FaceTracker(nets=nets)
    part = {k: v[:4] for k, v in blocks(one_face).items()}
    tracker.push(**part, start_tick=0)
    with pytest.raises(ValueError, match="block starts at tick 8, not 4; push blocks in order"):
        tracker.push(**part, start_tick=8)


def test_pieces_of_different_tracks_do_not_join(nets: FaceNets, one_face: np.ndarray) -> None:
    (track,) = follow(blocks(one_face[:12]), nets).values()
    with pytest.raises(ValueError, match="track 0 from tick 0 does not follow track 0 to tick 12"):
        join([track, track])
    with pytest.raises(ValueError, match="no pieces"):
        join([])
