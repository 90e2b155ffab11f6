from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from avdetect.faces.quality import QualityLimits, assess, eye_distance, measure_crop
from avdetect.types import Quality


def quality(n: int = 20, **values: float) -> Quality:
    usual = {"size_px": 80.0, "sharpness": 15.0, "yaw_deg": 5.0, "pitch_deg": -4.0, "light": 0.4, "presence": 1.0}
    return Quality(**{k: np.full(n, v, np.float32) for k, v in (usual | values).items()})


SEEN = np.ones(20, bool)


def test_a_good_face_has_no_fault() -> None:
    faults, good = assess(quality(), SEEN)
    assert faults == []
    assert good.all()


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"size_px": 12}, "too small"),
        ({"sharpness": 0.3}, "too blurred"),
        ({"light": 0.01}, "too dark"),
        ({"light": 0.99}, "too bright"),
        ({"yaw_deg": -75}, "turned too far"),
        ({"pitch_deg": 60}, "turned too far"),
        ({"presence": 0.2}, "hidden"),
    ],
)
def test_each_measure_can_fail_alone(values: dict[str, float], fault: str) -> None:
    faults, good = assess(quality(20, **values), SEEN)
    assert faults == [fault]
    assert not good.any()


def test_some_bad_ticks_are_masked_but_do_not_condemn_the_track() -> None:
    q = quality()
    q.size_px[:8] = 10
    faults, good = assess(q, SEEN)
    assert faults == []
    np.testing.assert_array_equal(good, np.arange(20) >= 8)
    assert assess(q, SEEN, replace(QualityLimits(), share=0.7))[0] == ["too small"]


def test_ticks_without_a_face_count_neither_way() -> None:
    q = quality()
    q.size_px[10:] = np.nan
    faults, good = assess(q, np.arange(20) < 10)
    assert faults == []
    assert good.sum() == 10
    assert assess(q, np.zeros(20, bool))[1].sum() == 0


def test_blur_lowers_sharpness_and_dimming_lowers_light() -> None:
    rng = np.random.default_rng(0)
    face = cv2.GaussianBlur(rng.integers(0, 256, (160, 160, 3)).astype(np.uint8), (0, 0), 1)
    sharp, light = measure_crop(face)
    assert measure_crop(cv2.GaussianBlur(face, (0, 0), 2))[0] < 0.2 * sharp
    assert measure_crop(face // 2)[1] == pytest.approx(light / 2, abs=0.01)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (160, 160)).astype(np.uint8)
    g = grey[31:129, 31:129].astype(float) / 255
    laplacian = g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]
    # The border of the measured square is mirrored there and real here: a little apart.
    assert measure_crop(np.repeat(grey[..., None], 3, 2))[0] == pytest.approx(laplacian.var() * 1e4, rel=0.03)


def test_the_border_of_the_crop_does_not_count() -> None:
    face = np.full((160, 160, 3), 100, np.uint8)
    face[:20] = 0
    assert measure_crop(face) == (0.0, pytest.approx(100 / 255))


def test_eye_distance_is_in_the_plane() -> None:
    mesh = np.zeros((468, 3), np.float32)
    mesh[263] = [3, 4, 100]
    assert eye_distance(mesh) == 5
