"""Swaps: another person's face, the target's motion, colours alike."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from avdetect.forge import face_swap
from avdetect.forge.colour_match import colours_of, matched
from avdetect.forge.contract import CannotForge
from avdetect.forge.mesh_warp import triangles_of, warp_map
from avdetect.types import Clip


def test_the_inner_face_is_the_donors(clip: Clip, others: list[Clip]) -> None:
    """The donor's features are painted black: this must turn up on the target, and nowhere outside of its face."""
    donor = others[0].track
    assert donor is not None and clip.track is not None
    faces = donor.faces.copy()
    faces[:, 60:100, 60:100] = (0, 0, 0)
    giver = dataclasses.replace(others[0], track=dataclasses.replace(donor, faces=faces))
    out = face_swap.FAMILY.forge(clip, np.random.default_rng(0), [giver]).track
    assert out is not None
    for faces, dark in ((clip.track.faces, False), (out.faces, True)):
        contrast = faces[5][72:88, 45:52].mean() - faces[5][72:88, 72:88].mean()
        assert (contrast > 40) == dark
    np.testing.assert_array_equal(out.faces[5][:10], clip.track.faces[5][:10])


def test_moments_are_the_nearest_and_do_not_flicker() -> None:
    found = np.linspace(0, 1, 11, dtype=np.float32)[:, None]
    wanted = np.array([0, 0, 0.5, 0.5, 1, 1], np.float32)[:, None]
    visible = np.ones(6, bool)
    np.testing.assert_array_equal(face_swap.nearest_moments(wanted, found, visible), [0, 0, 5, 5, 10, 10])
    noisy = 0.45 + 0.01 * np.random.default_rng(0).normal(size=(40, 1)).astype(np.float32)
    path = face_swap.nearest_moments(noisy, found, np.ones(40, bool))
    greedy = np.abs(noisy - found.T).argmin(1)
    assert set(path) <= {4, 5} and (np.diff(path) != 0).sum() < (np.diff(greedy) != 0).sum()


def test_heads_turned_otherwise_are_refused(clip: Clip, others: list[Clip]) -> None:
    track = others[0].track
    assert track is not None
    quality = dataclasses.replace(track.quality, yaw_deg=track.quality.yaw_deg + 45)
    turned = dataclasses.replace(others[0], track=dataclasses.replace(track, quality=quality))
    with pytest.raises(CannotForge, match="turned"):
        face_swap.FAMILY.forge(clip, np.random.default_rng(0), [turned])
    assert face_swap.FAMILY.forge(clip, np.random.default_rng(0), [turned, others[1]]).label.visual_fake


def test_colours_become_those_that_are_wanted() -> None:
    rng = np.random.default_rng(0)
    grey = cv2.GaussianBlur(rng.integers(60, 200, (80, 80, 3), dtype=np.uint8), (0, 0), 2)
    reddish = np.clip(grey.astype(int) // 2 + (90, 30, 20), 0, 255).astype(np.uint8)
    everywhere = np.ones((80, 80), np.float32)
    own, wanted = colours_of([(grey, everywhere)]), colours_of([(reddish, everywhere)])
    now = colours_of([(matched(grey, own, wanted, share=1.0), everywhere)])
    np.testing.assert_allclose(now.mean, wanted.mean, atol=2)
    half = colours_of([(matched(grey, own, wanted, share=0.5), everywhere)])
    np.testing.assert_allclose(half.mean, (own.mean + wanted.mean) / 2, atol=2)
    with pytest.raises(ValueError, match="mask"):
        colours_of([(grey, np.zeros((80, 80), np.float32))])


def test_a_piecewise_warp_of_an_affine_motion_is_that_motion() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(10, 90, (30, 2)), [[0, 0], [99, 0], [0, 99], [99, 99]]])
    matrix = np.array([[1.1, 0.1, 3], [-0.05, 0.9, -4]])
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    maps = warp_map(points, moved, triangles_of(points), (100, 100))
    y, x = np.mgrid[0:100, 0:100]
    expected = np.stack([x, y], -1) @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(maps - expected).max() < 1e-3


def test_outside_of_the_triangles_nothing_moves_if_so_wished() -> None:
    points = np.array([[40.0, 40], [60, 40], [50, 60], [50, 47]])
    bent = points + np.array([[0, 0], [0, 0], [0, 0], [4, 0]])
    maps = warp_map(points, bent, triangles_of(points), (100, 100), still_outside=True)
    y, x = np.mgrid[0:100, 0:100].astype(np.float32)
    shift = np.abs(maps - np.stack([x, y], -1)).max(-1)
    assert shift[47, 50] == pytest.approx(4, abs=0.1)
    assert shift[:38].max() < 1e-4 and shift[63:].max() < 1e-4 and shift[:, :38].max() < 1e-4
