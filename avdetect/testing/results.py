"""Reports and audits of every kind, as formats have to put them into words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from avdetect.commands import audit, score
from avdetect.commands.audit import Audited
from avdetect.report.audit import Audit, OffsetEntry, OffsetPoint, TrackAudit
from avdetect.report.forms import Forms
from avdetect.report.schema import (
    AudioSummary,
    BranchReport,
    DetectorReport,
    FailedReport,
    FileSummary,
    ModelSummary,
    Report,
    SyncReport,
    TimelinePoint,
    TrackReport,
    VideoSummary,
)
from avdetect.types import CLASSES, AbstainReason, Segment, VerdictName, offset_text

MODEL = ModelSummary("made up", "1.2", "0" * 64)
ODD_NAME = b"caf\xe9 \xff.mp4".decode("utf-8", "surrogateescape")
"""Of a file whose name is not UTF-8, as Python gives it."""


def file_called(name: str, *, picture: bool = True, sound: bool = True, length_s: float | None = 12.0) -> FileSummary:
    """The summary of a file."""
    video = VideoSummary("h264", 640, 360, 25.0) if picture else None
    return FileSummary(name, "ab" * 32, length_s, video, AudioSummary("aac", 48_000) if sound else None)


def report(verdict: VerdictName, name: str, **more: Any) -> Report:
    """A report with a track that speaks."""
    probability = {"fake": 0.97, "real": 0.04, "inconclusive": 0.5}[verdict]
    offset = 120.0 if verdict == "fake" else 8.0
    sync = SyncReport(probability, offset, (offset - 20, offset + 20), offset_text(offset), 0.31, None)
    track = TrackReport(
        0,
        0.0,
        12.0,
        True,
        BranchReport(probability),
        BranchReport(0.1),
        sync,
        dict.fromkeys(CLASSES, 0.25),
        (TimelinePoint(0.4, probability, 0.1, None, offset),),
    )
    segments = (Segment(2.0, 3.5, "visual", 0.9),) if verdict == "fake" else ()
    fields: dict[str, Any] = {"reasons": (f"It looks {verdict}.",), "tracks": (track,), "segments": segments, **more}
    return Report(file_called(name), MODEL, verdict, fields.pop("probability_fake", probability), **fields)


def reports() -> list[Report | FailedReport]:
    """One of each verdict, one that abstains, one of several detectors, odd ones, and failures."""
    nothing: tuple[AbstainReason, ...] = ("no_face", "no_audio")
    untold = TrackReport(-1, 0.0, 3.0, None, timeline=(TimelinePoint(0.0),))
    not_measured = TrackReport(
        1,
        0.0,
        2.0,
        False,
        BranchReport(math.nan),
        BranchReport(math.inf),
        SyncReport(math.nan, math.nan, None, offset_text(None), math.nan, math.nan),
        timeline=(TimelinePoint(0.0, math.nan, math.nan, math.nan, math.nan),),
    )
    several = (DetectorReport("one", "1", "one 1.0", 0.9), DetectorReport("two", "", "", None, False, "no face"))
    silent = Report(file_called("nothing.mkv", picture=False, sound=False, length_s=None), MODEL, "inconclusive", None)
    return [
        report("real", "genuine.mp4"),
        report("fake", 'folder/forged, "twice"\t<b>.mp4'),
        report("inconclusive", "unsure.mp4", abstained=nothing, tracks=(untold,), probability_fake=None),
        report("fake", "several.mp4", detectors=several),
        report("real", "not measured.mp4", tracks=(not_measured,), probability_fake=math.nan),
        report("real", "видео 视频.mp4", reasons=("Two lines\nin one reason, and “quotes”.",)),
        report("fake", ODD_NAME),
        silent,
        FailedReport("broken.mp4", "moov atom not found\nat byte 48"),
        FailedReport(ODD_NAME, "it cannot be opened"),
    ]


def audits() -> list[Audited | FailedReport]:
    """One that measured (with a plot and a new file), one that could not, and a failure."""
    whole = OffsetEntry(0.0, 12.0, 40.0, (30.0, 50.0), offset_text(40.0), 0.4, "within")
    lost = OffsetEntry(0.0, 1.0, math.nan, None, offset_text(None), None, "cannot tell")
    track = TrackAudit(0, True, whole, 900.0, (700.0, 1100.0), "", (whole,), (OffsetPoint(0.4, 40.0, 0.4),))
    short = TrackAudit(0, None, lost, None, None, "It is too short.", (lost,), (OffsetPoint(0.4, None, None),))
    told, nobody = ("Lips and sound are together.",), ("There is no face.",)
    measured = Audit(
        file_called("measured.mp4"),
        MODEL,
        0,
        40.0,
        (30.0, 50.0),
        offset_text(40.0),
        0.4,
        "within",
        900.0,
        told,
        (track,),
    )
    unsure = {"offset_text": offset_text(None), "band": "cannot tell", "drift_ppm": None}
    nothing: dict[str, Any] = {"offset_ms": None, "offset_ci_ms": None, "confidence": math.nan, **unsure}
    return [
        Audited(measured, plot="measured.png", fix={"path": "fixed.mp4", "moved_ms": 40.0}),
        Audited(Audit(file_called("short.mp4"), MODEL, 0, summary=told, tracks=(short,), **nothing)),
        Audited(Audit(file_called("empty.mp4"), MODEL, None, summary=nobody, tracks=(), **nothing)),
        FailedReport("broken.mp4", "no picture stream"),
    ]


def of_each_kind() -> list[tuple[str, Forms, Sequence[Any]]]:
    """What they are, how they are shown, and the results."""
    return [("reports", score.FORMS, reports()), ("audits", audit.FORMS, audits())]
