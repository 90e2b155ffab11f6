from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from avdetect.faces.align import (
    Alignment,
    crop_matrix,
    fit_pose,
    inverse,
    plane_matrix,
    smooth_at,
)

CONTRACT = Alignment()


def mesh_at(scale: float, roll: float, yaw: float, pitch: float, x: float, y: float) -> np.ndarray:
    """A mesh whose fitted points are the template, turned (degrees; yaw to the subject's left, nose up) and placed."""
    turn = Rotation.from_euler("zyx", [roll, -yaw, -pitch], degrees=True).as_matrix()
    mesh = np.zeros((468, 3))
    mesh[list(CONTRACT.points)] = np.asarray(CONTRACT.template) @ turn.T * scale + [x, y, 0]
    return mesh.astype(np.float32)


@pytest.mark.parametrize(
    ("roll", "yaw", "pitch"), [(0, 0, 0), (20, 0, 0), (-35, 0, 0), (0, 30, 0), (0, 0, 15), (0, -45, 0)]
)
def test_the_fit_finds_scale_roll_turn_and_nod(roll: float, yaw: float, pitch: float) -> None:
    pose = fit_pose(mesh_at(80, roll, yaw, pitch, 300, 200), CONTRACT)
    assert np.exp(pose.log_scale) == pytest.approx(80, rel=1e-5)
    assert np.degrees(pose.angle) == pytest.approx(roll, abs=0.01)
    assert pose.yaw_deg == pytest.approx(yaw, abs=0.01)
    assert pose.pitch_deg == pytest.approx(pitch, abs=0.01)


def test_turning_to_the_subjects_left_moves_the_nose_right_in_the_picture_and_nodding_up_moves_it_up() -> None:
    tip = 4
    assert mesh_at(80, 0, 30, 0, 300, 200)[tip, 0] > 310
    assert mesh_at(80, 0, 0, 20, 300, 200)[tip, 1] < mesh_at(80, 0, 0, 0, 300, 200)[tip, 1]


def test_a_mirrored_mesh_turns_the_other_way() -> None:
    mesh = mesh_at(80, 0, 25, 5, 300, 200)
    swap = dict(zip(CONTRACT.points, (263, 362, 133, 33, 168, 6, 197, 195, 5, 4, 336, 107, 9, 8), strict=True))
    mirrored = mesh.copy()
    for a, b in swap.items():
        mirrored[b] = mesh[a] * [-1, 1, 1]
    there, back = fit_pose(mesh, CONTRACT), fit_pose(mirrored, CONTRACT)
    assert back.yaw_deg == pytest.approx(-there.yaw_deg, abs=0.01)
    assert back.pitch_deg == pytest.approx(there.pitch_deg, abs=0.01)
    assert there.yaw_deg > 24


def test_crops_put_the_face_where_the_contract_says() -> None:
    plane = plane_matrix(
        np.array([np.log(100.0), 0.0, *(mesh_at(100, 0, 0, 0, 300, 200)[list(CONTRACT.points), :2].mean(0))]), CONTRACT
    )
    np.testing.assert_allclose(plane, [[100, 0, 300], [0, 100, 200]], atol=1e-4)
    matrix = crop_matrix(plane, np.array(CONTRACT.face_centre), CONTRACT.face_side, CONTRACT.face_size)
    to_crop = inverse(matrix)
    # The middle of the crop lies between its two middle pixels.
    middle = to_crop[:, :2] @ np.array([300, 200 + 100 * CONTRACT.face_centre[1]]) + to_crop[:, 2]
    np.testing.assert_allclose(middle, (CONTRACT.face_size - 1) / 2, atol=1e-3)
    left, right = (to_crop[:, :2] @ np.array([300 + d, 200]) + to_crop[:, 2] for d in (-50, 50))
    assert right[0] - left[0] == pytest.approx(CONTRACT.face_size / CONTRACT.face_side)


def test_the_face_crop_holds_the_mean_face_with_a_margin_of_three_tenths() -> None:
    # The mean mesh reaches from -0.58 to 1.26 (forehead to chin), 0.78 to both sides.
    top, bottom = (CONTRACT.face_centre[1] + d * CONTRACT.face_side / 2 for d in (-1, 1))
    assert top < -0.58 - 0.2
    assert bottom > 1.26 + 0.2
    assert CONTRACT.face_side == pytest.approx(1.3 * 1.84, abs=0.02)


def test_smoothing_keeps_a_steady_motion_as_it_is_even_at_the_ends_and_at_uneven_times() -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 2, 40))
    values = np.stack([3 * times + 1, -times], 1)
    for i in (0, 7, 39):
        np.testing.assert_allclose(smooth_at(times[i], times, values, 0.08, 0.16), values[i], atol=1e-9)


def test_smoothing_takes_away_most_of_the_noise() -> None:
    rng = np.random.default_rng(1)
    times = np.arange(200) / 25
    values = rng.normal(size=(200, 1))
    smooth = np.array([smooth_at(t, times, values, 0.08, 0.16)[0] for t in times])
    assert smooth[10:-10].std() < 0.5


def test_one_sighting_stays_as_it_is() -> None:
    np.testing.assert_array_equal(smooth_at(1.0, np.array([1.0]), np.array([[5.0, 6.0]]), 0.08, 0.16), [5, 6])
