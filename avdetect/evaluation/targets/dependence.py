"""What the figures of a section of the results page depend on: when it changes, they are measured again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def depends_on(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the figures of a section depend on: its configuration, and the files of all bundles and parts in it."""
    common = {key: settings.get(key) for key in ("records", "test", "languages")}
    files = files_digest({settings["bundle"], *folders_in(settings.get(name))})
    return {"config": settings.get(name), **common, "files": files}


def sha_of(text: str) -> str:
    """SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def files_digest(folders: Iterable[str]) -> str:
    """SHA-256 of the weights and descriptions in folders of bundles or parts."""
    digest = hashlib.sha256()
    for path in sorted(
        p for folder in set(folders) for p in Path(folder).iterdir() if p.suffix in (".json", ".safetensors")
    ):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def folders_in(x: Any) -> Iterator[str]:
    """Folders of bundles and parts that a section's configuration names."""
    if isinstance(x, list):
        for item in x:
            yield from folders_in(item)
    elif isinstance(x, dict):
        for key in ("bundle", "part"):
            if key in x:
                yield from (x[key].replace("{each}", name) for name in x.get("each", [""]))
        yield from x.get("parts", [])
        yield from folders_in(x.get("listeners", []))
