"""What ``--out`` names: a folder of reports, a file of lines, or one file that is written at the end."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from avdetect.commands.batch import OutputError, UsageError
from avdetect.commands.inputs import Input
from avdetect.commands.kept import Kept, as_kept, place_of, read_kept
from avdetect.commands.writing import identity, is_device, names, probe, why, write_whole
from avdetect.report.reporters import dump
from avdetect.report.schema import writable
from avdetect.whole_file import replacing


class Target(Protocol):
    """A place for results.

    Attributes:
        path: of the file or folder.
    """

    path: Path

    def open(self) -> None:
        """Find out now, not after an hour, that it cannot be written; raises OSError if so."""
        ...

    def say(self, text: str) -> None:
        """Take what the format says, which is none in a folder; raises OutputError if it cannot be written."""
        ...

    def close(self) -> None:
        """Everything is in; raises OutputError if it cannot be written."""
        ...


class Folder:
    """One JSON file for each input.

    Args:
        path: of the folder.
        inputs: what must not be written over, as :func:`avdetect.commands.writing.identity` gives it.
    """

    def __init__(self, path: Path, inputs: Collection[tuple[int, int] | None]):
        self.path = path
        self._inputs = inputs
        self._taken: set[Path] = set()

    def open(self) -> None:
        """See that files can be made in it."""
        probe(self.path)

    def add(self, item: Input, data: dict[str, Any]) -> None:
        """Write a report, over an older one of the same file, and beside everything else.

        Raises:
            OSError: it cannot be written; others may be.
        """
        new = as_kept(data)
        place = next(p for p in names(self.path, item.relative, ".json") if self._free(p, new))
        self._taken.add(place)
        write_whole(place, dump(data, indent=2) + "\n")

    def say(self, text: str) -> None:
        """Nothing: it holds reports only."""

    def close(self) -> None:
        """All is written already."""

    def kept(self, item: Input, schema: str) -> Iterator[Kept]:
        """Reports of an earlier run that may be about a file."""
        for place in names(self.path, item.relative, ".json"):
            if not os.path.lexists(place):
                return
            old = read_kept(place)
            if old is not None and not old.failed and old.schema == schema and old.place == place_of(item.path):
                yield old

    def _free(self, place: Path, new: Kept | None) -> bool:
        """Whether nothing is there, or an older report of the same file."""
        if place in self._taken:
            return False
        if not os.path.lexists(place):
            return True
        old = read_kept(place)
        if old is None or new is None or not old.is_of(new.path, new.sha256) or identity(place) in self._inputs:
            return False
        return old.failed or old.schema == new.schema


class Lines:
    """A file that is written as results come in, and can be read meanwhile.

    Args:
        path: of the file.
        go_on: whether to add to the JSON lines that it has.
    """

    def __init__(self, path: Path, *, go_on: bool):
        self.path = path
        self._go_on = go_on
        self._file: IO[str] | None = None

    def open(self) -> None:
        """Make it, or open it at its end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        adding = self._go_on or is_device(self.path)  # /dev/stdout may be a file that others write to
        self._file = self.path.open("a" if adding else "w", encoding="utf-8")

    def say(self, text: str) -> None:
        """Write it through."""
        if self._file is None:
            return
        try:
            self._file.write(writable(text))
            self._file.flush()
        except OSError as error:
            self._drop()
            raise OutputError(f"cannot write --out {self.path}: {why(error)}") from error

    def close(self) -> None:
        """Nothing is left to write."""
        self._drop()

    def kept(self) -> list[Kept]:
        """Reports that it has; the rest of a line that was cut off is no report.

        Raises:
            UsageError: it cannot be read, or has other lines.
        """
        return [kept for _, kept in self._lines() if kept is not None]

    def leave_out(self, places: Collection[str]) -> None:
        """Take out error lines of files that are tried again, and a line that was cut off.

        Raises:
            OSError: it cannot be written.
        """
        if all(kept and not (kept.failed and kept.place in places) for _, kept in self._lines()):
            return
        with replacing(self.path) as half, half.open("w", encoding="utf-8", errors="surrogateescape") as file:
            for line, kept in self._lines():
                if kept and not (kept.failed and kept.place in places):
                    file.write(line)

    def _lines(self) -> Iterator[tuple[str, Kept | None]]:
        """Each line with what it says, ``None`` for the last one if it was cut off."""
        if not os.path.exists(self.path) or is_device(self.path):
            return
        try:
            with self.path.open(encoding="utf-8", errors="surrogateescape") as file:
                for number, line in enumerate(file, 1):
                    kept = None
                    with contextlib.suppress(ValueError, RecursionError):
                        kept = as_kept(json.loads(line))
                    whole = line.endswith("\n")
                    if kept is None and whole:
                        raise UsageError(
                            f"--skip-done cannot go on with {self.path}: line {number} is no report; "
                            "name a file that --jsonl wrote, or another one"
                        )
                    yield line, kept if whole else None
        except OSError as error:
            raise UsageError(f"cannot read --out {self.path}: {why(error)}") from error

    def _drop(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # what could not be written is said already
                self._file.close()
            self._file = None


class Whole:
    """A file that is written at the end, and is whole or not there."""

    def __init__(self, path: Path):
        self.path = path
        self._said: list[str] = []

    def open(self) -> None:
        """See that a file can be made beside it."""
        if is_device(self.path):
            return
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder")
        probe(self.path.parent)

    def say(self, text: str) -> None:
        """Keep it."""
        self._said.append(text)

    def close(self) -> None:
        """Write it."""
        try:
            write_whole(self.path, writable("".join(self._said)))
        except OSError as error:
            raise OutputError(f"cannot write --out {self.path}: {why(error)}") from error
