"""A folder of records: ArrayRecord shards, ``index.parquet`` (a row a clip), ``rejected.parquet`` (a row a refusal)."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from array_record.python.array_record_module import ArrayRecordReader, ArrayRecordWriter

from avdetect.data.columns import COLUMNS
from avdetect.data.records import SCHEMA, Record, decode


class RecordWriter:
    """Writes shards under temporary names; the folder changes only when the writer is closed without an error.

    Args:
        folder: where the store is made.
        shard_bytes: a shard is closed when it has grown past this.
        contract: preprocessing facts written to ``store.json``.
    """

    def __init__(self, folder: Path, *, shard_bytes: int = 64 << 20, contract: dict[str, Any] | None = None):
        self._folder = Path(folder)
        self._new = self._folder / "shards.new"
        self._limit = shard_bytes
        self._contract = contract or {}
        self._rows: list[dict[str, Any]] = []
        self._rejected: list[tuple[str, str]] = []
        self._writer: ArrayRecordWriter | None = None
        self._shard, self._used, self._row = -1, 0, 0

    def __enter__(self) -> RecordWriter:
        shutil.rmtree(self._new, ignore_errors=True)
        self._new.mkdir(parents=True)
        return self

    def add(self, data: bytes, meta: dict[str, Any]) -> None:
        """Append one encoded record and its row of the index."""
        if self._writer is None or self._used > self._limit:
            self._close_shard()
            self._shard, self._used, self._row = self._shard + 1, 0, 0
            self._writer = ArrayRecordWriter(str(self._new / f"{self._shard:05d}.array_record"), "group_size:1")
        assert self._writer is not None
        self._writer.write(data)
        self._rows.append({**meta, "shard": self._shard, "row": self._row})
        self._used += len(data)
        self._row += 1

    def reject(self, name: str, reason: str) -> None:
        """Note why a file or a clip of it is not in the store (``rejected.parquet``, and ``rejected.csv`` to read)."""
        self._rejected.append((name, reason))

    def _close_shard(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __exit__(self, kind: object, *rest: object) -> None:
        self._close_shard()
        if kind is not None:
            shutil.rmtree(self._new, ignore_errors=True)
            return
        names = sorted({name for row in self._rows for name in row})
        columns = {name: _column(name, [row.get(name) for row in self._rows]) for name in names}
        pq.write_table(pa.table(columns), self._new / "index.parquet")
        refused = {name: pa.array([r[i] for r in self._rejected], pa.string()) for i, name in enumerate(_REFUSAL)}
        pq.write_table(pa.table(refused), self._new / "rejected.parquet")
        with (self._new / "rejected.csv").open("w", newline="") as file:
            csv.writer(file).writerows([_REFUSAL, *self._rejected])
        about = {"schema": SCHEMA, "records": len(self._rows), "shards": self._shard + 1, **self._contract}
        (self._new / "store.json").write_text(json.dumps(about, indent=1, sort_keys=True) + "\n")
        final, old = self._folder / "shards", self._folder / "shards.old"
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.rename(old)
        self._new.rename(final)
        shutil.rmtree(old, ignore_errors=True)


_REFUSAL = ("path", "reason")


def _column(name: str, values: list[Any]) -> pa.Array:
    """Values of one type: that of our own columns, else what they have; mixed ones (``1`` and ``yes``) become text."""
    kinds = {type(v) for v in values if v is not None}
    kind = COLUMNS[name][0] if name in COLUMNS else None
    if kind == pa.string() or (len(kinds) > 1 and kinds != {int, float}):
        return pa.array([None if v is None else str(v) for v in values], pa.string())
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # a manifest's column that happens to have one of our names
        return pa.array([None if v is None else str(v) for v in values], pa.string())


class RecordStore:
    """Random access to a folder written by :class:`RecordWriter`, or to several as one.

    Args:
        folder: the folder given to ``tools/prepare.py --out``; several with commas between.
        cache: keep what was decoded.

    Raises:
        FileNotFoundError: nothing was prepared there.
    """

    def __init__(self, folder: str | Path, *, cache: bool = False):
        self._shards: list[Path] = []
        self._owner: list[int] = []
        self.index: list[dict[str, Any]] = []
        for part in str(folder).split(","):
            shards = Path(part.strip()) / "shards"
            if not (shards / "index.parquet").is_file():
                raise FileNotFoundError(
                    f"no records in {part.strip()}; make them with: python -m tools.prepare SOURCE --out {part.strip()}"
                )
            rows = pq.read_table(shards / "index.parquet").to_pylist()
            self._owner += [len(self._shards)] * len(rows)
            self._shards.append(shards)
            self.index += rows
        if len(self._shards) > 1:  # a condition may name any column of any folder
            names = {name for row in self.index for name in row}
            self.index = [{name: row.get(name) for name in sorted(names)} for row in self.index]
        self._readers: dict[tuple[int, int], ArrayRecordReader] = {}
        self._cache: dict[tuple[int, tuple[str, ...]], Record] | None = {} if cache else None

    def __len__(self) -> int:
        return len(self.index)

    def folder_of(self, number: int) -> int:
        """Which of the folders row ``number`` of the index is from, counted from 0."""
        return self._owner[number]

    @property
    def rejected(self) -> int | None:
        """How many files and clips preparation refused (``None`` where it did not say)."""
        paths = [shards / "rejected.parquet" for shards in self._shards]
        return sum(pq.read_metadata(p).num_rows for p in paths) if all(p.is_file() for p in paths) else None

    def read(self, number: int, *, pictures: tuple[str, ...] = ("mouths", "faces")) -> Record:
        """The record of row ``number`` of the index.

        Raises:
            FileNotFoundError: its shard is missing.
            ValueError: its shard is damaged.
        """
        if self._cache is not None and (number, pictures) in self._cache:
            return self._cache[number, pictures]
        row, owner = self.index[number], self._owner[number]
        shard, path = (owner, row["shard"]), self._shards[owner] / f"{row['shard']:05d}.array_record"
        if shard not in self._readers and not path.is_file():
            raise FileNotFoundError(f"{path}, which holds {row['key']}, is missing; prepare again")
        try:
            if shard not in self._readers:
                self._readers[shard] = ArrayRecordReader(str(path), "readahead_buffer_size:0")
            record = decode(self._readers[shard].read([row["row"]])[0], pictures=pictures)
        except (RuntimeError, ValueError, LookupError, TypeError) as error:  # whatever damage leads to
            raise ValueError(f"{path}: {row['key']} cannot be read ({error}); prepare again") from error
        if self._cache is not None:
            self._cache[number, pictures] = record
        return record

    def where(self, condition: str) -> list[int]:
        """Rows that satisfy ``column=a,b;column!=c`` (compared as text, ``*`` at the end = prefix, ``|`` = or).

        Raises:
            KeyError: an unknown column.
            ValueError: a malformed condition, or one with an empty alternative, which would be true of all.
        """
        known = set(self.index[0]) if self.index else set()
        found: set[int] = set()
        for alternative in condition.split("|"):
            tests = [_term(t.strip(), known) for t in alternative.split(";") if t.strip()]
            if not tests and condition.strip():
                raise ValueError(f"condition {condition!r} has nothing on one side of a '|', which all clips satisfy")
            found |= {i for i, row in enumerate(self.index) if all(test(row) for test in tests)}
        return sorted(found)

    def sample(self, condition: str, *, most: int, seed: int) -> list[int]:
        """Rows that satisfy a condition (:meth:`where`), at most ``most`` of each source, in the order of the index."""
        rng = np.random.default_rng(seed)
        sources: dict[str, list[int]] = {}
        for row in self.where(condition):
            sources.setdefault(str(self.index[row].get("source")), []).append(row)
        chosen = [rng.permutation(rows)[:most].tolist() for _, rows in sorted(sources.items())]
        return sorted(row for rows in chosen for row in rows)


def _term(term: str, known: set[str]) -> Callable[[dict[str, Any]], bool]:
    name, sign, values = term.partition("=")
    negated = name.endswith("!")
    name = name.rstrip("!").strip()
    if not sign:
        raise ValueError(f"condition {term!r} is not of the form column=value[,value]")
    if known and name not in known:
        raise KeyError(f"the index has no column {name!r}; it has {', '.join(sorted(known))}")
    accepted = [v.strip() for v in values.split(",")]

    def test(row: dict[str, Any]) -> bool:
        value = "" if row.get(name) is None else str(row[name])
        hit = any(value.startswith(a[:-1]) if a.endswith("*") else value == a for a in accepted)
        return hit != negated

    return test
