"""Nothing that was there, and nothing that was scored, is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from avdetect.cli import app
from avdetect.commands import targets
from avdetect.commands.writing import names, write_whole

FULL = Path("/dev/full")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def verdicts(folder: Path) -> dict[str, str]:
    return {p.name: json.loads(p.read_text()).get("verdict", "error") for p in folder.iterdir()}


@pytest.mark.parametrize("link", [None, os.link, os.symlink])
@pytest.mark.parametrize(
    "options",
    [
        ["score", "--json", "--out"],
        ["score", "--jsonl", "--out"],
        ["score", "--format", "tsv", "--force", "--out"],
        ["audit", "--json", "--out"],
        ["audit", "--plot"],
        ["audit", "--force", "--plot"],
    ],
    ids=" ".join,
)
def test_an_input_is_never_written_over(folder: Path, options: list[str], link: Any) -> None:
    (folder / "evidence.png").write_text("real")
    target = "evidence.png"
    if link is not None:
        target = "other.png" if "--plot" in options else "other.json"
        link("evidence.png", target)
    for name in [target] if link else [target, "real.mp4"]:
        source = "real.mp4" if name == "real.mp4" else "evidence.png"
        result = run(options[0], source, *options[1:], name)
        assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1, result.output
        assert (folder / source).read_text() == "real"


def test_a_file_that_is_there_is_overwritten_only_when_asked(folder: Path) -> None:
    for name in ("old.json", "old.jsonl", "old.txt"):
        options = ["--format", "table"] if name == "old.txt" else []
        (folder / name).write_text("old")
        result = run("score", "real.mp4", "--out", name, *options)
        assert result.exit_code == 2 and "is there already" in result.stderr and "--force" in result.stderr
        assert ("--skip-done" in result.stderr) == (name == "old.jsonl")
        assert (folder / name).read_text() == "old"
        assert run("score", "real.mp4", "--out", name, "--force", *options).exit_code == 0
        assert "real" in (folder / name).read_text()
    (folder / "empty.json").touch()
    assert run("score", "real.mp4", "--out", "empty.json").exit_code == 0, "there is nothing to lose"


def test_reports_of_other_files_are_kept(folder: Path) -> None:
    (folder / "r").mkdir()
    (folder / "r/real.mp4.json").write_text("my own notes")
    run("score", "x", "real.mp4", "--out", "r")
    run("score", "y", "--out", "r")
    assert (folder / "r/real.mp4.json").read_text() == "my own notes"
    (folder / "r/real.mp4.json").unlink()
    expected = {"c.mp4.json": "real", "real.mp4.2.json": "real", "c.mp4.2.json": "fake"}
    assert verdicts(folder / "r") == expected
    run("score", "y", "x", "--out", "r")
    assert verdicts(folder / "r") == expected, "newer reports of the same files take the place of the old ones"
    run("audit", "x", "--out", "r")
    assert verdicts(folder / "r") == {**expected, "c.mp4.3.json": "error"}, "an audit is no report"


def test_the_same_relative_name_elsewhere_is_another_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("x", "y", "x"):
        monkeypatch.chdir(folder / place)
        run("score", "c.mp4", "--out", str(folder / "r"))
        monkeypatch.chdir(folder)
    assert sorted(json.loads(p.read_text())["verdict"] for p in (folder / "r").iterdir()) == ["fake", "real"]


def test_a_name_that_is_too_long_is_cut(folder: Path) -> None:
    stem = "ä" * 123
    for letter in "ab":
        (folder / f"{stem}{letter}.mp4").write_text("real")
    assert run("score", f"{stem}a.mp4", f"{stem}b.mp4", "--out", "r").exit_code == 0
    found = list((folder / "r").iterdir())
    assert len(found) == 2 and all(len(os.fsencode(p.name)) <= 255 and p.name.endswith(".json") for p in found)
    first = next(names(folder, Path("short.mp4"), ".json"))
    assert first == folder / "short.mp4.json"


def test_one_report_that_cannot_be_written_costs_only_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, text: str) -> None:
        if path.name == "fake.mp4.json":
            raise OSError(28, "No space left on device", str(path))
        write_whole(path, text)

    monkeypatch.setattr(targets, "write_whole", write)
    result = run("score", "fake.mp4", "real.mp4", "--out", "r")
    assert result.exit_code == 1 and verdicts(folder / "r") == {"real.mp4.json": "real"}
    assert result.stderr == "avdetect: fake.mp4: its report cannot be written: No space left on device\n"
    assert len(result.stdout.splitlines()) == 3, "the result itself is shown"


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("options", [["--json"], ["--jsonl"], ["--format", "table"]])
def test_a_full_disk_is_a_line(folder: Path, options: list[str]) -> None:
    result = run("score", "real.mp4", "fake.mp4", "--out", str(FULL), *options)
    assert result.exit_code == 1 and "real.mp4" in result.stdout, "what was done is shown"
    assert result.stderr == "avdetect: cannot write --out /dev/full: No space left on device\n"


def test_half_a_file_does_not_stay(folder: Path) -> None:
    target = folder / "a.json"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, "\ud800")
    assert target.read_text() == "old" and not list(folder.glob(".*.part*"))
    link = folder / "link.json"
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink() and target.read_text() == "new"


def test_an_interrupt_writes_what_is_done(folder: Path) -> None:
    paths = ["real.mp4", "stop.mp4", "fake.mp4"]
    for options, said in ((["--json"], '"real"'), (["--format", "table"], "real.mp4")):
        result = run("score", *paths, *options)
        assert result.exit_code == 130 and said in result.stdout
        assert result.stderr == "avdetect: interrupted: 1 of 3 done\n"
    result = run("score", *paths, "--out", "all.json")
    assert [entry["verdict"] for entry in json.loads((folder / "all.json").read_text())] == ["real"]
    result = run("audit", *paths, "--out", "r")
    assert result.exit_code == 130 and "1 of 3 done; the same command with --skip-done goes on" in result.stderr
    assert run("score", "stop.mp4", "--json").stdout == "", "nothing is no result"


@pytest.mark.parametrize("out", ["r", "all.jsonl"])
def test_what_is_done_is_left_out(folder: Path, out: str) -> None:
    """An interrupted batch goes on; failed and changed files are tried again."""
    options = ["--out", out, "--skip-done"]
    assert run("score", "fake.mp4", "broken.mp4", "stop.mp4", "real.mp4", *options).exit_code == 130
    if out == "all.jsonl":
        with open(out, "a") as file:
            file.write('{"schema": "avdetect.rep')  # a line that was cut off
    (folder / "stop.mp4").write_text("real")
    (folder / "broken.mp4").write_text("late")
    paths = ["fake.mp4", "broken.mp4", "stop.mp4", "real.mp4"]
    result = run("score", *paths, *options, "--fail-on", "fake")
    assert result.stderr == "avdetect: 1 of 4 files done already, left out (--skip-done)\n"
    assert result.exit_code == 3, "a verdict of the earlier run counts"
    assert [line.split("\t")[7] for line in result.stdout.splitlines()] == ["file", *paths[1:]]
    again = run("score", *paths, *options)
    assert again.exit_code == 0 and "4 of 4 files done already" in again.stderr
    if out == "all.jsonl":
        entries = [json.loads(line) for line in (folder / out).read_text().splitlines()]
        assert [entry["file"]["path"] for entry in entries] == paths and all("verdict" in entry for entry in entries)
    else:
        assert len(verdicts(folder / out)) == 4
    (folder / "real.mp4").write_text("fake")
    assert "3 of 4 files done already" in run("score", *paths, *options).stderr, "its bytes changed"
    assert "done already" not in run("audit", *paths, *options).stderr, "an audit is another result"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--skip-done needs --out FOLDER or --out FILE.jsonl"),
        (["--out", "a.json"], "written at the end"),
        (["--out", "r", "--force"], "exclude each other"),
        (["--out", "notes.jsonl"], "line 1 is no report"),
    ],
)
def test_where_there_is_no_going_on(folder: Path, options: list[str], said: str) -> None:
    (folder / "notes.jsonl").write_text("milk\n")
    result = run("score", "real.mp4", "--skip-done", *options)
    assert result.exit_code == 2 and said in result.stderr and (folder / "notes.jsonl").read_text() == "milk\n"


def test_plots_are_kept_apart(folder: Path) -> None:
    for expected in (["plots/c.mp4.png", "plots/c.mp4.2.png"], ["plots/c.mp4.3.png", "plots/c.mp4.4.png"]):
        result = run("audit", "x", "y", "--plot", "plots", "--jsonl")
        assert [json.loads(line)["plot"] for line in result.stdout.splitlines()] == expected
    assert len(list((folder / "plots").iterdir())) == 4
    assert run("audit", "x/c.mp4", "--plot", "a.svg").exit_code == 0
    assert b"<svg" in (folder / "a.svg").read_bytes()
    assert "is there already" in run("audit", "x/c.mp4", "--plot", "a.svg").stderr


def test_a_plot_that_fails_keeps_the_audit(folder: Path) -> None:
    result = run("audit", "late.mp4", "--json", "--plot", "real.mp4/late.png")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["band"] == "sound late" and "plot" not in found
    assert result.stderr.startswith("avdetect: late.mp4: the plot real.mp4/late.png was not written: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--plot", "foo.jpg"], "plots end in .png, .svg, .pdf"),
        (["--fix", "x.avi"], ".avi is not written; use one of .mp4"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(folder: Path, options: list[str], said: str) -> None:
    result = run("audit", "late.mp4", *options)
    assert result.exit_code == 2 and said in result.stderr and result.stdout == ""
    assert not (folder / "foo.jpg").exists()


def test_what_a_fix_leaves_out_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = ["its subtitles 2 (subrip, deu)", "its chapters"]
    monkeypatch.setattr("avdetect.media.remux.remux_shifted", lambda src, dst, shift: left)
    result = run("audit", "late.mp4", "--fix", "mended.mp4", "--json")
    assert result.exit_code == 0 and json.loads(result.stdout)["fix"]["left_out"] == left
    assert "mended.mp4 is without its subtitles 2 (subrip, deu), its chapters" in result.stderr
