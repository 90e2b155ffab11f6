"""The command that makes labelled sets: true manifests, resumable, deterministic, and no file stops the others."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.data.manifest import read_entries
from avdetect.data.sample import read_segments
from avdetect.media.reader import open_media
from avdetect.testing import write_synthetic_video
from tools.forge import app

FAMILIES = "mouth_freeze,self_blend"


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, a broken file and one that is forged already, with a manifest."""
    folder = tmp_path_factory.mktemp("videos")
    for i in range(2):
        write_synthetic_video(folder / f"speaker{i}.mp4", seconds=2, seed=i, width=320, height=240)
    (folder / "broken.mp4").write_bytes(b"this is no film" * 40)
    lines = ["path,identity,label", "speaker0.mp4,p0,RVRA", "broken.mp4,p8,RVRA", "speaker1.mp4,p1,FVRA"]
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def made(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("forged")
    return out, run(videos / "list.csv", "--out", out, "--family", FAMILIES, "--with-genuine", "--segment")


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def pictures(path: Path) -> np.ndarray:
    with open_media(path, sound=False) as reader:
        return np.concatenate([b.frames for b in reader.blocks() if b.frames is not None])


def test_the_manifest_says_what_was_made(made: tuple[Path, str]) -> None:
    out, said = made
    rows = {r["generator"]: r for r in rows_of(out)}
    assert set(rows) == {"", "mouth_freeze", "self_blend"}
    assert "3 made" in said
    for generator, row in rows.items():
        assert (row["identity"], row["source_video"], row["made_from"]) == ("p0", "speaker0.mp4", "speaker0.mp4")
        assert row["label"] == ("FVRA" if generator else "RVRA") and row["audio_fake"] == "0"
        segments = read_segments(row["segments"])
        kinds = {"": [], "self_blend": ["visual"], "mouth_freeze": ["visual", "sync"]}[generator]
        assert [s.kind for s in segments] == kinds
        assert all(0 < s.start_s < s.end_s < 2.04 and s.end_s - s.start_s > 0.79 for s in segments), segments
    assert {e.path.name for e in read_entries(out / "manifest.csv")} == {r["path"] for r in rows.values()}


def test_films_differ_from_the_genuine_copy_in_their_segments_only(made: tuple[Path, str]) -> None:
    out, _ = made
    rows = {r["generator"]: r for r in rows_of(out)}
    genuine, forged = pictures(out / rows[""]["path"]), pictures(out / rows["mouth_freeze"]["path"])
    assert genuine.shape == forged.shape
    difference = np.abs(genuine.astype(np.int16) - forged).max((1, 2, 3))
    (visual, _) = read_segments(rows["mouth_freeze"]["segments"])
    inside = np.zeros(len(genuine), bool)
    inside[round(visual.start_s * 25) : round(visual.end_s * 25)] = True
    # The encoder may spread its errors differently; an edit is far larger.
    assert np.median(difference[inside]) > 40 and np.median(difference[~inside]) < 25


def test_bad_files_are_named_and_the_others_go_on(made: tuple[Path, str]) -> None:
    _, said = made
    said = " ".join(said.split())
    assert "broken.mp4" in said and "forged already" in said and "failed" in said


def test_a_repeated_run_keeps_what_is_there_and_makes_what_is_missing(videos: Path, made: tuple[Path, str]) -> None:
    out, _ = made
    before = {r["path"]: (out / r["path"]).read_bytes() for r in rows_of(out)}
    manifest = (out / "manifest.csv").read_bytes()
    lost = next(name for name in before if "mouth_freeze" in name)
    (out / lost).unlink()
    said = run(videos / "list.csv", "--out", out, "--family", FAMILIES, "--with-genuine", "--segment")
    assert "1 made" in said and "2 kept" in said
    assert (out / "manifest.csv").read_bytes() == manifest
    for name, content in before.items():
        assert (out / name).read_bytes() == content, name
    assert not [p.name for p in out.iterdir() if p.name.startswith(".")]


def test_another_seed_makes_other_films(videos: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        run(videos / "speaker0.mp4", "--out", tmp_path, "--family", "mouth_loop", "--seed", seed, "--max-s", 1)
    first, second = rows_of(tmp_path)
    assert {first["seed"], second["seed"]} == {"0", "1"}
    assert (pictures(tmp_path / first["path"]) != pictures(tmp_path / second["path"])).any()
    assert len(pictures(tmp_path / first["path"])) == 25


def test_what_cannot_be_forged_is_said_once_and_remembered(videos: Path, tmp_path: Path) -> None:
    """A swap needs somebody else."""
    for _ in range(2):
        said = " ".join(run(videos / "speaker0.mp4", "--out", tmp_path, "--family", "face_swap", code=1).split())
        assert "refused" in said and "another person" in said
    assert rows_of(tmp_path) == []
    (row,) = (tmp_path / "rows").glob("*.json")
    assert "another person" in json.loads(row.read_text())["refused"]


def test_a_sheet_is_drawn(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    other = videos / "speaker1.mp4"
    said = run("sheet", videos / "speaker0.mp4", "--family", "face_swap", "--other", other, "--out", out)
    picture = cv2.imread(str(out))
    assert picture is not None and picture.shape[1] == 1600 and picture.std() > 20
    assert "visual: 0.00 s to 2.0" in said


def test_mistakes_are_explained(videos: Path, tmp_path: Path) -> None:
    said = run(videos / "speaker0.mp4", "--out", tmp_path, "--family", "magic", code=2)
    assert "magic" in said and "self_blend" in said
    assert "no such file" in run(tmp_path / "none.mp4", "--out", tmp_path, code=2)
    assert "error:" in run(
        "sheet", videos / "broken.mp4", "--family", "self_blend", "--out", tmp_path / "s.png", code=2
    )


def test_families_are_listed() -> None:
    said = run("families")
    assert "mouth_paste" in said and "blended" in said
