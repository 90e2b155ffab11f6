"""Redrawn faces: coarser where the mask is, untouched elsewhere, and drawn by chance of the generator only."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from avdetect.forge.resynthesis import FAMILY, REGIONS, plan_resynthesis
from avdetect.testing import synthetic_clip
from avdetect.types import Clip, FaceTrack

SEEDS = range(12)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return synthetic_clip(3, 4, sound=False)


@pytest.fixture(scope="module")
def track(clip: Clip) -> FaceTrack:
    assert clip.track is not None
    return clip.track


def test_every_region_is_drawn(track: FaceTrack) -> None:
    found = {plan_resynthesis(track, np.random.default_rng(s), []).region for s in range(200)}
    assert found == set(REGIONS)


@pytest.mark.parametrize("seed", SEEDS)
def test_outside_of_the_seam_nothing_changes(clip: Clip, track: FaceTrack, seed: int) -> None:
    made = FAMILY.forge(clip, np.random.default_rng(seed), []).track
    assert made is not None
    plan = plan_resynthesis(track, np.random.default_rng(seed), [])
    mask = plan._mask(0)
    outside = mask == 0
    assert outside.any()
    assert np.array_equal(made.faces[0][outside], track.faces[0][outside])
    assert np.array_equal(made.landmarks, track.landmarks)


def test_detail_is_lost_where_it_is_drawn_anew(track: FaceTrack) -> None:
    rng = np.random.default_rng(0)
    noisy = rng.integers(0, 256, track.faces[0].shape, np.uint8)
    plan = replace(
        plan_resynthesis(track, np.random.default_rng(1), []), region="lower_half", coarse=60.0, sharpen=0.0, noise=0.0
    )
    anew = plan._anew(noisy, 1.0, 0)

    def detail(picture: np.ndarray) -> float:
        return float(np.abs(cv2.Laplacian(picture.astype(np.float32), cv2.CV_32F)).mean())

    assert detail(anew) < 0.3 * detail(noisy)


def test_the_same_generator_draws_the_same(clip: Clip) -> None:
    one, two, other = (FAMILY.forge(clip, np.random.default_rng(s), []).track for s in (5, 5, 6))
    assert one is not None and two is not None and other is not None
    np.testing.assert_array_equal(one.faces, two.faces)
    assert (one.faces != other.faces).any()
