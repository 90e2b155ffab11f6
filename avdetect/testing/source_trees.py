"""Trees of a data set for the kit: built by the reader's author, or links to one that exists; and what to take away."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

Tree = Path | str | Callable[[Path], Any]
"""A folder with a small data set in the published layout, or a function that writes one into an empty folder."""


@contextmanager
def planted(tree: Tree) -> Iterator[Path]:
    """The tree in a folder of its own, from which files may be taken; of a tree that exists, links are taken."""
    with tempfile.TemporaryDirectory(prefix="avdetect-tree-") as folder:
        root = Path(folder).resolve() / "published"
        root.mkdir()
        if callable(tree):
            tree(root)
        else:
            _link(Path(tree).resolve(), root)
        yield root


def _link(original: Path, root: Path) -> None:
    if not original.is_dir():
        raise FileNotFoundError(f"{original} is not a folder with a data set")
    for path in sorted(original.rglob("*")):
        place = root / path.relative_to(original)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        else:
            place.symlink_to(path)


@contextmanager
def listed_backwards() -> Iterator[None]:
    """Folders are listed in another order, as on another machine: every file system has an order of its own."""
    scandir, listdir = os.scandir, os.listdir

    def scan(*args: Any) -> Any:
        return _Backwards(scandir(*args))

    with (
        mock.patch("os.listdir", lambda *args: sorted(listdir(*args), reverse=True)),
        mock.patch("os.scandir", scan),
    ):
        yield


class _Backwards:
    """What ``os.scandir`` gives, in the reverse order of names."""

    def __init__(self, found: Any):
        with found:
            self._entries = iter(sorted(found, key=lambda entry: entry.name, reverse=True))

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Backwards:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open any more."""
