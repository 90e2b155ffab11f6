"""From a made-up score table to figures; nothing here needs JAX."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.evaluation.metric import HEADS, view
from avdetect.evaluation.registry import METRICS
from avdetect.evaluation.results import markdown, results
from avdetect.evaluation.table import ScoreTable, check_disjoint
from avdetect.metrics import auc
from tools.evaluate import app


def made_up(people: range, *, seed: int = 0, skill: float = 1.5) -> ScoreTable:
    rng = np.random.default_rng(seed)
    rows = []
    for p in people:
        for i, (visual, audio) in enumerate([(False, False), (False, False), (True, False), (False, True)]):
            fake = visual or audio
            logit = float(rng.normal(skill if fake else -skill, 1.5))
            row = {
                "key": f"{p}-{i}", "path": f"{p}-{i}.mp4", "source": "drawn", "identity": f"p{p}", "group": f"g{p}",
                "method": "swap" if visual else "vocoder" if audio else "", "compression": "c23", "error": "",
                "visual_fake": visual, "audio_fake": audio, "probability_fake": 1 / (1 + np.exp(-logit)),
                "visual": float(rng.normal(visual * 2, 1)), "audio": float(rng.normal(audio * 2, 1)),
                "sync": float(rng.normal(-1, 1)), "sync_swapped": float(rng.normal(1, 1)) if not fake else None,
                "classes": np.eye(4)[int(visual) + 2 * int(audio)].tolist(), "container": "mp4", "media_fps": 25.0,
                "segments": [[1.0, 2.0, "visual"]] if visual else None,
                "predicted": [[1.0, 2.0, "visual", 0.9]] if visual else None,
                "lse_c": 0.2, "lse_d": 1.1, "context_hits": {"5": [8, 10], "15": [9, 9]},
            }  # fmt: skip
            rows.append(row)
    rows[1] |= {"error": "ValueError: broken", "probability_fake": None, "visual": None, "audio": None}
    return ScoreTable.of_rows(rows, {"model": "m"})


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl"])
def test_a_table_comes_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    table = made_up(range(3))
    table.write(tmp_path / name)
    back = ScoreTable.read(tmp_path / name)
    assert back.about == {"model": "m"} and back.rows() == table.rows()
    (tmp_path / "no.jsonl").write_text('{"schema": "other"}\n')
    with pytest.raises(ValueError, match="not a table of scores"):
        ScoreTable.read(tmp_path / "no.jsonl")


def test_keys_are_there_and_unique() -> None:
    with pytest.raises(ValueError, match="two rows of 'a'"):
        ScoreTable.of_rows([{"key": "a"}, {"key": "a"}])
    with pytest.raises(ValueError, match="no 'key'"):
        ScoreTable.of_rows([{"path": "a"}])


def test_figures_are_those_of_the_scores() -> None:
    table = made_up(range(20))
    found = results(table, made_up(range(50, 70), seed=1), rounds=60)
    assert found["coverage"] == {"clips": 80, "failed": 1, "people": 20, "rejected": None}
    head = found["heads"]["verdict"]
    assert (head["labelled"], head["scored"], head["forged"], head["genuine"]) == (80, 79, 40, 39)
    v = view(table, HEADS["verdict"])
    value = head["metrics"]["auc"]
    assert value["value"] == pytest.approx(auc(v.positive, v.negative)) and value["ci"][0] < value["value"]
    assert 0.0 < head["threshold"] < 1.0 and head["metrics"]["accuracy"]["value"] > 0.7
    assert head["slices"]["method"]["swap"]["forged"] == 20 and head["slices"]["method"]["swap"]["genuine"] == 39
    # Genuine pictures score about 0, which is no logit: its bias is found on the validation clips.
    calibrated = found["heads"]["visual"]["calibrated"]
    assert set(calibrated) == {"before", "temperature", "Platt", "isotonic"}
    assert calibrated["Platt"]["nll"] < calibrated["before"]["nll"] and calibrated["Platt"]["ece"] < 0.15
    sync = found["heads"]["sync"]
    assert (sync["forged"], sync["genuine"]) == (40, 40) and sync["metrics"]["auc"]["value"] > 0.8
    assert sync["metrics"]["brier"] == {"why_not": "the scores are not probabilities"}
    clips = found["clips"]
    assert clips["four_way macro F1"]["value"] == 1.0
    assert clips["offset_accuracy K=5"]["value"] == pytest.approx(0.8) and clips["lse C"]["value"] == 0.2
    assert clips["segment_ap @0.95"]["value"] == pytest.approx(1.0) and clips["segment_ar @5"]["value"] == 1.0
    json.dumps(found, allow_nan=False)
    assert "1 failed" in markdown(found)


def test_without_validation_no_threshold_is_made_up() -> None:
    head = results(made_up(range(6)), metrics=["accuracy"], rounds=5)["heads"]["verdict"]
    assert head["threshold"] is None and head["metrics"]["accuracy"] == {"why_not": "no validation clips were given"}


def test_validation_must_be_of_other_people() -> None:
    with pytest.raises(ValueError, match="share 4 clips"):
        check_disjoint(made_up(range(5)), made_up(range(4, 6)))
    rows = [{**r, "key": "x" + r["key"], "group": ""} for r in made_up(range(2)).rows()]
    with pytest.raises(ValueError, match="share 2 people"):
        results(made_up(range(5)), ScoreTable.of_rows(rows))
    other = [{**r, "key": "x" + r["key"], "source": "other"} for r in made_up(range(2)).rows()]
    with pytest.raises(ValueError, match="share 2 groups"):
        check_disjoint(made_up(range(5)), ScoreTable.of_rows(other))


def test_every_metric_of_the_registry_is_one(tmp_path: Path) -> None:
    assert all(METRICS.get(name).title for name in METRICS.builtins())
    made_up(range(8)).write(tmp_path / "s.parquet")
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "s.parquet"), "--out", str(tmp_path), "--metric", "auc", "--rounds", "20"]
    )
    assert done.exit_code == 0, done.output
    assert list(json.loads((tmp_path / "report.json").read_text())["heads"]["verdict"]["metrics"]) == ["auc"]
    assert "| auc |" in (tmp_path / "report.md").read_text()
