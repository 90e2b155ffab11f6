"""The report, schema ``avdetect.report/1``: frozen dataclasses with a JSON round trip.

A value that could not be measured is ``None`` here and ``null`` in JSON; its reason is in ``abstained``.
``report.schema.json`` beside this file is the same thing as a JSON Schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from avdetect.types import CLASSES, AbstainReason, Segment, VerdictName, offset_text

SCHEMA = "avdetect.report/1"


@dataclass(frozen=True)
class VideoSummary:
    """The picture stream: codec, size as displayed (pixels), nominal frames a second."""

    codec: str
    width: int
    height: int
    fps: float | None


@dataclass(frozen=True)
class AudioSummary:
    """The sound stream: codec and samples a second in the file."""

    codec: str
    sample_rate: int


@dataclass(frozen=True)
class FileSummary:
    """The file that was judged; ``video`` and ``audio`` are ``None`` where it has none."""

    path: str
    sha256: str
    duration_s: float | None
    video: VideoSummary | None
    audio: AudioSummary | None


@dataclass(frozen=True)
class ModelSummary:
    """The detector that judged: name, version and SHA-256 of its weights."""

    name: str = ""
    version: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class DetectorReport:
    """One of the detectors that were asked for by name.

    Attributes:
        name, version: of the detector.
        distribution: whose it is, with its version ("avdetect 0.1.0"); empty for code named by its place.
        probability_fake: its own, in [0, 1]; ``None`` where it abstained.
        calibrated: whether it brings a calibration; without one its scores are taken as they are.
        why_not: why it abstained; empty if it did not.
    """

    name: str
    version: str
    distribution: str
    probability_fake: float | None
    calibrated: bool = True
    why_not: str = ""


@dataclass(frozen=True)
class BranchReport:
    """One branch over a whole track: calibrated probability in [0, 1]."""

    probability_fake: float | None = None


@dataclass(frozen=True)
class SyncReport:
    """Lips against sound over a whole track.

    Attributes:
        probability_mismatch: that they do not belong together at any lag searched.
        offset_ms: sound time minus picture time, positive = sound is late; ``None`` where it could not be told, be it
            that the interval is more than 400 ms wide.
        offset_ci_ms: 95 % interval of it, within the offsets searched.
        offset_text: the offset in words.
        confidence: maximum minus median of the lag curve, similarity units.
        drift_ppm: growth of the offset, parts per million; ``None`` unless it could be measured.
    """

    probability_mismatch: float | None = None
    offset_ms: float | None = None
    offset_ci_ms: tuple[float, float] | None = None
    offset_text: str = offset_text(None)
    confidence: float | None = None
    drift_ppm: float | None = None


@dataclass(frozen=True)
class TimelinePoint:
    """What was found around an instant of the file: calibrated probabilities and the offset in ms."""

    t_s: float
    visual: float | None = None
    audio: float | None = None
    sync: float | None = None
    offset_ms: float | None = None


@dataclass(frozen=True)
class TrackReport:
    """One face (or, with id -1, sound without a face). ``speaking`` is ``None`` where it cannot be told."""

    id: int
    start_s: float
    end_s: float
    speaking: bool | None
    visual: BranchReport = field(default_factory=BranchReport)
    audio: BranchReport = field(default_factory=BranchReport)
    sync: SyncReport = field(default_factory=SyncReport)
    classes: Mapping[str, float] | None = None
    timeline: tuple[TimelinePoint, ...] = ()


@dataclass(frozen=True)
class Report:
    """The verdict on one file, with its reasons.

    Attributes:
        file, model: what was judged, and by what.
        verdict: real, fake or inconclusive.
        probability_fake: calibrated probability in [0, 1]; ``None`` when nothing could be judged.
        reasons: full sentences, most important first.
        abstained: what could not be judged, in a fixed order.
        tracks: per face.
        segments: suspicious stretches on the file's clock, by start.
        detectors: those that were asked for by name, in that order; empty if none was.
    """

    file: FileSummary
    model: ModelSummary
    verdict: VerdictName
    probability_fake: float | None
    reasons: tuple[str, ...] = ()
    abstained: tuple[AbstainReason, ...] = ()
    tracks: tuple[TrackReport, ...] = ()
    segments: tuple[Segment, ...] = ()
    detectors: tuple[DetectorReport, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; numbers that are not finite become ``None``."""
        return {"schema": SCHEMA, **plain(self)}

    def to_json(self, *, indent: int | None = None) -> str:
        """One JSON object, without a line break at its end."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: another schema, an error line, or a missing or unknown key.
        """
        if data.get("schema") != SCHEMA:
            raise ValueError(f"the report has schema {data.get('schema')!r}, this version reads {SCHEMA!r}")
        if "error" in data:
            raise ValueError(f"{data.get('file', {}).get('path', 'the file')} was not scored: {data['error']}")
        try:
            file = dict(data["file"])
            file["video"] = VideoSummary(**file["video"]) if file["video"] else None
            file["audio"] = AudioSummary(**file["audio"]) if file["audio"] else None
            return cls(
                file=FileSummary(**file),
                model=ModelSummary(**data["model"]),
                verdict=data["verdict"],
                probability_fake=data["probability_fake"],
                reasons=tuple(data["reasons"]),
                abstained=tuple(data["abstained"]),
                tracks=tuple(_track(track) for track in data["tracks"]),
                segments=tuple(Segment(**segment) for segment in data["segments"]),
                detectors=tuple(DetectorReport(**detector) for detector in data.get("detectors", ())),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a report of schema {SCHEMA}: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The inverse of :meth:`to_json`."""
        return cls.from_dict(json.loads(text))


@dataclass(frozen=True)
class FailedReport:
    """The line of a file that could not be scored."""

    path: str
    error: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"schema": SCHEMA, "file": {"path": plain(self.path)}, "error": plain(self.error)}

    def to_json(self, *, indent: int | None = None) -> str:
        """One JSON object, without a line break at its end."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)


def _track(data: Mapping[str, Any]) -> TrackReport:
    sync = dict(data["sync"])
    interval = sync["offset_ci_ms"]
    sync["offset_ci_ms"] = (interval[0], interval[1]) if interval is not None else None
    rest = {
        "visual": BranchReport(**data["visual"]),
        "audio": BranchReport(**data["audio"]),
        "sync": SyncReport(**sync),
        "classes": {name: data["classes"][name] for name in CLASSES} if data["classes"] is not None else None,
        "timeline": tuple(TimelinePoint(**point) for point in data["timeline"]),
    }
    return TrackReport(**{**data, **rest})


def plain(value: Any, *, leave_out: tuple[str, ...] = ()) -> Any:
    """Dataclasses, mappings and sequences as plain JSON types.

    Numbers that are not finite become ``None``. Fields named in ``leave_out`` are skipped. A file name that is not
    valid UTF-8 keeps its odd bytes as backslash escapes in plain ASCII, so that the JSON can always be written; one
    that is gets its letters back even where the locale is not UTF-8.
    """
    if hasattr(value, "__dataclass_fields__"):
        names = [f.name for f in fields(value) if f.name not in leave_out]
        return {name: plain(getattr(value, name), leave_out=leave_out) for name in names}
    if isinstance(value, Mapping):
        return {str(name): plain(item, leave_out=leave_out) for name, item in value.items()}
    if isinstance(value, str):
        return value if value.isascii() else writable(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, tuple | list):
        return [plain(item, leave_out=leave_out) for item in value]
    if isinstance(value, int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None


def writable(text: str) -> str:
    """A text that UTF-8 can hold, whatever the bytes of the file name that it came from."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a report or of the line of a failed file."""
    return json.loads(Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8"))
