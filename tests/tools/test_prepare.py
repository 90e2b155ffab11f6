"""The command that prepares data: killed and repeated, it ends where an unbroken run ends."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from avdetect.data.store import RecordStore
from avdetect.testing import write_synthetic_video
from tools.prepare import app

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 800
pytestmark = pytest.mark.timeout(5 * PATIENCE_S)  # runs of some ten seconds, on a machine that may be busy


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short films, a voice and a broken file, with a manifest."""
    folder = tmp_path_factory.mktemp("videos")
    for i in range(3):
        write_synthetic_video(folder / f"speaker{i}.mp4", seconds=1.2, seed=i, width=320, height=240)
    write_synthetic_video(folder / "voice.mp4", seconds=1.2, seed=7, picture=False)
    (folder / "broken.mp4").write_bytes(b"this is no film" * 40)
    lines = ["path,identity,label", *(f"speaker{i}.mp4,p{i},RVRA" for i in range(3))]
    (folder / "list.csv").write_text("\n".join([*lines, "broken.mp4,p8,RVRA", "voice.mp4,p7,RVRA"]) + "\n")
    return folder


def command(videos: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "tools.prepare", str(videos / "list.csv"), "--out", str(out), "--workers", "2"]


def run(videos: Path, out: Path) -> str:
    done = subprocess.run(command(videos, out), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def content(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((out / "shards").iterdir())}


@pytest.fixture(scope="module")
def unbroken(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken")
    told = run(videos, out)
    assert "4 clips of 4 of 5 files" in told and "1 rejected" in told
    return out


def test_a_broken_file_is_rejected_with_its_reason_and_the_rest_is_there(unbroken: Path) -> None:
    store = RecordStore(unbroken)
    assert [row["path"] for row in store.index] == ["speaker0.mp4", "speaker1.mp4", "speaker2.mp4", "voice.mp4"]
    assert [row["identity"] for row in store.index] == ["p0", "p1", "p2", "p7"]
    for i in range(4):
        record = store.read(i)
        assert record.n_ticks >= 25 and record.audio is not None and record.speech is not None
        assert (record.mouths is None) == (i == 3)
    with (unbroken / "shards" / "rejected.csv").open(newline="") as file:
        ((path, reason),) = [(r["path"], r["reason"]) for r in csv.DictReader(file)]
    assert path == "broken.mp4" and "broken.mp4" in reason and len(reason) > len("broken.mp4") + 10


@pytest.mark.slow
def test_killed_at_any_moment_and_repeated_it_gives_the_same_bytes(
    videos: Path, unbroken: Path, tmp_path: Path
) -> None:
    rng = random.Random(5)
    for attempt in range(3):
        process = subprocess.Popen(command(videos, tmp_path), cwd=ROOT, stdout=subprocess.DEVNULL)
        wanted = min(4, len(list((tmp_path / "parts").rglob("*.part"))) + 1)
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < deadline:
            if len(list((tmp_path / "parts").rglob("*.part"))) >= wanted:
                break
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.3))
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive, f"workers outlive the killed program (attempt {attempt})"
    run(videos, tmp_path)
    assert content(tmp_path) == content(unbroken)
    assert not list(tmp_path.glob("shards.new"))


def test_what_was_done_is_not_done_again(videos: Path, unbroken: Path) -> None:
    parts = {p: p.stat().st_mtime_ns for p in (unbroken / "parts").rglob("*.part")}
    before = content(unbroken)
    assert len(parts) == 5
    run(videos, unbroken)
    assert {p: p.stat().st_mtime_ns for p in (unbroken / "parts").rglob("*.part")} == parts
    assert content(unbroken) == before


def test_a_wrong_source_ends_with_status_2(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("file\na.mp4\n")
    for source, words in ((tmp_path / "nowhere", "neither a folder"), (manifest, "no 'path'")):
        result = CliRunner().invoke(app, [str(source), "--out", str(tmp_path / "out")])
        assert result.exit_code == 2 and words in result.output
    assert not (tmp_path / "out").exists()
