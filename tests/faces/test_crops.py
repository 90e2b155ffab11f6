from __future__ import annotations

import cv2
import numpy as np
import pytest

from avdetect.faces.align import Alignment, Pose, crop_matrix, plane_matrix
from avdetect.faces.crops import take_patch, warp

CONTRACT = Alignment()


def crop(frame: np.ndarray, scale: float, x: float, y: float, angle: float = 0.0) -> np.ndarray:
    pose = Pose(float(np.log(scale)), angle, x, y, 0, 0)
    matrix = crop_matrix(
        plane_matrix(np.array([pose.log_scale, angle, x, y]), CONTRACT),
        np.array(CONTRACT.face_centre), CONTRACT.face_side, CONTRACT.face_size,
    )  # fmt: skip
    return warp(take_patch(frame, pose, CONTRACT), matrix, CONTRACT.face_size)


def direct(frame: np.ndarray, scale: float, x: float, y: float) -> np.ndarray:
    """The same crop straight from the frame."""
    matrix = crop_matrix(
        plane_matrix(np.array([np.log(scale), 0, x, y]), CONTRACT),
        np.array(CONTRACT.face_centre), CONTRACT.face_side, CONTRACT.face_size,
    )  # fmt: skip
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frame, matrix, (CONTRACT.face_size,) * 2, flags=flags)


def test_a_patch_shows_what_the_frame_shows() -> None:
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.integers(0, 256, (400, 500, 3)).astype(np.uint8), (0, 0), 3)
    apart = np.abs(crop(frame, 66, 250, 180).astype(int) - direct(frame, 66, 250, 180))
    assert apart.max() <= 1  # fixed-point rounding of the moved origin
    assert (apart > 0).mean() < 1e-3


def test_a_large_face_is_in_the_same_place_after_averaging() -> None:
    y, x = np.mgrid[0:900, 0:1000]
    frame = np.repeat((127 + 60 * np.sin(x / 40) + 60 * np.cos(y / 30))[..., None], 3, 2).astype(np.uint8)
    apart = crop(frame, 300, 500, 400).astype(int) - direct(frame, 300, 500, 400)
    assert np.abs(apart).max() <= 6  # half a pixel off would be up to 10
    assert abs(apart.mean()) < 0.5


def test_a_fine_pattern_does_not_alias() -> None:
    frame = np.repeat((np.indices((900, 1000)).sum(0) % 2 * 255).astype(np.uint8)[..., None], 3, 2)
    averaged, naive = (f(frame, 310.0, 500.0, 400.0)[20:140, 20:140].std() for f in (crop, direct))
    assert naive > 40
    assert averaged < 12


@pytest.mark.parametrize("scale", [99.0, 101.0])
def test_the_step_into_averaging_is_small(scale: float) -> None:
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.integers(0, 256, (700, 700, 3)).astype(np.uint8), (0, 0), 1.5)
    got, want = crop(frame, scale, 350, 300).astype(float), direct(frame, scale, 350, 300).astype(float)
    assert np.abs(got - want).mean() < 3
    assert got.std() == pytest.approx(want.std(), rel=0.1)


def test_outside_the_frame_is_black() -> None:
    frame = np.full((200, 200, 3), 180, np.uint8)
    got = crop(frame, 66, 100, 20)
    assert got[0].max() == 0
    assert got[80, 80].min() == 180
    assert crop(frame, 66, -900, -900).max() == 0
