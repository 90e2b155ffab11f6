"""Which side of the split a clip is on: by person, so that nobody is met twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

VALIDATION_SHARE = 0.15


def split_of(columns: Mapping[str, Any]) -> str:
    """``train``, ``val`` or what the manifest fixes otherwise (``dev``, ``test``).

    A manifest's ``split`` of ``dev``, ``val`` or ``test`` is kept. Its ``train`` (or nothing) is divided into train and
    validation by a hash of source and identity, so that all clips of one person fall on the same side; where no
    identity is given, the source video (or the path) stands for it.
    """
    fixed = str(columns.get("split") or "train")
    if fixed != "train":
        return fixed
    person = str(columns.get("identity") or columns.get("source_video") or columns.get("path") or "")
    digest = hashlib.sha256(f"{columns.get('source') or ''}/{person}".encode()).digest()
    return "val" if int.from_bytes(digest[:4], "big") / 2**32 < VALIDATION_SHARE else "train"


def fold_of(columns: Mapping[str, Any], *, folds: int = 10) -> int:
    """A number from 0 to 9 fixed by the person alone, for dividing what a manifest calls ``dev`` by identity."""
    person = str(columns.get("identity") or columns.get("source_video") or columns.get("path") or "")
    return int.from_bytes(hashlib.sha256(f"fold/{person}".encode()).digest()[:4], "big") % folds
