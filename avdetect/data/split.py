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


def drawn_split(source: str, person: str) -> str:
    """``train`` or ``val`` by a hash of a person of a source."""
    digest = hashlib.sha256(f"{source}/{person}".encode()).digest()
    return "val" if int.from_bytes(digest[:4], "big") / 2**32 < VALIDATION_SHARE else "train"


def drawn_fold(person: str, *, folds: int = 10) -> int:
    """A number from 0 to ``folds - 1`` by a hash of a person."""
    return int.from_bytes(hashlib.sha256(f"fold/{person}".encode()).digest()[:4], "big") % folds
