"""A track's findings as an entry of the report, rounded to what they are worth."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from avdetect.calibration import Calibration
from avdetect.report.schema import BranchReport, SyncReport, TimelinePoint, TrackReport
from avdetect.sync.band import too_wide
from avdetect.sync.windows import HOP
from avdetect.types import CLASSES, TICK_RATE, offset_text
from avdetect.verdict.segments import smooth
from avdetect.verdict.tracks import TrackFindings


def track_report(f: TrackFindings, calibration: Calibration) -> TrackReport:
    """The entry of one track."""
    classes = f.track.evidence.classes
    return TrackReport(
        id=f.track.track_id,
        start_s=round(f.track.start_s, 3),
        end_s=round(f.track.end_s, 3),
        speaking=f.speaking,
        visual=BranchReport(rounded(f.visual)),
        audio=BranchReport(rounded(f.audio)),
        sync=_sync(f),
        classes=_classes(classes),
        timeline=timeline(f, calibration),
    )


def rounded(value: float | None, digits: int = 4) -> float | None:
    """Rounded, and ``None`` where not finite."""
    return round(float(value), digits) if value is not None and np.isfinite(value) else None


def interval(ends: tuple[float, float] | None, digits: int) -> tuple[float, float] | None:
    """An interval, rounded."""
    return None if ends is None else (round(float(ends[0]), digits), round(float(ends[1]), digits))


def _sync(f: TrackFindings) -> SyncReport:
    e = f.estimate
    if e is None:
        return SyncReport(probability_mismatch=rounded(f.sync))
    offset = None if too_wide(e.ci_ms) else rounded(e.offset_ms, 1)
    return SyncReport(
        probability_mismatch=rounded(f.sync),
        offset_ms=offset,
        offset_ci_ms=interval(e.ci_ms, 1),
        offset_text=offset_text(offset),
        confidence=rounded(e.confidence),
        drift_ppm=rounded(f.drift.ppm, 0),
    )


def _classes(log_probabilities: np.ndarray | None) -> dict[str, float] | None:
    if log_probabilities is None or not np.isfinite(log_probabilities).any():
        return None
    shifted = np.exp(np.asarray(log_probabilities, np.float64) - np.nanmax(log_probabilities))
    return {name: round(float(p), 4) for name, p in zip(CLASSES, shifted / shifted.sum(), strict=True)}


def timeline(f: TrackFindings, calibration: Calibration) -> tuple[TimelinePoint, ...]:
    """One point every 0.4 s of the track; points where nothing was measured are kept, so that the clock is even."""
    width = max(1, round(calibration.segments.smooth_s * TICK_RATE))
    n = -(-f.track.n_ticks // HOP)
    means = [
        scaling.probability(hop_means(smooth(ticks, width), n))
        for ticks, scaling in (
            (f.visual_ticks, calibration.visual),
            (f.audio_ticks, calibration.audio),
            (f.sync_ticks, calibration.sync),
        )
    ]
    offsets = f.windows.offset_ms if f.windows is not None else np.full(n, np.nan)
    times = f.track.start_s + hop_centres_s(f.track.n_ticks)
    return tuple(
        TimelinePoint(round(float(t), 3), rounded(v, 3), rounded(a, 3), rounded(s, 3), rounded(o, 1))
        for t, v, a, s, o in zip(times, *means, offsets, strict=True)
    )


def hop_centres_s(n_ticks: int) -> Float64[np.ndarray, " n"]:
    """Middles of the hops of a track, seconds from its start; the last hop ends with the track."""
    starts = np.arange(0, n_ticks, HOP)
    return (starts + np.minimum(starts + HOP, n_ticks)) / (2 * TICK_RATE)


def hop_means(ticks: np.ndarray, n: int) -> np.ndarray:
    """Means of the measured values in each of ``n`` hops; NaN where there are none."""
    padded = np.full(n * HOP, np.nan)
    padded[: len(ticks)] = ticks
    table = padded.reshape(n, HOP)
    good = np.isfinite(table)
    count = good.sum(axis=1)
    return np.where(count > 0, np.where(good, table, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
