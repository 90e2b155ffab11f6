"""What to prepare: a folder of media, or a manifest with labels (CSV, JSONL or Parquet)."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEDIA_SUFFIXES = frozenset(
    ".mp4 .mov .m4v .mkv .webm .avi .mpg .mpeg .ts .mts .wmv .flv .3gp .wav .flac .mp3 .ogg .m4a .aac .opus".split()
)
MANIFEST_SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")


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
        ValueError: the manifest has no ``path`` column, names a file twice, is not UTF-8, or is of an unknown type.
        RuntimeError: it is a Parquet file and ``pyarrow`` is not installed.
    """
    source = Path(source)
    if source.is_dir():
        files = sorted(p for p in source.rglob("*") if p.is_file() and p.suffix.lower() in MEDIA_SUFFIXES)
        return [Entry(p, p.relative_to(source).as_posix()) for p in files]
    if not source.is_file():
        raise FileNotFoundError(f"{source} is neither a folder of media nor a manifest")
    entries, seen = [], set()
    for number, row in enumerate(_rows(source), 1):
        name = row.pop("path", None)
        if not name:
            raise ValueError(f"{source}, row {number}: no 'path'; columns are {', '.join(row) or 'none'}")
        name = str(name)
        if name in seen:
            raise ValueError(f"{source}, row {number}: {name} is named twice")
        seen.add(name)
        entries.append(Entry((source.parent / name).resolve(), name, row))
    return entries


def _rows(source: Path) -> list[dict[str, Any]]:
    kind = source.suffix.lower()
    if kind == ".csv":
        return _csv_rows(source)
    if kind in (".jsonl", ".ndjson"):
        # Not splitlines(): it also breaks at characters such as U+2028, which may stand inside a JSON string.
        lines = _text(source).split("\n")
        return [_json_row(source, i, line) for i, line in enumerate(lines, 1) if line.strip()]
    if kind == ".parquet":
        return _parquet_rows(source)
    raise ValueError(f"{source}: a manifest is a .csv or .jsonl or .parquet file with a 'path' column")


def _csv_rows(source: Path) -> list[dict[str, Any]]:
    rows = []
    for number, row in enumerate(csv.DictReader(io.StringIO(_text(source), newline="")), 1):
        beyond: Any = row.pop(None, None)  # type: ignore[call-overload]  # cells beyond the header
        if any(beyond or ()):
            raise ValueError(f"{source}, row {number}: more cells than the header has columns: {beyond}")
        rows.append({name: value for name, value in row.items() if name})
    return rows


def _text(source: Path) -> str:
    """A manifest's characters, line ends as they are."""
    try:
        return source.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}: byte {error.start} is not UTF-8; save it as UTF-8") from None


def _json_row(source: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{source}, line {number}: not JSON ({error.msg})") from None
    if not isinstance(row, dict):
        raise ValueError(f"{source}, line {number}: expected an object, got {type(row).__name__}")
    return row


def _parquet_rows(source: Path) -> list[dict[str, Any]]:
    """Rows of a Parquet file; a null is the same as a column that is not there."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise RuntimeError(
            f"{source}: reading Parquet needs pyarrow; install 'avdetect[train]', or write the manifest as .csv"
        ) from None
    try:
        # Not read_table(), which takes folders named "key=value" on the way to the file for columns of the table.
        table = pyarrow.parquet.ParquetFile(source).read()
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{source}: not a Parquet file ({error})") from None
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
