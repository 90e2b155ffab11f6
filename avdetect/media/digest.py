"""Which file it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from avdetect.media.errors import MediaError
from avdetect.media.process import open_regular


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def unchanged(path: str | os.PathLike[str]) -> Iterator[Callable[[], str]]:
    """Watch a file while it is read by name, so that its digest is that of what was read.

    Args:
        path: a regular file; it is opened at once.

    Yields:
        What gives the SHA-256, to be called when the reading is over. It raises ``MediaError`` if the file was written
        to, replaced or removed since the block was entered.

    Raises:
        MediaError: if the file cannot be opened.
    """
    with open(open_regular(path), "rb") as file:
        before = _state(os.fstat(file.fileno()))

        def digest() -> str:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            try:
                same = before == _state(os.fstat(file.fileno())) == _state(os.stat(path))
            except OSError:
                same = False
            if not same:
                raise MediaError(path, "the file changed while it was read", "score it again")
            return found

        yield digest


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
