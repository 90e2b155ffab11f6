"""Groups of clips that must not be divided by a split, and the split of each group.

Clips belong together when they show the same person of a source, were made or cut from the same recording, name each
other as a pair, are the same file, or are nearly the same in picture or sound (`avdetect.data.neighbours`). A group is
what these links connect.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from avdetect.data.neighbours import near_pairs
from avdetect.data.split import drawn_fold, drawn_split, fixed_split

EXCLUDED = "excluded"


class _Links:
    """Disjoint sets of things named by keys (union by attachment, paths halved)."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def find(self, key: Hashable) -> Hashable:
        above = self._above
        above.setdefault(key, key)
        while above[key] != key:
            above[key] = key = above[above[key]]
        return key

    def join(self, one: Hashable, other: Hashable) -> None:
        self._above[self.find(one)] = self.find(other)


def assign_groups(
    rows: Sequence[Mapping[str, Any]], *, files: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """``group``, ``split``, ``split_reason`` and ``fold`` of each clip.

    A copy (``copy_of``) keeps group, split and fold that its row brings from the index of its original. A split that
    the manifest fixes (``dev``, ``val``, ``test`` ...) is kept. Other clips of a group that has such
    clips are ``excluded``: they may be used for nothing. All other groups are train or validation as a whole, by a hash
    of the first of their people, so that a clip's side does not depend on what else is in the manifest as long as its
    group does not.

    Args:
        rows: clips, with ``path`` and, where known, ``source``, ``identity``, ``source_video``, ``pair``, ``split``,
            ``sha256``, ``picture_hash`` and ``sound_hash``.
        files: the same of files that are not among the rows but may link some that are.
    """
    everything = [*rows, *files]
    names = {str(row["path"]) for row in everything}
    stems = {str(PurePosixPath(name).with_suffix("")): name for name in sorted(names) if name}
    informed = {_source(row) for row in everything if row.get("identity") or row.get("source_video")}
    informed |= {_source(row) for row in everything if row.get("pair")}
    links = _Links()
    for row in everything:
        for key in _keys(row, names, stems, informed):
            links.join(("file", str(row["path"])), key)
    pictures, sounds = ([row.get(n) for row in rows] for n in ("picture_hash", "sound_hash"))
    for i, j, _ in near_pairs(pictures, sounds):
        links.join(("file", str(rows[i]["path"])), ("file", str(rows[j]["path"])))
    roots = [links.find(("file", str(row["path"]))) for row in rows]
    people: dict[Hashable, tuple[str, str]] = {}
    fixed: dict[Hashable, dict[str, str]] = {}
    for row, root in zip(rows, roots, strict=True):
        person = (_source(row), _person(row, informed))
        people[root] = min(people.get(root, person), person)
        if kept := fixed_split(row):
            fixed.setdefault(root, {}).setdefault(kept, str(row["path"]))
    return [_decision(row, people[root], fixed.get(root, {})) for row, root in zip(rows, roots, strict=True)]


def _decision(row: Mapping[str, Any], person: tuple[str, str], fixed: Mapping[str, str]) -> dict[str, Any]:
    if row.get("copy_of") and row.get("group") and str(row.get("fold")).isdigit():
        of_original = {name: row.get(name) or None for name in ("group", "split", "split_reason")}
        return {**of_original, "fold": int(row["fold"])}
    split, reason = fixed_split(row), None
    if split is None and fixed:
        named = ", ".join(f"{s} ({path})" for s, path in sorted(fixed.items()))
        split, reason = EXCLUDED, f"its group is in {named}"
    return {
        "group": "/".join(person),
        "split": split or drawn_split(*person),
        "split_reason": reason,
        "fold": drawn_fold(person[1]),
    }


def _source(row: Mapping[str, Any]) -> str:
    return str(row.get("source") or "")


def _person(row: Mapping[str, Any], informed: set[str]) -> str:
    """As `avdetect.data.split.person_of`, but the whole source stands for a person only if it tells nobody apart."""
    for name in ("identity", "source_video"):
        if row.get(name):
            return str(row[name])
    source = _source(row)
    return source if source and source not in informed else str(row["path"])


def _keys(row: Mapping[str, Any], names: set[str], stems: Mapping[str, str], informed: set[str]) -> Iterator[Hashable]:
    source = _source(row)
    if row.get("identity"):
        yield "identity", source, str(row["identity"])
    if row.get("source_video"):
        video = str(row["source_video"])
        yield "video", source, video
        if video in names or video in stems:
            yield "file", video if video in names else stems[video]
    if row.get("pair"):
        yield "file", str(row["pair"])
    if row.get("sha256"):
        yield "sha256", row["sha256"]
    if source and source not in informed:
        yield "source", source
