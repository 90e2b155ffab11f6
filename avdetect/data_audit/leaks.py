"""People, recordings and copies that are on more than one side of a split."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from avdetect.data.groups import EXCLUDED
from avdetect.data.neighbours import near_pairs

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Leak:
    """Something that two sides share.

    Attributes:
        kind: ``identity``, ``source_video``, ``pair``, ``same file`` or ``near-duplicate``.
        what: the person or recording, or in what a near-duplicate is near.
        clips: number of clips by side.
        examples: a clip of each side.
    """

    kind: str
    what: str
    clips: dict[str, int]
    examples: dict[str, str]


def find_leaks(rows: Sequence[Row]) -> list[Leak]:
    """Every person, recording and near-duplicate with clips in two splits or more, ``excluded`` not counted.

    Looks at the index as it is and not at how it was divided, so that splits made elsewhere are checked too.
    """
    rows = [row for row in rows if (row.get("split") or "") != EXCLUDED]
    met: dict[tuple[str, Hashable], list[Row]] = {}
    for row in rows:
        for key in _keys(row):
            met.setdefault(key, []).append(row)
    leaks = [leak for (kind, what), found in met.items() if (leak := _leak(kind, _text(what), found))]
    hashes = [[row.get(name) for row in rows] for name in ("picture_hash", "sound_hash")]
    said: set[tuple[str, str]] = set()
    for i, j, where in near_pairs(hashes[0], hashes[1]):
        pair = (str(rows[i]["path"]), str(rows[j]["path"]))
        if pair not in said and (leak := _leak("near-duplicate", where, [rows[i], rows[j]])):
            said.add(pair)
            leaks.append(leak)
    return sorted(leaks, key=lambda leak: (leak.kind, -sum(leak.clips.values()), leak.what))


def _keys(row: Row) -> Iterator[tuple[str, Hashable]]:
    source = str(row.get("source") or "")
    for kind in ("identity", "source_video"):
        if row.get(kind):
            yield kind, (source, str(row[kind]))
    if row.get("sha256"):
        yield "same file", str(row["sha256"])
    yield "pair", str(row["path"])
    if row.get("pair"):
        yield "pair", str(row["pair"])


def _text(what: Hashable) -> str:
    return " / ".join(part for part in what if part) if isinstance(what, tuple) else str(what)


def _leak(kind: str, what: str, found: Sequence[Row]) -> Leak | None:
    clips: dict[str, int] = {}
    examples: dict[str, str] = {}
    for row in found:
        side = str(row.get("split") or "train")
        clips[side] = clips.get(side, 0) + 1
        examples.setdefault(side, str(row.get("key") or row["path"]))
    if len(clips) < 2:
        return None
    return Leak(kind, what, dict(sorted(clips.items())), dict(sorted(examples.items())))
