"""What to prepare: a folder of media, or a CSV or JSONL manifest with labels."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEDIA_SUFFIXES = frozenset(
    ".mp4 .mov .m4v .mkv .webm .avi .mpg .mpeg .ts .mts .wmv .flv .3gp .wav .flac .mp3 .ogg .m4a .aac .opus".split()
)


@dataclass(frozen=True)
class Entry:
    """One media file and what is known of it.

    Attributes:
        path: the file.
        name: its path relative to the manifest or folder; the stable key of its records.
        columns: the other columns of the manifest (``label``, ``identity``, ``source``, ``generator``, ``split`` ...).
    """

    path: Path
    name: str
    columns: dict[str, Any] = field(default_factory=dict)


def read_entries(source: str | Path) -> list[Entry]:
    """Entries of a folder (recursively, by file name suffix) or of a manifest with at least a ``path`` column.

    Relative paths in a manifest are relative to the manifest's folder.

    Raises:
        FileNotFoundError: no such file or folder.
        ValueError: the manifest has no ``path`` column, names a file twice, or is of an unknown type.
    """
    source = Path(source)
    if source.is_dir():
        files = sorted(p for p in source.rglob("*") if p.is_file() and p.suffix.lower() in MEDIA_SUFFIXES)
        return [Entry(p, p.relative_to(source).as_posix()) for p in files]
    if not source.is_file():
        raise FileNotFoundError(f"{source} is neither a folder of media nor a manifest")
    if source.suffix == ".csv":
        with source.open(newline="", encoding="utf-8-sig") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
    elif source.suffix in (".jsonl", ".ndjson"):
        rows = [_json_row(source, i, line) for i, line in enumerate(source.read_text().splitlines(), 1) if line.strip()]
    else:
        raise ValueError(f"{source}: a manifest is a .csv or .jsonl file with a 'path' column")
    entries, seen = [], set()
    for number, row in enumerate(rows, 1):
        name = row.pop("path", None)
        if not name:
            raise ValueError(f"{source}, row {number}: no 'path'; columns are {', '.join(row) or 'none'}")
        if name in seen:
            raise ValueError(f"{source}, row {number}: {name} is named twice")
        seen.add(name)
        entries.append(Entry((source.parent / name).resolve(), str(name), {k: v for k, v in row.items() if k}))
    return entries


def _json_row(source: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{source}, line {number}: not JSON ({error.msg})") from None
    if not isinstance(row, dict):
        raise ValueError(f"{source}, line {number}: expected an object, got {type(row).__name__}")
    return row
