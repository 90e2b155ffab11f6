"""Forgeries of the picture on recordings of people."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from avdetect.clips import read_clips
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge
from avdetect.forge.films import Film, forge_film, key_rng, read_film, write_film
from avdetect.forge.mouth_motion import opening
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


@pytest.fixture(scope="module")
def speech(shared_data: Path) -> Film:
    with (shared_data / "INDEX.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["path"].startswith("video_retalking_inputs/")]
    for row in rows:
        if row["label"] == "RVRA" and float(row["duration_s"]) >= 4:
            film = read_film(shared_data / row["path"], 4.0)
            # Somebody who opens the mouth: 2.5 pixels of the face crop.
            if film.clip.track is not None and opening(film.clip.track.landmarks).std() > 0.015:
                return film
    pytest.skip("nobody opens the mouth")


@pytest.mark.parametrize("name", ["mouth_loop", "mouth_paste", "mouth_warp"])
def test_lips_that_are_found_in_the_written_film_are_those_of_the_label(
    name: str, speech: Film, tmp_path: Path
) -> None:
    """The tracker, which knows nothing of the edit, sees the planned lips move and not the true ones."""
    family = FORGERIES.get(name)
    plan = family.forge.plan(speech.clip, key_rng(name, 0), [])
    write_film(speech, forge_film(speech, family, key_rng(name, 0), []), tmp_path / "forged.mp4")
    found = read_clips(tmp_path / "forged.mp4")[1][0].track
    true = speech.clip.track
    assert found is not None and true is not None
    n = min(found.n_ticks, true.n_ticks)
    seen, planned, was = (opening(m)[:n] for m in (found.landmarks, plan.landmarks, true.landmarks))
    assert np.corrcoef(seen, planned)[0, 1] > 0.75
    assert np.corrcoef(seen, was)[0, 1] < 0.5
