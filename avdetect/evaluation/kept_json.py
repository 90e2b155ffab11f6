"""Figures and finished work as JSON files: no NaN in them, and whole or not there, so that who was stopped goes on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from avdetect.whole_file import replacing


def plain(x: Any) -> Any:
    """As plain JSON types; NaN and infinity are ``None``."""
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [plain(v) for v in x]
    if isinstance(x, np.generic):
        x = x.item()
    return None if isinstance(x, float) and not math.isfinite(x) else x


def write_json(path: Path, value: Any) -> None:
    """Write a value as :func:`plain` makes it; until all is written, what was there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as half:
        half.write_text(json.dumps(plain(value), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """What was written; an empty object where there is nothing, or nothing that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
