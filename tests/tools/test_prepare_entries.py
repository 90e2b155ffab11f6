"""What the command that prepares data says of what it cannot use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from avdetect.data.manifest import Entry
from avdetect.data.parts import Part, part_path, write_part
from avdetect.data.prepare import PrepareOptions
from tools.prepare import _entries, app


@pytest.mark.parametrize("source", ["", "manifest"])
def test_parquet_without_pyarrow_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    table = tmp_path / "manifest.parquet"
    table.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(typer.Exit) as raised:
        _entries(table, source)
    told = capsys.readouterr().err
    assert raised.value.exit_code == 2
    assert told.startswith("error: ") and "reading Parquet needs pyarrow" in told


def refused(*arguments: object) -> str:
    run = CliRunner().invoke(app, [str(a) for a in arguments])
    assert run.exit_code == 2 and "Traceback" not in run.output
    return run.output


def test_nothing_to_prepare_leaves_the_records_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "notes.txt").touch()
    (tmp_path / "out" / "shards").mkdir(parents=True)
    (tmp_path / "out" / "shards" / "index.parquet").touch()
    told = refused(tmp_path / "videos", "--out", tmp_path / "out")
    assert "no media file in" in told and "videos" in told and ".mp4" in told and ".wav" in told
    (tmp_path / "list.csv").write_text("path,label\n")
    assert "list.csv names no file" in refused(tmp_path / "list.csv", "--out", tmp_path / "out")
    assert (tmp_path / "out" / "shards" / "index.parquet").is_file()


def test_a_damaged_part_is_not_joined(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\na.mp4\n")
    path = part_path(tmp_path, Entry(tmp_path / "a.mp4", "a.mp4"), PrepareOptions())
    write_part(path, Part("a.mp4", [], [], [], ["a.mp4: no such file"]), [])
    path.write_bytes(path.read_bytes()[:-1])
    told = refused(tmp_path / "list.csv", "--out", tmp_path, "--merge")
    assert "is damaged" in told and "delete it and prepare again" in told and not (tmp_path / "shards").exists()


def test_clips_of_no_length_are_refused(tmp_path: Path) -> None:
    assert "--max-clip-s" in refused(tmp_path, "--out", tmp_path, "--max-clip-s", 0)
