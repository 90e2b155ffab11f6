"""Which side of the split a clip is on: by person, so that nobody is met twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

VALIDATION_SHARE = 0.15


def person_of(columns: Mapping[str, Any]) -> str:
    """Who is in a clip; where that is not known, the film it was cut from, or its source, or the file itself."""
    for name in ("identity", "source_video", "source", "path"):
        if columns.get(name):
            return str(columns[name])
    return ""


def fixed_split(columns: Mapping[str, Any]) -> str | None:
    """The split that a manifest fixes (``dev``, ``val``, ``test`` ...); ``None`` for ``train`` or nothing."""
    fixed = str(columns.get("split") or "train")
    return None if fixed == "train" else fixed


def split_of(columns: Mapping[str, Any]) -> str:
    """``train``, ``val`` or what the manifest fixes otherwise (``dev``, ``test``), of a clip for itself.

    A manifest's ``split`` of ``dev``, ``val`` or ``test`` is kept. Its ``train`` (or nothing) is divided into train and
    validation by a hash of the person (:func:`person_of`), so that nobody is on both sides. `avdetect.data.groups`
    applies this to whole groups.
    """
    return fixed_split(columns) or drawn_split(str(columns.get("source") or ""), person_of(columns))


def drawn_split(source: str, person: str) -> str:
    """``train`` or ``val`` by a hash of a person of a source."""
    digest = hashlib.sha256(f"{source}/{person}".encode()).digest()
    return "val" if int.from_bytes(digest[:4], "big") / 2**32 < VALIDATION_SHARE else "train"


def fold_of(columns: Mapping[str, Any], *, folds: int = 10) -> int:
    """A number from 0 to 9 fixed by the person alone, for dividing what a manifest calls ``dev`` by identity."""
    return drawn_fold(person_of(columns), folds=folds)


def drawn_fold(person: str, *, folds: int = 10) -> int:
    """A number from 0 to ``folds - 1`` by a hash of a person."""
    return int.from_bytes(hashlib.sha256(f"fold/{person}".encode()).digest()[:4], "big") % folds
