"""Clips whose sound is earlier or later than that of their companions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Row = Mapping[str, Any]

BELIEVED_SHARPNESS = 3.0
"""Chance reaches 2, and 4 in a clip of a hundred."""
LEAST_CLIPS = 5
LEAST_MS = 80.0
"""Two ticks: about what one clip of a few seconds can be measured to."""
DEVIATIONS = 4.0


@dataclass(frozen=True)
class OffsetOutlier:
    """A clip that is out of line.

    Attributes:
        key: the clip.
        offset_ms: sound minus picture, positive = sound is late.
        median_ms: of its companions.
        companions: the group or source that it is compared with.
    """

    key: str
    offset_ms: float
    median_ms: float
    companions: str


def offset_outliers(rows: Sequence[Row]) -> tuple[list[OffsetOutlier], int]:
    """Clips further from the median of their group than 80 ms and four robust standard deviations, worst first.

    Groups of fewer than five measured clips are compared with their whole source.

    Returns:
        The outliers, and the number of clips with an offset that is believed (``raw_offset_sharpness`` of 3 or more).
    """
    measured = [
        row
        for row in rows
        if row.get("raw_offset_ms") is not None and (row.get("raw_offset_sharpness") or 0) >= BELIEVED_SHARPNESS
    ]
    companions: dict[tuple[str, str], list[float]] = {}
    for row in measured:
        for key in _places(row):
            companions.setdefault(key, []).append(float(row["raw_offset_ms"]))
    found = []
    for row in measured:
        key = next((k for k in _places(row) if len(companions[k]) >= LEAST_CLIPS), None)
        if key is None:
            continue
        values = np.array(companions[key])
        median = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - median)))
        if abs(row["raw_offset_ms"] - median) > max(LEAST_MS, DEVIATIONS * spread):
            found.append(
                OffsetOutlier(str(row["key"]), float(row["raw_offset_ms"]), round(median, 1), key[1] or key[0])
            )
    return sorted(found, key=lambda o: (-abs(o.offset_ms - o.median_ms), o.key)), len(measured)


def _places(row: Row) -> list[tuple[str, str]]:
    return [("group", str(row.get("group") or "")), ("source", str(row.get("source") or ""))]
