"""Self-blends: changed where the mask says and nowhere else, and nothing else tells them from the genuine face."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.forge import self_blend as forge
from avdetect.testing import synthetic_clip

SEEDS = range(25)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    track = synthetic_clip(3, 1, sound=False).track
    assert track is not None
    return track.faces[0]


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    track = synthetic_clip(3, 1, sound=False).track
    assert track is not None
    return track.landmarks[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_only_what_the_mask_covers_is_blended(
    face: np.ndarray, points: np.ndarray, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is blended in, the picture is the target: the face itself, or its changed copy."""
    copies = []

    def keep(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        copies.append(CHANGE(picture, rng))
        return copies[-1]

    monkeypatch.setattr(forge, "change", keep)
    blended, blend = forge.self_blend(face, points, np.random.default_rng(seed))
    assert blended.shape == face.shape and blended.dtype == np.uint8
    assert blend.shape == face.shape[:2] and 0 <= blend.min() and blend.max() <= 1.0
    assert (blend == 0).any() and (blend > 0.2).any()
    outside = blend == 0
    assert any(np.array_equal(blended[outside], target[outside]) for target in (face, copies[0]))


CHANGE = forge.change


def test_blends_differ_from_the_face_by_chance_of_the_generator_only(face: np.ndarray, points: np.ndarray) -> None:
    again = [forge.self_blend(face, points, np.random.default_rng(5)) for _ in range(2)]
    np.testing.assert_array_equal(again[0][0], again[1][0])
    np.testing.assert_array_equal(again[0][1], again[1][1])
    made = [forge.self_blend(face, points, np.random.default_rng(s))[0] for s in SEEDS]
    assert len({m.tobytes() for m in made}) == len(made)
    assert np.mean([(m != face).any() for m in made]) > 0.9


def test_the_face_handed_in_is_not_changed(face: np.ndarray, points: np.ndarray) -> None:
    before, mesh = face.copy(), points.copy()
    for seed in SEEDS:
        forge.self_blend(face, points, np.random.default_rng(seed))
    np.testing.assert_array_equal(face, before)
    np.testing.assert_array_equal(points, mesh)


def test_masks_of_the_mouth_are_among_them(face: np.ndarray, points: np.ndarray) -> None:
    areas = [(forge.self_blend(face, points, np.random.default_rng(s))[1] > 0.1).mean() for s in SEEDS]
    assert min(areas) < 0.15 < 0.3 < max(areas)


def test_a_hull_is_filled() -> None:
    corners = np.array([[2, 2], [8, 2], [8, 6], [2, 6], [5, 4]])
    mask = forge.hull_mask(corners, (10, 12))
    expected = np.zeros((10, 12))
    expected[2:7, 2:9] = 1
    np.testing.assert_array_equal(mask, expected)


def test_points_outside_the_crop_do_no_harm(face: np.ndarray, points: np.ndarray) -> None:
    for seed in SEEDS:
        blended, blend = forge.self_blend(face, points * 3 - 1, np.random.default_rng(seed))
        assert blended.dtype == np.uint8 and np.isfinite(blend).all()


def test_jitter_moves_colours_and_place(face: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    matrix = forge.random_placement(160, rng)
    straight = forge.jitter_face(face, np.random.default_rng(1), flip=False, matrix=np.eye(2, 3))
    flipped = forge.jitter_face(face[:, ::-1].copy(), np.random.default_rng(1), flip=True, matrix=np.eye(2, 3))
    np.testing.assert_array_equal(straight, flipped)
    moved = forge.jitter_face(face, np.random.default_rng(1), flip=False, matrix=matrix)
    assert (moved != straight).any()
    assert np.abs(matrix[:, :2] - np.eye(2)).max() < 0.5 and np.abs(matrix[:, 2]).max() < 60


def test_recolour_with_nothing_to_change_changes_nothing(face: np.ndarray) -> None:
    np.testing.assert_array_equal(forge.recolour(face, np.random.default_rng(0), rgb=0, hsv=0, light=0), face)
    hue = forge.recolour(face, np.random.default_rng(0), rgb=0, hsv=0.3, light=0)
    assert hue.dtype == np.uint8 and (hue != face).mean() > 0.3
