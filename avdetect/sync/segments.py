"""Stretches of constant offset, measured, and whether their steps are really a drift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from avdetect.sync.changes import constant_stretches
from avdetect.sync.drift import Drift, estimate_drift
from avdetect.sync.offset import OffsetEstimate, estimate_offset
from avdetect.sync.windows import SPAN, OffsetWindows, agreement_height
from avdetect.types import TICK_RATE

SAME_MS = 25.0
"""Neighbouring stretches closer than this are one: it is less than a video frame."""
STAIR_MS = 100.0
"""Steps up to this, all in one direction, may be the stairs that a slow drift makes of whole lags."""


@dataclass(frozen=True)
class OffsetSegment:
    """Ticks ``start`` to ``end`` (exclusive) of a track, over which the offset does not jump."""

    start: int
    end: int
    estimate: OffsetEstimate


def offset_segments(
    similarity: Float[np.ndarray, "t k"],
    lags: Int[np.ndarray, " k"],
    windows: OffsetWindows,
    *,
    weights: Float[np.ndarray, " t"],
    zero_offset_ms: float = 0.0,
    believe: Callable[[OffsetEstimate], bool] = lambda estimate: estimate.offset_ms is not None,
) -> tuple[tuple[OffsetSegment, ...], Drift]:
    """Cut a track where its offset jumps, measure each piece, and the drift if it does not jump.

    Args:
        similarity: similarity of lips and sound, NaN where missing.
        lags: lags in ticks.
        windows: offsets over time of the same track.
        weights: weight of each tick.
        zero_offset_ms: what the detector reads on clips in sync.
        believe: whether an estimate counts; the offset of one that does not becomes ``None``.
    """

    def measure(start: int, end: int) -> OffsetSegment:
        estimate = estimate_offset(
            similarity[start:end], lags, weights=weights[start:end], zero_offset_ms=zero_offset_ms
        )
        return OffsetSegment(
            start, end, estimate if believe(estimate) else replace(estimate, offset_ms=None, ci_ms=None)
        )

    stretches = constant_stretches(similarity, lags, weights=weights, height=agreement_height(windows))
    segments = [measure(s.start, s.end) for s in stretches]
    i = 0
    while i + 1 < len(segments):
        if _same(segments[i].estimate, segments[i + 1].estimate):
            segments[i : i + 2] = [measure(segments[i].start, segments[i + 1].end)]
            i = max(i - 1, 0)
        else:
            i += 1
    drift = estimate_drift(windows.centre_s, windows.offset_ms, stride=SPAN)
    if len(segments) > 1:
        if _is_stair(segments, windows, drift):
            segments = [measure(segments[0].start, segments[-1].end)]
        else:
            jumps = ", ".join(f"{s.start / TICK_RATE:.1f}" for s in segments[1:6])
            drift = Drift(None, why_not=f"The offset jumps (at {jumps} s of the track), so a drift would mean nothing.")
    return tuple(segments), drift


def _same(a: OffsetEstimate, b: OffsetEstimate) -> bool:
    """Whether two neighbours are one stretch: near each other, within their intervals, or one of them unmeasured."""
    if a.offset_ms is None or b.offset_ms is None:
        return True
    if abs(a.offset_ms - b.offset_ms) < SAME_MS:
        return True
    if a.ci_ms is None or b.ci_ms is None:
        return False
    return a.ci_ms[0] <= b.ci_ms[1] and b.ci_ms[0] <= a.ci_ms[1]


def _is_stair(segments: Sequence[OffsetSegment], windows: OffsetWindows, drift: Drift) -> bool:
    """Whether a line explains the windows' offsets about as well as the steps do, with steps that a drift can make."""
    if drift.ppm is None or drift.ci_ppm is None or drift.ci_ppm[0] * drift.ci_ppm[1] <= 0:
        return False
    offsets = np.array([s.estimate.offset_ms for s in segments], np.float64)
    steps = np.diff(offsets)
    if np.abs(steps).max() > STAIR_MS or not (np.all(steps > 0) or np.all(steps < 0)):
        return False
    good = np.isfinite(windows.offset_ms)
    time, found = windows.centre_s[good], windows.offset_ms[good]
    line = (drift.offset_at_start_ms or 0.0) + drift.ppm * 1e-3 * time
    starts = np.array([s.start for s in segments]) / TICK_RATE
    stairs = offsets[np.maximum(np.searchsorted(starts, time, side="right") - 1, 0)]
    return float(np.mean(np.abs(found - line))) <= 1.15 * float(np.mean(np.abs(found - stairs)))
