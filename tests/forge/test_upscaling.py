"""Faces grown by a network: in place whatever it cuts off, without it a reason; a real network where there is one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from avdetect.forge.contract import CannotForge
from avdetect.forge.upscaling import FAMILY, REGIONS, VARIABLE, plan_upscaling, upscaled
from avdetect.types import Clip
from tests.small_upscaler import install_upscaler

NAMED = os.environ.get(VARIABLE, "")


def smooth(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


@pytest.mark.parametrize("size", [(40, 40), (31, 57), (8, 9)])
def test_what_is_grown_lies_where_it_lay(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = install_upscaler(tmp_path, monkeypatch)
    picture = smooth(*size)
    np.testing.assert_array_equal(upscaled(picture, str(path)), picture.repeat(2, axis=0).repeat(2, axis=1))


def test_every_region_is_drawn_and_the_rest_stays(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_upscaler(tmp_path, monkeypatch)
    track = clip.track
    assert track is not None
    plans = {(p := plan_upscaling(track, np.random.default_rng(s), [])).region: (s, p) for s in range(60)}
    assert set(plans) == set(REGIONS)
    for region, (seed, plan) in plans.items():
        made = FAMILY.forge(clip, np.random.default_rng(seed), []).track
        outside = plan._mask(0) == 0
        assert made is not None and outside.any() == (region != "crop")
        assert np.array_equal(made.faces[0][outside], track.faces[0][outside])
        assert not np.array_equal(made.faces[0][~outside], track.faces[0][~outside])
        inner = np.abs(made.faces[0].astype(float) - track.faces[0])[40:-40, 40:-40]
        assert inner.mean() < 25, "the same face in the same place"


def test_what_is_missing_is_named(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, track = np.random.default_rng(0), clip.track
    assert track is not None
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(CannotForge, match=rf"no network .*{VARIABLE}"):
        plan_upscaling(track, rng, [])
    path = install_upscaler(tmp_path, monkeypatch)
    path.write_text("something else")
    with pytest.raises(CannotForge, match="cannot be loaded"):
        upscaled(smooth(20, 20), str(path))
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(CannotForge, match="pip install"):
        upscaled(smooth(20, 20), str(path))
    path.unlink()
    with pytest.raises(CannotForge, match=r"double\.param is not there"):
        plan_upscaling(track, rng, [])


@pytest.mark.skipif(not NAMED, reason=f"no network for super-resolution: {VARIABLE} names none")
@pytest.mark.parametrize("path", NAMED.split(os.pathsep))
def test_a_real_network_draws_the_same_picture_larger(path: str) -> None:
    picture = smooth(48, 40)
    made = upscaled(picture, path)
    assert made.shape[0] % 48 == 0 and made.shape[0] > 48
    back = cv2.resize(made, (40, 48), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(back - picture).mean() < 8
