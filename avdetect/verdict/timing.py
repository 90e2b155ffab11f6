"""Where the sound lies, in sentences: of each face that may speak, and never against what is said of its lips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.calibration import Calibration
from avdetect.sync.band import band_sentence, too_wide
from avdetect.sync.drift import Drift
from avdetect.sync.offset import TICK_MS, OffsetEstimate
from avdetect.types import MAX_LAG, TICK_RATE
from avdetect.verdict.combine import accuses
from avdetect.verdict.entries import interval, rounded
from avdetect.verdict.tracks import TrackFindings

MAX_JUMPS = 5
"""Jumps of the offset that are named with their time."""


def timing(findings: Sequence[TrackFindings], calibration: Calibration) -> list[str]:
    """The offset, its jumps and its drift, for each face that is not known to be silent."""
    several = sum(f.has_face for f in findings) > 1
    lines = []
    for f in findings:
        if f.estimate is None or f.speaking is False:
            continue
        who = f"face {f.track.track_id}" if several else ""
        mismatch = f.sync is not None and accuses("sync", f.sync, calibration)
        vague = f.estimate.offset_ms is None or too_wide(f.estimate.ci_ms)
        if mismatch and _mostly(f) and vague:
            lines.append(f"{prefixed(who)}No offset of up to {MAX_LAG * TICK_MS:.0f} ms makes lips and sound fit.")
            continue
        lines.append(offset_sentence(f.estimate, who=who, at_best=mismatch and not vague))
        if len(f.offset_segments) > 1:
            jumps = [f.track.start_s + s.start / TICK_RATE for s in f.offset_segments[1:]]
            times = ", ".join(f"{t:.1f}" for t in jumps[:MAX_JUMPS]) + (" ..." if len(jumps) > MAX_JUMPS else "")
            lines.append(f"{prefixed(who)}The offset jumps at {times} s.")
        if drift := drift_sentence(f.drift, who=who):
            lines.append(drift)
    return lines


def _mostly(f: TrackFindings) -> bool:
    """Whether the lips do not fit over most of what was measured, and not in a stretch of it only."""
    stretches = [s.end_s - s.start_s for s in f.segments if s.kind == "sync"]
    return not stretches or sum(stretches) >= 0.5 * float(np.isfinite(f.sync_ticks).sum()) / TICK_RATE


def offset_sentence(estimate: OffsetEstimate, *, who: str = "", at_best: bool = False) -> str:
    """The offset in words, from the numbers as the report gives them.

    Args:
        estimate: of the stretch.
        who: whose, as ``face 2``; empty if there is one face.
        at_best: lips and sound were said not to fit, at least in part.
    """
    offset, ci = rounded(estimate.offset_ms, 1), interval(estimate.ci_ms, 1)
    sentence = band_sentence(offset, ci, at_end=estimate.at_end)
    if at_best:
        sentence = f"Where lips and sound fit best, {sentence[0].lower()}{sentence[1:]}"
    return f"{prefixed(who)}{sentence}"


def prefixed(who: str) -> str:
    """A face in front of a sentence.

    Examples:
        >>> prefixed("face 2"), prefixed("")
        ('Face 2: ', '')
    """
    return f"{who[0].upper()}{who[1:]}: " if who else ""


def drift_sentence(drift: Drift, *, who: str = "") -> str:
    """The drift as a sentence; empty where there is none or it cannot be told from none."""
    if drift.ppm is None or drift.ci_ppm is None or drift.ci_ppm[0] * drift.ci_ppm[1] <= 0:
        return ""
    way = "later" if drift.ppm > 0 else "earlier"
    return f"{prefixed(who)}The sound gets {abs(drift.ppm) * 0.06:.0f} ms {way} every minute ({drift.ppm:+.0f} ppm)."
