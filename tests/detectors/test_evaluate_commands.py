"""From prepared clips to a combination: score with each detector, fit, and use the file that comes of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.calibration import logit, sigmoid
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordWriter
from avdetect.detectors.combination import read_combination
from avdetect.evaluation.table import ScoreTable
from avdetect.testing import synthetic_clip
from tools.evaluate import app

LOUD = """
name, modalities = "loud", frozenset({"sound"})
def evidence(self, clips):
    return [Evidence.only(c.n_ticks, probability=float(np.clip(4 * np.abs(c.audio).mean(), 0, 1))) for c in clips]
"""
SLOPE = """
name, modalities = "slope", frozenset({"sound"})
def evidence(self, clips):
    if np.abs(clips[0].audio).max() == 0:
        raise RuntimeError("silence")
    change = [np.abs(np.diff(c.audio)).mean() / np.abs(c.audio).mean() for c in clips]
    return [Evidence.only(c.n_ticks, audio=np.full(c.n_ticks, 4 * x - 1, np.float32)) for c, x in zip(clips, change)]
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty voices, every other one called forged and louder; the last one says nothing."""
    folder = tmp_path_factory.mktemp("records")
    with RecordWriter(folder) as writer:
        for i in range(30):
            clip, fake = synthetic_clip(i, 30, face=False), i % 2
            assert clip.audio is not None
            gain = 0.0 if i == 29 else 1.0 if fake else 0.4
            clip = dataclasses.replace(clip, audio=clip.audio * np.float32(gain))
            known = {"visual_fake": "", "audio_fake": str(fake), "identity": f"p{i // 2}", "split": "val"}
            place = {"key": f"c{i}", "path": f"c{i}.wav", "source": "s", "track_id": -1, "start_tick": 0}
            meta = {**place, **known, "generator": ""}
            writer.add(encode(record_of(clip, meta["key"], meta, speech=np.ones(30))), meta)
    return folder


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done.output


def test_scores_of_two_detectors_become_a_combination(
    plugin: Callable[[str], str], records: Path, tmp_path: Path
) -> None:
    tables = {}
    for name, body in (("loud", LOUD), ("slope", SLOPE)):
        out = tmp_path / f"{name}.parquet"
        words = ["score", "--records", records, "--where", "split=val", "--detector", plugin(body), "--out", out]
        said = run(*words)
        tables[name] = ScoreTable.read(out)
        assert tables[name].about["detector"] == {"name": name, "version": "0.3", "distribution": ""}
        assert ("1 failed" in said) == (name == "slope")
    assert "made1.py:Made" in tables["slope"]["error"][29] and "silence" in tables["slope"]["error"][29]
    mean = float(np.abs(synthetic_clip(1, 30, face=False).audio).mean())  # type: ignore[arg-type]
    assert tables["loud"]["probability_fake"][1] == pytest.approx(min(1.0, 4 * mean), abs=0.05)
    both = tmp_path / "both.json"
    said = run("combine", tmp_path / "loud.parquet", tmp_path / "slope.parquet", "--out", both)
    assert "15 genuine and 14 forged clips of 15 people" in said and "1 failed" in said
    data = json.loads(both.read_text())
    loud, slope = data["detectors"]
    assert loud["weight"] > abs(slope["weight"]), "what tells them apart is how loud they are"
    assert data["figures"]["combination"]["auc"] > 0.9
    a, b = (float(tables[n]["probability_fake"][3]) for n in ("loud", "slope"))
    expected = sigmoid(data["bias"] + loud["weight"] * logit(a) + slope["weight"] * logit(b))
    assert read_combination(both).probability({"loud": a, "slope": b}) == pytest.approx(float(expected))


def test_a_table_is_not_resumed_by_changed_code(plugin: Callable[[str], str], records: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    run("score", "--records", records, "--where", "split=val", "--detector", plugin(LOUD), "--out", out)
    first = ScoreTable.read(out)
    louder = plugin(LOUD.replace("4 *", "2 *"))
    run("score", "--records", records, "--where", "split=val", "--detector", louder, "--out", out)
    second = ScoreTable.read(out)
    assert first.about["model"] != second.about["model"]
    assert (first.numbers("probability_fake")[:29] != second.numbers("probability_fake")[:29]).all()


def test_plain_errors(records: Path, tmp_path: Path) -> None:
    for options, said in (
        (["--detector", "avnett"], "did you mean 'avnet'"),
        (["--detector", "made.py:Made", "--bundle", "x"], "--bundle is for the detector avnet"),
    ):
        words = ["score", "--records", str(records), "--where", "split=val", "--out", str(tmp_path / "o"), *options]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2 and done.output.startswith("error: ") and said in done.output, done.output
