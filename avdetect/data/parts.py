"""What was made of one file, kept until all are joined: its records, or the reason why there are none.

A part is a header (msgpack, after eight bytes with its length) and the bytes of the records one after the other, so
that everything but the pictures can be read quickly. It is written under another name and renamed: it is whole or
absent. Its name depends on the file's name and the options alone, so parts made on several machines can be put into one
folder; whether the file has changed since says the stamp in the header.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack

from avdetect.data.manifest import Entry
from avdetect.whole_file import replacing

_VERSION = 4
"""Part of every name: raised when what is measured changes, so that old parts are not taken for new ones."""


@dataclass(frozen=True)
class Part:
    """Header of a part.

    Attributes:
        name: of the file.
        stamp: size and time of change of the file, empty where there was none.
        metas: what was measured of each clip.
        sizes: bytes of each record.
        rejected: reasons.
        died: the process that read the file ended without an answer.
    """

    name: str
    stamp: list[int]
    metas: list[dict[str, Any]]
    sizes: list[int]
    rejected: list[str]
    died: bool = False


def part_path(work: Path, entry: Entry, options: object) -> Path:
    """Where the part of a file lies; other options give another name."""
    digest = hashlib.sha256(repr((_VERSION, entry.name, repr(options))).encode()).hexdigest()
    return work / "parts" / digest[:2] / f"{digest[:24]}.part"


def stamp_of(path: Path) -> list[int]:
    """Size and time of change of a file; empty where it cannot be looked at."""
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns]


def write_part(path: Path, part: Part, records: Sequence[bytes]) -> None:
    """Write a part, or leave what was there."""
    header: bytes = msgpack.packb(asdict(part))  # type: ignore[assignment]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as half, half.open("wb") as file:
        file.write(struct.pack("<Q", len(header)))
        file.write(header)
        file.writelines(records)
        file.flush()
        os.fsync(file.fileno())


def read_part(path: Path) -> Part:
    """The header of a part that is whole.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged or cut short.
    """
    with path.open("rb") as file:
        return _header(path, file)


def read_records(path: Path) -> list[bytes]:
    """The records of a part, as made; errors as those of :func:`read_part`."""
    with path.open("rb") as file:
        return [file.read(size) for size in _header(path, file).sizes]


def _header(path: Path, file: Any) -> Part:
    start = file.read(8)
    try:
        (length,) = struct.unpack("<Q", start)
        size = path.stat().st_size
        if length > size:
            raise ValueError(f"header of {length} bytes")
        part = Part(**msgpack.unpackb(file.read(length)))
        if (wanted := len(start) + length + sum(part.sizes)) != size:
            raise ValueError(f"{size} bytes, not {wanted}")
        return part
    except (struct.error, TypeError, ValueError, msgpack.UnpackException) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and prepare again") from None
