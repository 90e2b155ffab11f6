"""Your own data, described by a table; see ``docs/data.md`` for the columns."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from avdetect.data.manifest import MANIFEST_SUFFIXES, Entry, read_entries
from avdetect.data.sample import Sample, read_segments
from avdetect.data.sources.layout import check_files
from avdetect.types import Segment, SegmentKind

LABELS: Mapping[str, tuple[bool | None, bool | None]] = {
    "RVRA": (False, False),
    "FVRA": (True, False),
    "RVFA": (False, True),
    "FVFA": (True, True),
    "RV": (False, None),
    "FV": (True, None),
    "RA": (None, False),
    "FA": (None, True),
}
"""What each label says: picture forged, sound forged (``None`` = says nothing)."""

_FLAGS = {"": None, "1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
_KNOWN = ("label", "visual_fake", "audio_fake", "segments", "source", "identity", "source_video", "split")
_LAYOUT = (
    "a manifest (.csv, .jsonl or .parquet) with a column 'path', or a folder with one that is called manifest.csv, "
    "manifest.jsonl or manifest.parquet"
)


class Manifest:
    """A CSV, JSONL or Parquet table with a column ``path`` (relative to the table) and these optional ones.

    ``label`` (a name of :data:`LABELS`) or ``visual_fake`` and ``audio_fake`` (1/0/true/false); ``generator`` or
    ``method``; ``segments`` (a JSON list of ``[start_s, end_s, kind]``); ``identity``, ``source``, ``source_video``,
    ``split``. All others are carried along.

    Args:
        root: the table, or a folder that holds one called ``manifest``.
        paths: ``any`` to accept a table most of whose files are absent.

    Raises:
        FileNotFoundError: there is no such table, or most of the files that it names are absent.
        ValueError: a row contradicts itself or cannot be understood; the message names the row.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, paths: str = "present"):
        if paths not in ("present", "any"):
            raise ValueError(f"manifest: paths must be 'present' or 'any', not {paths!r}")
        self.table = _table_of(Path(root))
        entries = read_entries(self.table)
        self._samples = [self._sample(number, entry) for number, entry in enumerate(entries, 1)]
        if paths == "present":
            check_files("manifest", self.table.parent, (s.path for s in self._samples))

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of the rows."""
        yield from self._samples

    def _sample(self, number: int, entry: Entry) -> Sample:
        columns = entry.columns
        try:
            visual, audio = _label_of(columns)
            segments = _segments_of(columns.get("segments"))
            for segment in segments:
                if (segment.kind == "visual" and visual is False) or (segment.kind == "audio" and audio is False):
                    raise ValueError(f"a forged {segment.kind} segment in a file whose {segment.kind} is genuine")
        except ValueError as error:
            raise ValueError(f"{self.table}, row {number} ({entry.name}): {error}") from None
        method = "generator" if _text(columns.get("generator")) else "method"
        more = {k: text for k, v in columns.items() if k not in (*_KNOWN, method) and (text := _text(v))}
        return Sample(
            path=entry.path,
            name=entry.name,
            visual_fake=visual,
            audio_fake=audio,
            method=_text(columns.get(method)),
            segments=segments,
            more=more,
            **{name: _text(columns.get(name)) for name in ("source", "identity", "source_video", "split")},
        )


def _table_of(root: Path) -> Path:
    if root.is_dir():
        found = [p for p in (root / f"manifest{s}" for s in MANIFEST_SUFFIXES) if p.is_file()]
        if len(found) == 1:
            return found[0]
        which = f"has {len(found)}: {', '.join(p.name for p in found)}" if found else "has none"
        raise FileNotFoundError(f"{root} {which}; expected {_LAYOUT}")
    if not root.is_file():
        raise FileNotFoundError(f"{root} does not exist; expected {_LAYOUT}")
    return root


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _label_of(columns: Mapping[str, Any]) -> tuple[bool | None, bool | None]:
    """Both flags, from the label, the two columns or both together."""
    name = _text(columns.get("label")).strip()
    if name and name not in LABELS:
        raise ValueError(f"label {name!r} is none of {', '.join(LABELS)}")
    said = LABELS.get(name, (None, None))
    flags = []
    for column, by_label in zip(("visual_fake", "audio_fake"), said, strict=True):
        text = _text(columns.get(column)).strip()
        if text.lower() not in _FLAGS:
            raise ValueError(f"{column} is {text!r}; expected 1, 0 or nothing")
        flag = _FLAGS[text.lower()]
        if flag is not None and by_label is not None and flag is not by_label:
            raise ValueError(f"label {name} contradicts {column} = {text}")
        flags.append(by_label if flag is None else flag)
    return flags[0], flags[1]


def _segments_of(value: Any) -> tuple[Segment, ...]:
    segments = read_segments(_text(value).strip())
    for segment in segments:
        if segment.kind not in get_args(SegmentKind):
            raise ValueError(f"segment kind {segment.kind!r} is none of {', '.join(get_args(SegmentKind))}")
        if not 0 <= segment.start_s <= segment.end_s < math.inf:
            raise ValueError(f"segment {segment.start_s:g} to {segment.end_s:g} s does not run forwards from 0 s on")
    return segments
