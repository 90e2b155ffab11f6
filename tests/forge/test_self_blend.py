"""Self-blends: changed where the mask says and nowhere else, and nothing else tells them from the genuine face."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avdetect.forge import self_blend as forge
from avdetect.forge.blending import hull_mask
from avdetect.forge.views import face_view
from avdetect.testing import synthetic_clip
from avdetect.types import FaceTrack

SEEDS = range(25)


@pytest.fixture(scope="module")
def track() -> FaceTrack:
    track = synthetic_clip(3, 1, sound=False).track
    assert track is not None
    return track


@pytest.fixture(scope="module")
def face(track: FaceTrack) -> np.ndarray:
    return track.faces[0]


def blended(track: FaceTrack, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The blended face, and the mask that was blended in."""
    plan = forge.plan_self_blend(track, np.random.default_rng(seed), ())
    return plan.draw(face_view(track), 0), plan._mask(0)


@pytest.mark.parametrize("seed", SEEDS)
def test_only_what_the_mask_covers_is_blended(
    track: FaceTrack, face: np.ndarray, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is blended in, the picture is the target: the face itself, or its changed copy."""
    copies = []

    def keep(picture: np.ndarray, rng: np.random.Generator, scale: float) -> np.ndarray:
        copies.append(CHANGE(picture, rng, scale))
        return copies[-1]

    monkeypatch.setattr(forge, "change", keep)
    made, blend = blended(track, seed)
    assert made.shape == face.shape and made.dtype == np.uint8
    assert blend.shape == face.shape[:2] and 0 <= blend.min() and blend.max() <= 1.0
    assert (blend == 0).any() and (blend > 0.2).any()
    outside = blend == 0
    assert any(np.array_equal(made[outside], target[outside]) for target in (face, copies[0]))


CHANGE = forge.change


def test_blends_differ_from_the_face_by_chance_of_the_generator_only(track: FaceTrack, face: np.ndarray) -> None:
    again = [blended(track, 5) for _ in range(2)]
    np.testing.assert_array_equal(again[0][0], again[1][0])
    np.testing.assert_array_equal(again[0][1], again[1][1])
    made = [blended(track, s)[0] for s in SEEDS]
    assert len({m.tobytes() for m in made}) == len(made)
    assert np.mean([(m != face).any() for m in made]) > 0.9


def test_the_face_handed_in_is_not_changed(track: FaceTrack, face: np.ndarray) -> None:
    before, mesh = face.copy(), track.landmarks.copy()
    for seed in SEEDS:
        blended(track, seed)
    np.testing.assert_array_equal(face, before)
    np.testing.assert_array_equal(track.landmarks, mesh)


def test_masks_of_the_mouth_are_among_them(track: FaceTrack) -> None:
    areas = [(blended(track, s)[1] > 0.1).mean() for s in SEEDS]
    assert min(areas) < 0.15 < 0.3 < max(areas)


def test_a_hull_is_filled() -> None:
    corners = np.array([[2, 2], [8, 2], [8, 6], [2, 6], [5, 4]])
    mask = hull_mask(corners, (10, 12))
    expected = np.zeros((10, 12))
    expected[2:7, 2:9] = 1
    np.testing.assert_array_equal(mask, expected)


def test_points_outside_the_crop_do_no_harm(track: FaceTrack) -> None:
    far = dataclasses.replace(track, landmarks=track.landmarks * 3 - 1)
    for seed in SEEDS:
        made, blend = blended(far, seed)
        assert made.dtype == np.uint8 and np.isfinite(blend).all()


def test_recolour_with_nothing_to_change_changes_nothing(face: np.ndarray) -> None:
    np.testing.assert_array_equal(forge.recolour(face, np.random.default_rng(0), rgb=0, hsv=0, light=0), face)
    hue = forge.recolour(face, np.random.default_rng(0), rgb=0, hsv=0.3, light=0)
    assert hue.dtype == np.uint8 and (hue != face).mean() > 0.3
