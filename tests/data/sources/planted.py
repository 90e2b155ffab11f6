"""Generated trees: empty files under their published names, and label files with their text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources import SOURCES


def plant(root: Path, *empty: str, texts: Mapping[str, str] | None = None) -> Path:
    """Write empty files and files with a text below ``root``, with their folders."""
    for name, text in {**dict.fromkeys(empty, ""), **(texts or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def read(name: str, root: Path, **options: str) -> list[Sample]:
    """All samples of a registered reader."""
    return list(SOURCES.get(name)(root, **options).samples())
