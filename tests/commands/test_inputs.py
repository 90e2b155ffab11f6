"""What folders, globs and names become, and what is said of the rest."""

from __future__ import annotations

import os
from pathlib import Path

import av
import pytest

from avdetect.commands.inputs import SUFFIXES, expand
from avdetect.media.demux import ALLOWED_DEMUXERS


def test_a_folder_is_searched_for_all_that_is_read() -> None:
    for name in ALLOWED_DEMUXERS:
        endings = {f".{ending}" for ending in av.ContainerFormat(name, "r").extensions}
        assert not endings or endings & SUFFIXES, f"{name}: {sorted(endings)}"
    others = ".vob .amr .aiff .aif .caf .au .asf .wma .mxf .dv .rm .ape .wv .voc .3g2 .gif .jxl .pgm"
    assert set(others.split()) <= SUFFIXES


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    for name in ("a.mp4", "notes.txt", ".hidden", "sub/talk.amr", "sub/b.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    told: list[str] = []
    assert [Path(item.path).name for item in expand([str(tmp_path)], tell=told.append)] == ["a.mp4", "talk.amr"]
    assert len(told) == 1 and "2 files of other kinds were left alone" in told[0]
    (tmp_path / "notes.txt").unlink()
    expand([str(tmp_path)], tell=told.append)
    assert "1 file of other kinds was left alone" in told[1]


def test_a_second_name_keeps_its_line_where_the_user_gave_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.mp4").touch()
    os.symlink("base.mp4", "link.mp4")
    os.symlink("nowhere.mp4", "lost.mp4")
    told: list[str] = []
    named = expand(["base.mp4", "link.mp4", "./base.mp4", "lost.mp4"], tell=told.append)
    assert [item.path for item in named] == ["base.mp4", "link.mp4", "lost.mp4"] and not told
    assert named[2].error == "lost.mp4: the link leads nowhere"
    assert [item.path for item in expand(["*e.mp4", "l*k.mp4"], tell=told.append)] == ["base.mp4"]
    assert told == ["link.mp4 is left out: it is base.mp4 under another name"]
    assert [item.path for item in expand(["l*k.mp4", "base.mp4"])] == ["link.mp4", "base.mp4"]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stood in for, since the tests may run as root, who can read everything."""
    locked = tmp_path / "locked"
    locked.mkdir()
    (tmp_path / "a.mp4").touch()
    usual = os.scandir

    def scan(path):
        if str(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return usual(path)

    monkeypatch.setattr(os, "scandir", scan)
    found = expand([str(tmp_path), str(locked)])
    assert [item.path for item in found] == [str(tmp_path / "a.mp4"), str(locked)]
    assert found[1].error == f"{locked}: the folder cannot be read: Permission denied"
    (alone,) = expand([str(locked)])
    assert "cannot be read: Permission denied" in alone.error and "no media files" not in alone.error


def test_a_path_that_may_not_be_looked_at_is_not_called_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def stat(self, **options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", stat)
    (item,) = expand(["locked/a.mp4"])
    assert item.error == "locked/a.mp4: Permission denied"
