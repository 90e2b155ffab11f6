"""Forgeries of the picture on recordings of people."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from avdetect.clips import read_clips
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge
from avdetect.types import Clip

pytestmark = [pytest.mark.needs_data, pytest.mark.slow]
FAMILIES = ("self_blend", "face_swap", "mouth_paste", "mouth_freeze", "mouth_loop", "mouth_warp", "face_jitter")


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> list[Clip]:
    with (shared_data / "INDEX.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["label"] == "RVRA" and r["path"].startswith("lrc_ar/")]
    found = {r["identity"]: r for r in rows}
    return [read_clips(shared_data / r["path"])[1][0] for r in list(found.values())[:3]]


@pytest.mark.parametrize("name", FAMILIES)
def test_faces_of_people(name: str, clips: list[Clip]) -> None:
    done = 0
    for seed, clip in enumerate(clips):
        others = [c for c in clips if c is not clip]
        try:
            track = FORGERIES.get(name).forge(clip, np.random.default_rng(seed), others).track
        except CannotForge:
            continue
        before = clip.track
        assert track is not None and before is not None and before.matrices is not None
        change = np.abs(track.faces[before.visible].astype(np.int16) - before.faces[before.visible])
        # A visible edit, but the same picture still; the frame around the face is left alone but for a change of tone.
        assert 0.02 < change.mean() < 40
        assert np.abs(track.landmarks - before.landmarks).max() < 0.15
        done += 1
    assert done
