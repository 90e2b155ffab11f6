"""Talking puppets: lips that follow phonemes, with a library that stands in for espeak-ng's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.data.puppet_records import portrait_mesh, puppet_record
from avdetect.data.records import decode, encode
from avdetect.forge import puppets
from avdetect.forge.contract import CannotForge
from avdetect.forge.phoneme_timing import Spoken, speak
from avdetect.forge.puppets import CHIN_TIP, LEFT_CORNER, RIGHT_CORNER, lip_moves, moved
from avdetect.testing import synthetic_clip
from avdetect.types import TICK_RATE
from tools.puppets import app

PHONEMES = ((0.0, "m"), (0.2, "a"), (0.5, "m"), (0.7, "'i:"), (1.0, "u"), (1.3, "p"), (1.45, "_"))


def spoken(text: str = "", voice: str = "", *, words_a_minute: int = 0, pitch: int = 0) -> Spoken:
    del text, voice, words_a_minute, pitch
    rng = np.random.default_rng(0)
    return Spoken(rng.normal(0, 0.1, round(1.6 * 22050)).astype(np.float32), 22050, PHONEMES)


@pytest.fixture(scope="module")
def mesh() -> np.ndarray:
    track = synthetic_clip(2, 20).track
    assert track is not None
    return track.landmarks[0]


@pytest.mark.parametrize("seed", range(5))
def test_the_mouth_does_what_is_said(seed: int) -> None:
    moves = lip_moves(spoken(), 40, np.random.default_rng(seed))
    at = {name: moves[round(t * TICK_RATE)] for name, t in
          {"m1": 0.08, "a": 0.34, "m2": 0.6, "i": 0.85, "u": 1.15, "p": 1.38}.items()}  # fmt: skip
    assert at["a"][0] > 3 * max(at["m1"][0], at["m2"][0], at["p"][0], 0.02)
    assert at["i"][1] > 0.1 > at["u"][1], "spread for i, narrow for u"
    assert at["u"][2] > 3 * at["a"][2], "rounded for u"
    assert (moves[:, 0] >= 0).all() and moves[:, 0].max() <= 1.3


def test_the_mesh_follows(mesh: np.ndarray) -> None:
    moves = np.zeros((30, 3))
    moves[10:20, 0] = 1.0
    moves[20:, 2] = 1.0
    made = moved(mesh.astype(float), moves, np.random.default_rng(1))
    assert made.shape == (30, 468, 3) and made.dtype == np.float32 and np.isfinite(made).all()
    gap = made[:, 14, 1] - made[:, 13, 1]
    width = np.linalg.norm(made[:, RIGHT_CORNER] - made[:, LEFT_CORNER], axis=1)
    assert gap[10:20].min() > gap[:10].max() + 0.1 * width.mean(), "lips part"
    assert made[10:20, CHIN_TIP, 1].mean() > made[:10, CHIN_TIP, 1].mean(), "the jaw falls"
    assert width[20:].max() < width[:10].min(), "rounded lips are narrow"
    still = [10, 338, 168]
    assert np.abs(made[:, still] - made[:, still].mean(axis=0)).max() < 0.05, "the forehead stays"


def test_records_are_repeatable_and_whole(mesh: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(puppets, "speak", spoken)
    one, again, other = (puppet_record([mesh], n, person=3, seconds=1.2, seed=0) for n in (1, 1, 2))
    assert encode(one) == encode(again) != encode(other)
    back = decode(encode(one))
    assert back.n_ticks == 30 and back.audio is not None and len(back.audio) == 30 * 640
    assert back.meta["audio_fake"] == back.meta["visual_fake"] == "1" and back.meta["identity"] == "puppet003"


def test_a_picture_without_a_face_is_named(tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((240, 320, 3), 90, np.uint8))
    with pytest.raises(ValueError, match=r"no face is found in .*blank\.png"):
        portrait_mesh(blank)
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    run = CliRunner().invoke(app, [str(text), "--out", str(tmp_path / "out")])
    assert run.exit_code == 2 and "text.jpg cannot be read" in run.output and not (tmp_path / "out").exists()


def test_the_real_engine_times_its_phonemes() -> None:
    try:
        found = speak("Both judges agreed.", "en-us+m1", words_a_minute=160, pitch=50)
    except CannotForge as error:
        pytest.skip(f"no engine: {error}")
    starts = [start for start, _ in found.phonemes]
    assert starts == sorted(starts) and starts[-1] < len(found.audio) / found.rate
    assert any(name.lstrip("',").startswith("b") for _, name in found.phonemes)
    with pytest.raises(CannotForge, match="no voice"):
        speak("Hello.", "nobody", words_a_minute=160, pitch=50)
