"""The command that prepares data: killed and repeated, it ends where an unbroken run ends."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow.parquet as pq
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


def command(videos: Path, out: Path, *more: str) -> list[str]:
    line = [sys.executable, "-m", "tools.prepare", str(videos / "list.csv"), "--out", str(out), "--workers", "2"]
    return [*line, *more]


def run(videos: Path, out: Path, *more: str) -> str:
    done = subprocess.run(command(videos, out, *more), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
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
    for row in store.index:
        assert row["group"] == f"/{row['identity']}" and row["label"] in ("RVRA", None) and len(row["sound_hash"]) == 64
        assert row["duration_s"] == row["ticks"] / 25 and row["media_bytes"] > 1000 and row["loudness_dbfs"] < 0
        assert (row["raw_offset_ms"] is None) == (row["path"] == "voice.mp4") == (row["picture_hash"] is None)
    for i in range(4):
        record = store.read(i)
        assert record.n_ticks >= 25 and record.audio is not None and record.speech is not None
        assert (record.mouths is None) == (i == 3)
    with (unbroken / "shards" / "rejected.csv").open(newline="") as file:
        ((path, reason),) = [(r["path"], r["reason"]) for r in csv.DictReader(file)]
    assert path == "broken.mp4" and "broken.mp4" in reason and len(reason) > len("broken.mp4") + 10
    assert pq.read_table(unbroken / "shards" / "rejected.parquet").to_pylist() == [{"path": path, "reason": reason}]


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL, and a look whether the workers end too."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, "workers outlive the killed program"


@pytest.mark.slow
def test_killed_at_five_random_moments_and_repeated_it_gives_the_same_bytes(
    videos: Path, unbroken: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    run(videos, tmp_path / "timed")
    whole = time.monotonic() - began
    rng, out, killed = random.Random(5), tmp_path / "out", 0
    for _ in range(5):
        process = subprocess.Popen(command(videos, out), cwd=ROOT, stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.1, 0.9) * whole)
        killed += process.poll() is None
        if process.poll() is None:
            kill(process)
    assert killed >= 1, "no run was caught at work"
    run(videos, out)
    assert content(out) == content(unbroken) == content(tmp_path / "timed")
    assert {p.name for p in out.iterdir()} == {"parts", "shards"}


@pytest.mark.slow
def test_killed_after_each_finished_file_it_goes_on_from_there(videos: Path, unbroken: Path, tmp_path: Path) -> None:
    for wanted in (1, 3, 5):
        process = subprocess.Popen(command(videos, tmp_path), cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < deadline:
            if len(list((tmp_path / "parts").rglob("[!.]*.part"))) >= wanted:
                break
            time.sleep(0.02)
        if process.poll() is None:
            kill(process)
        assert len(list((tmp_path / "parts").rglob("[!.]*.part"))) >= wanted
    run(videos, tmp_path)
    assert content(tmp_path) == content(unbroken)


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_done_and_says_so(videos: Path, unbroken: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(command(videos, tmp_path), cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_S
    while not list((tmp_path / "parts").rglob("[!.]*.part")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130 and b"of 5 files are done; the same command goes on" in told
    assert not (tmp_path / "shards").exists()
    run(videos, tmp_path)
    assert content(tmp_path) == content(unbroken)


@pytest.mark.slow
def test_shards_of_two_machines_are_merged_to_the_same_bytes(videos: Path, unbroken: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    for i in (0, 1):
        machine = tmp_path / f"machine{i}"
        told = run(videos, machine, "--shard", f"{i}/2")
        assert "of 5 files are done as shard" in told and not (machine / "shards").exists()
        if i == 0:
            shutil.copytree(machine / "parts", both / "parts")
            early = CliRunner().invoke(app, [str(videos / "list.csv"), "--out", str(both), "--merge"])
            assert early.exit_code == 2 and "have no part in" in early.output
        shutil.copytree(machine / "parts", both / "parts", dirs_exist_ok=True)
    run(videos, both, "--merge")
    assert content(both) == content(unbroken)


def test_what_was_done_is_not_done_again(videos: Path, unbroken: Path) -> None:
    parts = {p: p.stat().st_mtime_ns for p in (unbroken / "parts").rglob("[!.]*.part")}
    before = content(unbroken)
    assert len(parts) == 5
    run(videos, unbroken)
    assert {p: p.stat().st_mtime_ns for p in (unbroken / "parts").rglob("[!.]*.part")} == parts
    assert content(unbroken) == before


def test_a_reader_of_a_data_set_gives_the_same_clips(videos: Path, unbroken: Path, tmp_path: Path) -> None:
    shutil.copytree(unbroken / "parts", tmp_path / "parts")
    told = run(videos, tmp_path, "--source", "manifest")
    assert "4 clips of 4 of 5 files" in told and "files read in" not in told, "parts are named after files alone"
    rows, before = RecordStore(tmp_path).index, RecordStore(unbroken).index
    assert [(r["key"], r["group"], r["split"], r["label"]) for r in rows] == [
        (r["key"], r["group"], r["split"], r["label"]) for r in before
    ]


def test_a_wrong_source_ends_with_status_2(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("file\na.mp4\n")
    for source, words in ((tmp_path / "nowhere", "neither a folder"), (manifest, "no 'path'")):
        result = CliRunner().invoke(app, [str(source), "--out", str(tmp_path / "out")])
        assert result.exit_code == 2 and words in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--shard", "2/2"], "0 <= I < N"),
        (["--shard", "half"], "0 <= I < N"),
        (["--shard", "0/2", "--merge"], "give one of the two"),
        (["--merge"], "5 of 5 files have no part"),
        (["--source", "nothing"], "no source is called 'nothing'"),
        (["--source", "list"], "fakeavceleb"),
    ],
)
def test_wrong_options_say_what_is_wrong(videos: Path, tmp_path: Path, options: list[str], words: str) -> None:
    result = CliRunner().invoke(app, [str(videos / "list.csv"), "--out", str(tmp_path), *options])
    assert result.exit_code == 2 and words in result.output
