"""The digest in a report is that of the bytes that were read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from avdetect.media.digest import unchanged
from avdetect.media.errors import MediaError


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def overwrite(path: Path) -> None:
    path.write_bytes(b"t3xt")
    os.utime(path, ns=(1, 1))


def replace(path: Path) -> None:
    status = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(b"t3xt")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"text")
    return path


def test_a_file_that_stays_has_its_digest(path: Path) -> None:
    with unchanged(path) as digest:
        path.read_bytes()
        assert digest() == hashlib.sha256(b"text").hexdigest()


@pytest.mark.parametrize("change", [append, overwrite, replace, Path.unlink])
def test_a_file_that_changes_has_none(path: Path, change: Callable[[Path], None]) -> None:
    with unchanged(path) as digest:
        change(path)
        with pytest.raises(MediaError, match=r"film\.mp4: the file changed while it was read; score it again"):
            digest()


def test_a_file_that_cannot_be_opened_is_refused_as_by_the_reader(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file"), unchanged(tmp_path / "none.mp4"):
        pass
