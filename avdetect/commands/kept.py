"""Reports that are there already: whose they are, and whether they still speak of the same file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.report.schema import plain


@dataclass(frozen=True)
class Kept:
    """What a report that was written before says of itself.

    Attributes:
        path: of the file, as the report has it.
        schema: of the report.
        sha256: of the file; empty where it could not be read.
        verdict: real, fake, inconclusive; empty in an audit.
        failed: whether it says only why there is none.
    """

    path: str
    schema: str
    sha256: str
    verdict: str
    failed: bool

    @property
    def place(self) -> str:
        """Where the file lies, however it was named."""
        return os.path.abspath(self.path)

    def is_of(self, path: str, sha256: str) -> bool:
        """Whether it is about this file.

        A relative path may have meant another file, in another folder: then the bytes have to be the same too.
        """
        if self.place != place_of(path):
            return False
        return self.failed or self.sha256 == sha256 or os.path.isabs(self.path)


def place_of(path: str) -> str:
    """Where a file lies, as :attr:`Kept.place`."""
    return os.path.abspath(plain(path))


def as_kept(data: Any) -> Kept | None:
    """What a report says of itself; ``None`` if it is no report."""
    if not isinstance(data, dict) or not isinstance(data.get("file"), dict):
        return None
    path, schema = data["file"].get("path"), data.get("schema")
    if not isinstance(path, str) or not isinstance(schema, str) or not schema.startswith("avdetect."):
        return None
    sha256, verdict = data["file"].get("sha256"), data.get("verdict")
    return Kept(
        path,
        schema,
        sha256 if isinstance(sha256, str) else "",
        verdict if isinstance(verdict, str) else "",
        "error" in data,
    )


def read_kept(path: Path) -> Kept | None:
    """The report in a file; ``None`` if it is none, or cannot be read."""
    try:
        return as_kept(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None
