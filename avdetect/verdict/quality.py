"""When a face is too badly seen to be judged, and why."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from avdetect.calibration import QualityMinima
from avdetect.types import Quality


def failures(quality: Quality, limits: QualityMinima | None = None) -> dict[str, Bool[np.ndarray, " t"]]:
    """Which ticks fail which measure, by name of the fault. A measure that is NaN was not taken and fails nothing."""
    limits = limits or QualityMinima()
    q = quality
    with np.errstate(invalid="ignore"):
        return {
            "too small": q.size_px < limits.size_px,
            "too blurred": q.sharpness < limits.sharpness,
            "too dark": q.light < limits.light_min,
            "too bright": q.light > limits.light_max,
            "turned too far": (np.abs(q.yaw_deg) > limits.yaw_deg) | (np.abs(q.pitch_deg) > limits.pitch_deg),
            "hidden": q.presence < limits.presence,
        }


def fine_enough(quality: Quality, limits: QualityMinima) -> Bool[np.ndarray, " t"]:
    """Ticks on which the face is large enough for its texture to be judged; unknown sizes are."""
    with np.errstate(invalid="ignore"):
        return ~(quality.size_px < limits.texture_px)


def assess(
    quality: Quality, visible: Bool[np.ndarray, " t"], limits: QualityMinima | None = None
) -> tuple[list[str], Bool[np.ndarray, " t"]]:
    """Whether a face can be judged at all, and on which ticks.

    Args:
        quality: measures per tick.
        visible: ticks on which the face was found.
        limits: thresholds.

    Returns:
        The faults, the most frequent first, when too few of the visible ticks pass (report ``low_quality``); an empty
        list when the face is good enough. And the ticks that pass every measure.
    """
    limits = limits or QualityMinima()
    faults = failures(quality, limits)
    good = visible & ~np.logical_or.reduce(list(faults.values()))
    seen = int(visible.sum())
    if seen and good.sum() >= limits.share * seen:
        return [], good
    counts = {name: int((bad & visible).sum()) for name, bad in faults.items()}
    return [name for name in sorted(counts, key=lambda n: -counts[n]) if counts[name]], good
