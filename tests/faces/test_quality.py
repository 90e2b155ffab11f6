from __future__ import annotations

import cv2
import numpy as np
import pytest

from avdetect.faces.quality import eye_distance, measure_crop


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
