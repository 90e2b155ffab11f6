"""The stages of docs/training.md, from raw videos to a bundle and a page of results, on a few of the real clips."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import avdetect

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.needs_data, pytest.mark.timeout(2400)]
TINY = (
    "model.sync_landmarks.width=32 model.sync_pixels.width=32 model.visual.widths=8,16,16 model.audio.widths=8,8 "
    "model.audio.hidden=16 data.ticks=32 data.val_examples=32 data.offsets= train.batch=8 train.steps=12 "
    "train.log_every=4 train.eval_every=12 train.save_every=12 data.per_person=2"
)


def small_manifest(data: Path, target: Path) -> None:
    """A few clips of a few people of each kind: both splits, all four labels that the data have."""
    wanted = Counter({"LRC-AR": 14, "LRS3": 24, "TalkVid": 10, "CelebV-Text (silent)": 3, "VoxCeleb2": 4})
    with (data / "INDEX.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen, people = [], Counter()
    for row in rows:
        person = (row["source"], row["identity"], row["label"])
        if wanted[row["source"]] > 0 and people[person] < 2 and float(row["duration_s"]) < 6:
            wanted[row["source"]] -= 1
            people[person] += 1
            chosen.append({**row, "path": str(data / row["path"])})
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(chosen)


def commands() -> dict[str, list[str]]:
    """The lines of the page by the program that they start, with their continuations joined."""
    page = (ROOT / "docs" / "training.md").read_text()
    block = page.split("<!-- stages -->")[1].split("```console")[1].split("```")[0].replace("\\\n", " ")
    lines = [line.lstrip("$ ").strip() for line in block.splitlines() if line.strip()]
    found: dict[str, list[str]] = {}
    for line in lines:
        words = re.findall(r'"[^"]*"|\S+', line)
        assert words[:2] == ["python", "-m"], line
        name = f"{words[2]} {words[3]}" if words[2] == "tools.evaluate" else words[2]
        found[name] = [w.strip('"') for w in words[2:]]
        if "val.parquet" in line and name == "tools.evaluate score":
            found["validation"] = found.pop("tools.evaluate score")
    return found


def test_from_raw_videos_to_results(shared_data: Path, tmp_path: Path) -> None:
    stages = commands()
    assert list(stages) == [
        "tools.prepare", "tools.audit_data", "train.run", "tools.export", "validation", "tools.evaluate score",
        "tools.evaluate report",
    ]  # fmt: skip
    small_manifest(shared_data, tmp_path / "small.csv")

    def run(name: str, *more: str) -> str:
        words = [w.replace("../shared/data/INDEX.csv", str(tmp_path / "small.csv")) for w in stages[name]]
        words = [str(tmp_path / w) if w.startswith("work/") else w for w in words]
        words = ["2" if before == "--workers" else w for before, w in zip(["", *words], words, strict=False)]
        done = subprocess.run(
            [sys.executable, "-m", *words, *more], cwd=ROOT, capture_output=True, text=True, timeout=1500
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    run("tools.prepare")
    assert "shortcut" in run("tools.audit_data").lower()
    records = str(tmp_path / "work/records")
    changes = [x for assignment in (*TINY.split(), f"data.records={records}") for x in ("--set", assignment)]
    run("train.run", *changes)
    run("tools.export")
    assert avdetect.load(tmp_path / "work/bundle").card["name"] == "mine"
    for name in ("validation", "tools.evaluate score"):
        run(name)
    run("tools.evaluate report", "--rounds", "20")
    report = json.loads((tmp_path / "work/results/report.json").read_text())
    assert report and (tmp_path / "work/results/report.png").stat().st_size > 10_000
    page = (tmp_path / "work/results/report.md").read_text()
    assert "AUC" in page and "failed and have no score" in page
