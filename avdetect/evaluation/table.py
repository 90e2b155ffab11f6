"""The score table: one row a clip, with what is known of it and what a detector says of it.

Everything that is reported is computed from such tables, so that scoring (slow) and reporting (fast) are apart, and
scores of another detector can be reported by writing a table. A file that could not be scored is a row with an
``error``: it counts against the coverage, and is never given a score of one half.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avdetect.whole_file import replacing

SCHEMA = "avdetect.scores/1"

COLUMNS: dict[str, str] = {
    "key": "name of the clip, unique in the table",
    "path": "file",
    "source": "data set",
    "identity": "person; intervals resample people",
    "group": "what must not be on two sides of a split; of one name in all data sets",
    "method": "generator of the forgery; empty for genuine clips",
    "compression": "as the data set calls it",
    "sha256": "of the file",
    "split": "of the index",
    "fold": "of the index",
    "visual_fake": "true, false, or nothing where it is not known",
    "audio_fake": "the same for the sound",
    "true_offset_ms": "sound minus picture, where known",
    "segments": "forged stretches: list of [start_s, end_s, kind]",
    "ticks": "length, ticks of 40 ms",
    "error": "why there are no scores; empty where there are",
    "probability_fake": "of the verdict's rule, in [0, 1]; nothing where it abstains",
    "visual": "mean logit of the picture branch",
    "audio": "mean logit of the sound branch",
    "sync": "mean logit that lips and sound do not belong together",
    "sync_swapped": "the same of these lips with another clip's sound",
    "swapped_with": "that clip: its key and the SHA-256 of its file",
    "classes": "probabilities of RVRA, FVRA, RVFA, FVFA",
    "offset_ms": "sound minus picture as found",
    "offset_confidence": "of that, similarity units",
    "predicted": "suspicious stretches: list of [start_s, end_s, kind, score]",
    "lse_c": "LSE-C of the clip",
    "lse_d": "LSE-D of the clip",
    "context_hits": "object: ticks of context to [hits, windows]",
}
"""Further columns (container, codec, loudness ...) are carried along for the shortcut baseline and for slices."""

_JSON = ("segments", "classes", "predicted", "context_hits")
_NEEDED = ("key",)


class ScoreTable:
    """Rows as columns.

    Args:
        columns: name to values, all of one length.
        about: the detector, the condition, the time: whatever is to be kept with the rows.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any] | np.ndarray], about: Mapping[str, Any] | None = None):
        self._columns = {name: _objects(values) for name, values in columns.items()}
        lengths = {name: len(v) for name, v in self._columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")
        self._n = next(iter(lengths.values()), 0)
        self.about = dict(about or {})
        self._numbers: dict[str, np.ndarray] = {}

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]], about: Mapping[str, Any] | None = None) -> ScoreTable:
        """From dictionaries; what a row lacks is ``None``.

        Raises:
            ValueError: a row has no key, or two have the same.
        """
        rows = list(rows)
        names = sorted({name for row in rows for name in row} | set(COLUMNS), key=_place)
        table = cls({name: [row.get(name) for row in rows] for name in names}, about)
        for name in _NEEDED:
            if any(not row.get(name) for row in rows):
                raise ValueError(f"a row of the score table has no {name!r}")
        keys = table["key"].tolist()
        if len(set(keys)) < len(keys):
            twice = next(k for k in keys if keys.count(k) > 1)
            raise ValueError(f"the score table has two rows of {twice!r}; score each clip once")
        return table

    def __len__(self) -> int:
        return self._n

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> np.ndarray:
        """A column as objects; all ``None`` if the table lacks it."""
        return self._columns[name] if name in self._columns else np.full(self._n, None, object)

    def numbers(self, name: str) -> np.ndarray:
        """A column as float64, NaN where there is nothing."""
        if name not in self._numbers:
            self._numbers[name] = np.array([_number(v) for v in self[name]], np.float64)
        return self._numbers[name]

    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._columns)

    def take(self, rows: np.ndarray) -> ScoreTable:
        """Some rows, by number (again and again, if wished) or by a mask."""
        part = ScoreTable({}, self.about)
        part._columns = {name: values[rows] for name, values in self._columns.items()}
        part._numbers = {name: values[rows] for name, values in self._numbers.items()}
        part._n = int(np.count_nonzero(rows)) if rows.dtype == bool else len(rows)
        return part

    def rows(self) -> list[dict[str, Any]]:
        """As dictionaries."""
        names = self.names()
        return [dict(zip(names, values, strict=True)) for values in zip(*self._columns.values(), strict=True)]

    def clusters(self) -> np.ndarray:
        """Who each clip is of: the person within the data set, else the group, else the file."""
        return np.array([_who(*x) for x in zip(*(self[n] for n in _WHO), strict=True)], object)

    def fake(self) -> np.ndarray:
        """1.0 where anything is forged, 0.0 where nothing is, NaN where it is not known.

        Genuine halves that were moved against each other on purpose are neither.
        """
        visual, audio = self.numbers("visual_fake"), self.numbers("audio_fake")
        known = ~(np.isnan(visual) & np.isnan(audio))
        half = np.where(np.nan_to_num(visual) + np.nan_to_num(audio) > 0, 1.0, 0.0)
        return np.where(known & ((half > 0) | ~self._moved()), half, np.nan)

    def _moved(self) -> np.ndarray:
        """Where the sound is known to have been moved, stretched or put in from elsewhere."""
        stretches = [any(s[2:3] == ["sync"] for s in found or ()) for found in self["segments"]]
        return np.array(stretches, bool) | (np.abs(np.nan_to_num(self.numbers("true_offset_ms"))) > 0)

    def write(self, path: str | Path) -> None:
        """As Parquet, or as JSON lines where the name ends in ``.jsonl``."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        head = {"schema": SCHEMA, **self.about}
        with replacing(path) as half:
            if path.suffix == ".jsonl":
                lines = [json.dumps(head), *(json.dumps(row, default=_plain) for row in self.rows())]
                half.write_text("\n".join(lines) + "\n", encoding="utf-8")
            else:
                import pyarrow as pa
                import pyarrow.parquet as pq

                arrays = {name: _arrow(name, values.tolist()) for name, values in self._columns.items()}
                pq.write_table(pa.table(arrays).replace_schema_metadata({"avdetect": json.dumps(head)}), half)

    @classmethod
    def read(cls, path: str | Path) -> ScoreTable:
        """Inverse of :meth:`write`.

        Raises:
            ValueError: not a score table.
        """
        path = Path(path)
        if not path.is_file():
            raise ValueError(f"there is no table of scores {path}; make one with: python -m tools.evaluate score")
        try:
            head, rows = _content(path)
        except (ValueError, OSError) as error:  # pyarrow's and json's own are among them
            raise ValueError(f"{path} cannot be read as a table of scores ({error})") from error
        if not isinstance(head, dict) or head.pop("schema", None) != SCHEMA:
            raise ValueError(
                f"{path} is not a table of scores ({SCHEMA}); make one with: python -m tools.evaluate score"
            )
        return cls.of_rows(rows, head)


def _content(path: Path) -> tuple[Any, list[dict[str, Any]]]:
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines:
            raise ValueError("it is empty")
        return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
    import pyarrow.parquet as pq

    found = pq.read_table(path)
    head = json.loads((found.schema.metadata or {}).get(b"avdetect", b"{}"))
    rows = [
        {k: json.loads(v) if k in _JSON and isinstance(v, str) else v for k, v in row.items()}
        for row in found.to_pylist()
    ]
    return head, rows


_WHO = ("source", "identity", "group", "path", "key")


def _who(source: Any, identity: Any, group: Any, path: Any, key: Any) -> str:
    return f"{source}/{identity}" if identity else str(group or path or key)


def _place(name: str) -> tuple[int, str]:
    order = list(COLUMNS)
    return (order.index(name), "") if name in COLUMNS else (len(order), name)


def _objects(values: Sequence[Any] | np.ndarray) -> np.ndarray:
    out = np.empty(len(values), object)
    for i, value in enumerate(values):
        out[i] = value
    return out


def _number(value: Any) -> float:
    if value is None or isinstance(value, list | dict):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return {"true": 1.0, "false": 0.0}.get(str(value).lower(), np.nan)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)


def _arrow(name: str, values: list[Any]) -> Any:
    import pyarrow as pa

    if name in _JSON:
        return pa.array([None if v is None else json.dumps(v) for v in values], pa.string())
    kinds = {type(v) for v in values if v is not None}
    if len(kinds) > 1 and not kinds <= {int, float}:
        return pa.array([None if v is None else str(v) for v in values], pa.string())
    return pa.array([float(v) if float in kinds and v is not None else v for v in values])


def check_disjoint(table: ScoreTable, validation: ScoreTable) -> None:
    """Refuse validation clips that share a clip, a group or a person with those that are reported on.

    Raises:
        ValueError: they do; the message names some.
    """
    for what, of in _SIDES.items():
        shared = sorted({v for v in of(table) if v} & {v for v in of(validation) if v})
        if shared:
            some = ", ".join(map(str, shared[:3]))
            raise ValueError(
                f"validation and reported clips share {len(shared)} {what} ({some}, ...): "
                "what is fitted on the one would be tested on itself; choose other validation clips"
            )


_SIDES: dict[str, Callable[[ScoreTable], Iterable[Any]]] = {
    "clips": lambda t: t["key"],
    "groups": lambda t: t["group"],
    "people": lambda t: (f"{s}/{i}" if i else None for s, i in zip(t["source"], t["identity"], strict=True)),
}
