"""The evaluation commands on made-up tables of scores: files written, lines that fit, plain errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.data.store import RecordWriter
from avdetect.evaluation.sweep import sweep_table
from avdetect.evaluation.sweep_plot import plot_sweep
from avdetect.evaluation.table import ScoreTable
from tools.evaluate import app

RUN = CliRunner()


def scores(path: Path, *, people: range, seed: int = 0, skill: float = 2.0) -> Path:
    rng = np.random.default_rng(seed)
    rows = []
    for person in people:
        for i in range(4):
            fake = i % 2 == 1
            logit = rng.normal(skill if fake else -skill, 1.5)
            rows.append({
                "key": f"{person}/{i}", "path": f"{person}/{i}.mp4", "source": "made", "identity": f"p{person}",
                "group": f"made/p{person}", "visual_fake": fake, "audio_fake": False, "visual": logit, "audio": -1.0,
                "probability_fake": 1 / (1 + np.exp(-logit)), "method": "pen" if fake else "", "error": None,
            })  # fmt: skip
    ScoreTable.of_rows(rows, {"model": "m", "rejected": 3}).write(path)
    return path


def test_report_writes_everything_and_fits_the_terminal(tmp_path: Path) -> None:
    test = scores(tmp_path / "test.parquet", people=range(12))
    held = scores(tmp_path / "val.jsonl", people=range(20, 30), seed=1)
    done = RUN.invoke(
        app, ["report", str(test), "--validation", str(held), "--out", str(tmp_path / "out"), "--rounds", "20"]
    )
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert max(map(len, lines[:-1])) <= 100
    assert "48 clips of 12 people, 0 failed" in lines and "3 files or clips were rejected" in done.output
    (verdict,) = [line for line in lines if line.startswith("verdict")]
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert f"{found['heads']['verdict']['metrics']['auc']['value']:.3f}" in verdict
    assert (tmp_path / "out" / "report.png").stat().st_size > 10_000
    assert "AUC" in (tmp_path / "out" / "report.md").read_text()


def test_compare_one_metric(tmp_path: Path) -> None:
    a = scores(tmp_path / "a.parquet", people=range(10), skill=0.5)
    b = scores(tmp_path / "b.parquet", people=range(10), seed=3)
    done = RUN.invoke(app, ["compare", str(a), str(b), "--out", str(tmp_path), "--rounds", "30", "--metric", "auc"])
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "compare.json").read_text())["rows"]
    assert rows and {r["metric"] for r in rows} == {"auc"}


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no table of scores"), (b"PAR1nonsense", "cannot be read"), (b"", "cannot be read")],
)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes | None, said: str) -> None:
    for suffix in (".parquet", ".jsonl"):
        path = tmp_path / f"x{suffix}"
        if content is not None:
            path.write_bytes(content)
        done = RUN.invoke(app, ["report", str(path), "--out", str(tmp_path)])
        assert done.exit_code == 2 and said in done.output and str(path) in done.output, done.output


def test_foreign_tables_shared_people_and_unknown_metrics(tmp_path: Path) -> None:
    test = scores(tmp_path / "test.parquet", people=range(8))
    (tmp_path / "foreign.jsonl").write_text('{"a": 1}\n')
    for words, said in (
        ([str(tmp_path / "foreign.jsonl")], "is not a table of scores"),
        ([str(test), "--validation", str(test)], "share"),
        ([str(test), "--metric", "luck"], "'luck'"),
    ):
        done = RUN.invoke(app, ["report", *words, "--out", str(tmp_path)])
        assert done.exit_code == 2 and done.output.startswith("error: ") and said in done.output, done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("score --records {0}/none --out {0}/o.parquet", "no records in"),
        ("score --records {0}/records --where splt=dev --out {0}/o.parquet", "no column 'splt'"),
        ("score --records {0}/records --where split=dev --out {0}/o.parquet", "satisfies --where 'split=dev'"),
        ("sweep --records {0}/none --out {0}/o", "no records in"),
        ("sweep --records {0}/records --where split=val --bundle {0}/none --out {0}/o", "is not a bundle"),
        ("shifts {0}/none.csv --out {0}/o", "none.csv is neither"),
        ("shifts {0}/m.csv --out {0}/o --amounts 80,x", "--amounts: 'x' is no number"),
        ("shifts {0}/m.csv --out {0}/o --amounts nan", "--amounts: 'nan' is no number"),
        ("shifts {0}/m.csv --out {0}/o --split test", "has no clip of --split test"),
        ("shifts {0}/m.csv --out {0}/o --bundle {0}/none", "is not a bundle"),
    ],
)
def test_what_is_not_there_is_said_plainly(tmp_path: Path, words: str, said: str) -> None:
    with RecordWriter(tmp_path / "records") as writer:
        writer.add(b"no record", {"key": "a", "path": "a.mp4", "source": "s", "split": "val"})
    (tmp_path / "m.csv").write_text("path,split,duration_s\na.mp4,dev,4\n")
    done = RUN.invoke(app, words.format(tmp_path).split(" "))
    assert done.exit_code == 2 and done.output.startswith("error: ") and said in done.output, done.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.csv", "records"]


def test_what_has_no_value_is_null(tmp_path: Path) -> None:
    a, b = (scores(tmp_path / f"{n}.parquet", people=range(10), seed=i) for i, n in enumerate("ab"))
    made = "VOID = Metric(lambda t, c: float('nan'), 'void', api_version=1)\n"
    (tmp_path / "void.py").write_text(f"from avdetect.evaluation.metric import Metric\n{made}")
    words = ["compare", str(a), str(b), "--out", str(tmp_path), "--rounds", "5", "--metric", f"{tmp_path}/void.py:VOID"]
    assert RUN.invoke(app, words).exit_code == 0
    text = (tmp_path / "compare.json").read_text()
    assert "NaN" not in text and json.loads(text)["rows"][0]["p"] is None


def test_curves_and_table_of_a_sweep(tmp_path: Path) -> None:
    def row(kind: str, severity: int, auc: float | None) -> dict:
        missing = {"why_not": "one class only"}
        value = missing if auc is None else {"value": auc, "ci": [auc - 0.1, None]}
        return {"kind": kind, "severity": severity, "scored": 5, "labelled": 6, "auc": value, "ece": value}

    found = [row("clean", 0, 0.9), *(row("blur", s, 0.9 - s / 10) for s in range(1, 6)), row("codec", 1, None)]
    table = sweep_table(found)
    assert "| clean | 0 | 5 / 6 | 0.900 (0.800––) |" in table and "one class only" in table
    plot_sweep(found, tmp_path / "deep" / "sweep.png")
    assert (tmp_path / "deep" / "sweep.png").stat().st_size > 10_000
