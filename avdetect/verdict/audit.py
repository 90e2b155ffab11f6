"""From an analysis to an audit of its lip sync, and whether the sound may be moved by what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from avdetect.calibration import Calibration
from avdetect.report.audit import Audit, OffsetEntry, OffsetPoint, SyncPicture, TrackAudit
from avdetect.report.schema import ModelSummary
from avdetect.sync.band import band_verdict
from avdetect.sync.offset import TICK_MS, OffsetEstimate
from avdetect.types import TICK_RATE, offset_text
from avdetect.verdict.abstaining import abstained_sentence, abstentions
from avdetect.verdict.analysis import Analysis
from avdetect.verdict.entries import hop_centres_s, interval, rounded
from avdetect.verdict.judge import file_summary
from avdetect.verdict.timing import drift_sentence, offset_sentence
from avdetect.verdict.tracks import TrackFindings, decide_speaking, measure_track
from avdetect.verdict.unread import as_sentence, unread_sentence

MAX_HALF_WIDTH_MS = 60.0
"""An offset whose interval is wider to either side is not moved by."""
MAX_DRIFT_MS = 45.0
"""A drift that adds up to more over the file cannot be mended by one shift."""


def audit_sync(analysis: Analysis, calibration: Calibration, *, model: Mapping[str, str] | None = None) -> Audit:
    """Offset per face and stretch, drift, and where it lies in the band that viewers accept.

    Args:
        analysis: what was measured.
        calibration: of the detector that measured it.
        model: name, version and SHA-256 of that detector.
    """
    findings = decide_speaking([measure_track(track, calibration) for track in analysis.tracks], calibration)
    faces = [f for f in findings if f.has_face and f.estimate is not None]
    main = max(faces, key=_prominence, default=None)
    summary = list(_summary(main)) if main is not None else []
    summary.append(unread_sentence(analysis))
    abstained = abstentions(analysis, findings, calibration)
    summary += [abstained_sentence(reason, analysis, findings, calibration) for reason in abstained]
    summary += map(as_sentence, analysis.warnings)
    entry = _entry(main.track.start_s, main.track.end_s, main.estimate) if main is not None else _entry(0.0, 0.0, None)
    model = model or {}
    return Audit(
        file=file_summary(analysis.info, analysis.sha256),
        model=ModelSummary(*(str(model.get(key, "")) for key in ("name", "version", "sha256"))),
        track=main.track.track_id if main is not None else None,
        offset_ms=entry.offset_ms,
        offset_ci_ms=entry.offset_ci_ms,
        offset_text=entry.offset_text,
        confidence=entry.confidence,
        band=entry.band,
        drift_ppm=rounded(main.drift.ppm, 0) if main is not None else None,
        summary=tuple(dict.fromkeys(line for line in summary if line)),
        tracks=tuple(_track(f, calibration) for f in faces),
    )


def _prominence(f: TrackFindings) -> tuple[int, float]:
    """The face that the sound is about: speaking before not, then by evidence (confidence times speech seen)."""
    assert f.estimate is not None
    return (1 if f.speaking else 0, float(np.nan_to_num(f.estimate.confidence)) * f.estimate.ticks)


def _entry(start_s: float, end_s: float, estimate: OffsetEstimate | None) -> OffsetEntry:
    offset = rounded(estimate.offset_ms, 1) if estimate is not None else None
    ci = interval(estimate.ci_ms, 1) if estimate is not None else None
    confidence = rounded(estimate.confidence) if estimate is not None else None
    return OffsetEntry(
        round(start_s, 3), round(end_s, 3), offset, ci, offset_text(offset), confidence, band_verdict(offset, ci)
    )


def _track(f: TrackFindings, calibration: Calibration) -> TrackAudit:
    assert f.estimate is not None and f.windows is not None
    start = f.track.start_s
    windows = f.windows
    return TrackAudit(
        id=f.track.track_id,
        speaking=f.speaking,
        whole=_entry(start, f.track.end_s, f.estimate),
        drift_ppm=rounded(f.drift.ppm, 0),
        drift_ci_ppm=interval(f.drift.ci_ppm, 0),
        drift_why_not=f.drift.why_not,
        segments=tuple(
            _entry(start + s.start / TICK_RATE, start + s.end / TICK_RATE, s.estimate) for s in f.offset_segments
        ),
        timeline=tuple(
            OffsetPoint(round(start + float(t), 3), rounded(o, 1), rounded(c))
            for t, o, c in zip(hop_centres_s(f.track.n_ticks), windows.offset_ms, windows.confidence, strict=True)
        ),
        picture=SyncPicture(
            times_s=start + windows.centre_s,
            lags_ms=f.estimate.lags * TICK_MS - calibration.zero_offset_ms,
            curves=windows.curves,
            whole=f.estimate.curve,
        ),
    )


def _summary(f: TrackFindings) -> list[str]:
    assert f.estimate is not None
    pieces = f.offset_segments
    if len(pieces) > 1:
        lines = [f"The offset jumps: there are {len(pieces)} stretches of different offset."]
        for piece in pieces[:8]:
            low, high = f.track.start_s + piece.start / TICK_RATE, f.track.start_s + piece.end / TICK_RATE
            lines.append(f"{low:.1f} to {high:.1f} s: {offset_sentence(piece.estimate)}")
        return lines
    lines = [offset_sentence(f.estimate)]
    drift = drift_sentence(f.drift)
    return [*lines, drift] if drift else lines


def why_not_to_move(audit: Audit) -> str:
    """Why one shift of the sound should not be made of this audit, as a sentence; empty where it may.

    Even with ``force`` an offset is needed: without one there is nothing to move by.
    """
    main = audit.main
    if main is None or audit.offset_ms is None:
        return "the offset could not be measured with enough confidence"
    if len(main.segments) > 1:
        return f"the offset jumps ({len(main.segments)} stretches), so one shift cannot mend it"
    if audit.offset_ci_ms is None:
        return "there is too little speech for an interval of the offset"
    grows = abs(main.drift_ppm or 0.0) * 1e-3 * (main.whole.end_s - main.whole.start_s)
    sure = main.drift_ci_ppm is not None and main.drift_ci_ppm[0] * main.drift_ci_ppm[1] > 0
    if sure and grows > MAX_DRIFT_MS:
        rate = f"{main.drift_ppm:+.0f} ppm"
        return f"the offset drifts by {grows:.0f} ms over the file ({rate}), so one shift cannot mend it"
    low, high = audit.offset_ci_ms
    if (high - low) / 2 > MAX_HALF_WIDTH_MS:
        return f"the offset is too uncertain (95 % interval {low:+.0f} to {high:+.0f} ms)"
    if others := _disagreeing(audit.tracks, main):
        return f"faces {', '.join(map(str, others))} speak with another offset than face {main.id}"
    if low <= 0 <= high:
        return f"the offset cannot be told from none (95 % interval {low:+.0f} to {high:+.0f} ms)"
    return ""


def _disagreeing(tracks: Sequence[TrackAudit], main: TrackAudit) -> list[int]:
    if main.whole.offset_ci_ms is None:
        return []
    low, high = main.whole.offset_ci_ms
    return [
        t.id
        for t in tracks
        if t.id != main.id
        and t.speaking
        and t.whole.offset_ci_ms is not None
        and (t.whole.offset_ci_ms[0] > high + TICK_MS or t.whole.offset_ci_ms[1] < low - TICK_MS)
    ]
