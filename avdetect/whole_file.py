"""Files that are there whole or not at all, whoever is stopped while writing them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to; the file takes its place at the end, or is gone if something was raised.

    Until then what was there stays. The name begins with a dot, is new each time, and ends as ``path`` does.
    """
    path = Path(os.path.realpath(path))  # a link goes on pointing to where it did
    half = path.with_name(f".{secrets.token_hex(8)}.part{path.suffix}")
    try:
        yield half
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
