"""How good the picture of a face is, and when it is too bad to judge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from avdetect.faces.roi import EYE_CORNERS
from avdetect.types import Quality


@dataclass(frozen=True)
class QualityLimits:
    """What a tick of a face track must offer before it is evidence (units of ``types.Quality``).

    Size, sharpness and light were chosen by making 16 real clips (eyes 60 to 150 px apart) worse and correlating the
    opening of the lips over time with that of the untouched clip; the values are where a quarter of the clips falls
    below about 0.9:

    ========  ==========================================================================================
    size      10 px: 0.64, 14: 0.86, 18: 0.90, 22: 0.94, 28: 0.97, 36: 0.98 (first quartile)
    blur      sharpness 9: 0.99, 3: 0.96, 1.8: 0.91, 0.9: 0.77, 0.5: 0.16
    dark      light 0.16: 0.95, 0.08: 0.92, 0.04: 0.87, 0.02: 0.42
    ========  ==========================================================================================

    Sharpness falls with the light as well (light 0.08 measures 1.2 and is still good), so its limit lies lower than
    blur alone would have it. Turn and nod are where the far corner of the mouth goes out of sight; of 184 real clips
    the one turned farthest has a median of 51 degrees.

    Attributes:
        size_px: least distance between the outer eye corners.
        sharpness: least sharpness.
        yaw_deg: most turn to either side.
        pitch_deg: most nod up or down.
        light_min: least light.
        light_max: most light.
        presence: least presence.
        share: least part of the visible ticks that must pass all of these.
    """

    size_px: float = 24.0
    sharpness: float = 0.9
    yaw_deg: float = 60.0
    pitch_deg: float = 45.0
    light_min: float = 0.05
    light_max: float = 0.97
    presence: float = 0.5
    share: float = 0.3


def eye_distance(mesh: Float32[np.ndarray, "p 3"]) -> float:
    """Distance between the outer eye corners in the picture, pixels of the mesh's coordinates."""
    return float(np.linalg.norm((mesh[EYE_CORNERS[1]] - mesh[EYE_CORNERS[0]])[:2]))


def measure_crop(face: UInt8[np.ndarray, "h w 3"]) -> tuple[float, float]:
    """Sharpness and light of an aligned face crop.

    Only its middle (the face, without the background and the black beyond the frame) counts.

    Returns:
        Variance of the Laplacian (four neighbours, intensities in [0, 1]) times 1e4, and mean luma in [0, 1].
    """
    size = face.shape[0]
    low, high = size // 5, size - size // 5
    grey = cv2.cvtColor(face[low:high, low:high], cv2.COLOR_RGB2GRAY)
    deviation = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S, ksize=1))[1][0, 0])
    return (deviation / 255) ** 2 * 1e4, float(cv2.mean(grey)[0]) / 255


def failures(quality: Quality, limits: QualityLimits | None = None) -> dict[str, Bool[np.ndarray, " t"]]:
    """Which ticks fail which measure, by name of the fault. A measure that is NaN was not taken and fails nothing."""
    limits = limits or QualityLimits()
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


def assess(
    quality: Quality, visible: Bool[np.ndarray, " t"], limits: QualityLimits | None = None
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
    limits = limits or QualityLimits()
    faults = failures(quality, limits)
    good = visible & ~np.logical_or.reduce(list(faults.values()))
    seen = int(visible.sum())
    if seen and good.sum() >= limits.share * seen:
        return [], good
    counts = {name: int((bad & visible).sum()) for name, bad in faults.items()}
    return [name for name in sorted(counts, key=lambda n: -counts[n]) if counts[name]], good
