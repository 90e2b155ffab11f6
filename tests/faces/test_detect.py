from __future__ import annotations

import numpy as np
import pytest

from avdetect.faces.detect import (
    Detection,
    Tile,
    anchors,
    cut_tile,
    decode,
    detect,
    frame_tiles,
    merge,
    overlap,
    row_of_tiles,
    small_tiles,
)
from avdetect.faces.nets import FaceNets
from avdetect.testing.face import Pose
from tests.faces.drawn import scene


def detection(x: float, y: float, size: float, score: float) -> Detection:
    box = np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])
    return Detection(box, np.tile([x, y], (6, 1)), score)


def test_anchors_lie_on_the_two_grids() -> None:
    assert anchors().shape == (896, 2)
    np.testing.assert_array_equal(anchors()[:3], [[4, 4], [4, 4], [12, 4]])
    np.testing.assert_array_equal(anchors()[512:519:6], [[8, 8], [24, 8]])
    np.testing.assert_array_equal(anchors()[-1], [120, 120])


def test_decoding_places_boxes_and_points_in_the_frame() -> None:
    logits, places = np.full(896, -50.0), np.zeros((896, 16))
    logits[2] = 3.0
    places[2] = [4, 8, 16, 32, 1, 2, *([0] * 10)]
    (found,) = decode(logits, places, Tile(100, 50, 256), 0.5)
    # Anchor 2 is at (12, 4), the tile has two frame pixels a pixel.
    np.testing.assert_allclose(found.box, [100 + 16, 50 - 8, 100 + 48, 50 + 56])
    np.testing.assert_allclose(found.points[:2], [[100 + 26, 50 + 12], [100 + 24, 50 + 8]])
    assert found.score == pytest.approx(0.9526, abs=1e-4)


def test_a_box_of_no_size_is_no_face() -> None:
    assert decode(np.full(896, 9.0), np.zeros((896, 16)), Tile(0, 0, 128), 0.5) == []


def test_overlapping_boxes_become_their_weighted_mean_and_others_stay() -> None:
    found = merge([detection(50, 50, 40, 0.6), detection(54, 50, 40, 0.9), detection(200, 50, 40, 0.7)])
    assert [d.score for d in found] == [0.9, 0.7]
    assert found[0].box[[0, 2]].mean() == pytest.approx((50 * 0.6 + 54 * 0.9) / 1.5)
    assert found[1].box[[0, 2]].mean() == pytest.approx(200)


def test_overlap_is_intersection_over_union() -> None:
    a = np.array([0.0, 0, 10, 10])
    assert overlap(a, a) == 1
    assert overlap(a, a + 5) == pytest.approx(25 / 175)
    assert overlap(a, a + 10) == 0


def test_tiles_cover_the_frame_and_overlap_by_half() -> None:
    tiles = row_of_tiles(360, 640, 200)
    covered = np.zeros((360, 640), int)
    for tile in tiles:
        covered[tile.y : tile.y + 200, tile.x : tile.x + 200] += 1
    assert covered.min() >= 1
    columns = sorted({tile.x for tile in tiles})
    assert columns[0] == 0
    assert columns[-1] == 440
    assert max(np.diff(columns)) <= 100
    assert frame_tiles(100, 100) == [Tile(0, 0, 100)]
    assert small_tiles(90, 90) == []


def test_a_wide_frame_is_letterboxed_without_distortion() -> None:
    frame = np.full((64, 256, 3), 200, np.uint8)
    picture = cut_tile(frame, frame_tiles(64, 256)[0])
    rows = picture[:, 64, 0]
    np.testing.assert_array_equal(rows[48:80], 200)
    assert rows[:48].max() == rows[80:].max() == 0


@pytest.mark.parametrize("size", [(320, 240), (640, 240), (240, 480)])
def test_a_face_is_found_where_it_is_drawn(nets: FaceNets, size: tuple[int, int]) -> None:
    width, height = size
    pose = Pose(width * 0.5, height * 0.4, 55)
    best = detect(scene(pose, width=width, height=height), nets, frame_tiles(height, width))[0]
    eyes = best.points[:2]
    assert np.linalg.norm(eyes.mean(0) - [pose.x, pose.y]) < 0.15 * pose.scale
    assert eyes[0, 0] < eyes[1, 0]
    assert abs(best.roi.angle) < 0.15


def test_a_rolled_head_gives_a_rolled_square(nets: FaceNets) -> None:
    best = detect(scene(Pose(160, 100, 60, roll=0.4)), nets, frame_tiles(240, 320))[0]
    assert best.roi.angle == pytest.approx(0.4, abs=0.12)


def test_small_tiles_find_what_the_whole_frame_does_not_show(nets: FaceNets) -> None:
    pose = Pose(900, 200, 22)
    frame = scene(pose, width=1280, height=720)
    assert detect(frame, nets, frame_tiles(720, 1280)) == []
    best = detect(frame, nets, small_tiles(720, 1280))[0]
    assert np.linalg.norm(best.points[:2].mean(0) - [pose.x, pose.y]) < 0.3 * pose.scale


def test_a_wall_has_no_face(nets: FaceNets) -> None:
    assert detect(scene(), nets, [*frame_tiles(240, 320), *small_tiles(240, 320)]) == []
