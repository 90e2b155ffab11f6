"""The audit of a file's lip sync, schema ``avdetect.audit/1``: frozen dataclasses that become JSON.

A value that could not be measured is ``None`` (``null``). Offsets are sound time minus picture time in ms, positive =
sound is late.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from avdetect.report.schema import FileSummary, ModelSummary, plain

SCHEMA = "avdetect.audit/1"


@dataclass(frozen=True)
class OffsetEntry:
    """An offset over a stretch of the file, with its 95 % interval.

    Attributes:
        start_s, end_s: of the stretch, on the file's clock.
        offset_ms: sound time minus picture time.
        offset_ci_ms: 95 % interval.
        offset_text: the offset in words.
        confidence: maximum minus median of the lag curve, similarity units.
        band: within, sound early, sound late (ITU-R BT.1359, -45 to +125 ms), or cannot tell.
    """

    start_s: float
    end_s: float
    offset_ms: float | None
    offset_ci_ms: tuple[float, float] | None
    offset_text: str
    confidence: float | None
    band: str


@dataclass(frozen=True)
class OffsetPoint:
    """The offset in the 2 s around an instant; ``None`` where it is not reliable."""

    t_s: float
    offset_ms: float | None
    confidence: float | None


@dataclass(frozen=True)
class SyncPicture:
    """What a plot of a track needs; not in the JSON.

    Attributes:
        times_s: middles of the windows on the file's clock.
        lags_ms: lags, less the zero offset.
        curves: agreement of each window at each lag, similarity units, NaN where missing.
        whole: the lag curve of the whole track.
    """

    times_s: Float64[np.ndarray, " n"]
    lags_ms: Float64[np.ndarray, " k"]
    curves: Float64[np.ndarray, "n k"]
    whole: Float64[np.ndarray, " k"]


@dataclass(frozen=True)
class TrackAudit:
    """The lip sync of one face.

    Attributes:
        id: number of the face.
        speaking: whether it is the source of the speech; ``None`` where it cannot be told.
        whole: offset over the whole track.
        drift_ppm, drift_ci_ppm: growth of the offset, 1000 ppm = 1 ms later every second.
        drift_why_not: why there is no drift, as a sentence; empty where there is one.
        segments: stretches over which the offset does not jump.
        timeline: the offset every 0.4 s.
        picture: for the plot.
    """

    id: int
    speaking: bool | None
    whole: OffsetEntry
    drift_ppm: float | None
    drift_ci_ppm: tuple[float, float] | None
    drift_why_not: str
    segments: tuple[OffsetEntry, ...]
    timeline: tuple[OffsetPoint, ...]
    picture: SyncPicture | None = None


@dataclass(frozen=True)
class Audit:
    """The lip sync of a file.

    Attributes:
        file, model: what was measured, and by what.
        track: number of the face that the summary is about: the one that speaks most; ``None`` without any.
        offset_ms, offset_ci_ms, offset_text, confidence, band, drift_ppm: of that face.
        summary: full sentences.
        tracks: all faces with sound.
    """

    file: FileSummary
    model: ModelSummary
    track: int | None
    offset_ms: float | None
    offset_ci_ms: tuple[float, float] | None
    offset_text: str
    confidence: float | None
    band: str
    drift_ppm: float | None
    summary: tuple[str, ...]
    tracks: tuple[TrackAudit, ...]

    @property
    def main(self) -> TrackAudit | None:
        """The face that the summary is about."""
        return next((track for track in self.tracks if track.id == self.track), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; numbers that are not finite become ``None``."""
        return {"schema": SCHEMA, **plain(self, leave_out=("picture",))}

    def to_json(self, *, indent: int | None = None) -> str:
        """One JSON object, without a line break at its end."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)
