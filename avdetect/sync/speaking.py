"""Is this face speaking, and who of several faces is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from avdetect.types import TICK_RATE

UPPER_LIP, LOWER_LIP = 13, 14
"""Middle of the inner lips in the 468-point mesh."""
MOUTH_LEFT, MOUTH_RIGHT = 78, 308
"""Inner mouth corners in the 468-point mesh."""


def mouth_opening(landmarks: Float[np.ndarray, "t 468 3"]) -> Float32[np.ndarray, "t 2"]:
    """Distance of the inner lips and width of the mouth at each tick: all that :func:`lip_activity` needs of a mesh."""
    points = np.asarray(landmarks, np.float32)
    opening = np.linalg.norm(points[:, UPPER_LIP] - points[:, LOWER_LIP], axis=1)
    return np.stack([opening, np.linalg.norm(points[:, MOUTH_LEFT] - points[:, MOUTH_RIGHT], axis=1)], axis=1)


def lip_activity(mouth: Float[np.ndarray, "t 2"], visible: Bool[np.ndarray, " t"]) -> Float32[np.ndarray, " t"]:
    """How much the mouth opens and closes around each tick.

    The opening is the distance of the inner lips divided by the (median) width of the mouth; the activity is its
    standard deviation over 1 s. The median of a real talking clip is 0.03 to 0.08, with one in twenty below 0.015.

    Args:
        mouth: from :func:`mouth_opening`.
        visible: ticks where the face was found.

    Returns:
        Activity per tick, NaN where the face is hidden for most of the second.
    """
    mouth = np.asarray(mouth, np.float64)
    width = np.median(mouth[visible, 1]) if visible.any() else 1.0
    opening = mouth[:, 0] / max(float(width), 1e-6)
    count = moving_sum(visible.astype(np.float64), TICK_RATE)
    safe = np.maximum(count, 1)
    # Centring first keeps the difference of squares exact.
    centred = np.where(visible, opening - (opening[visible].mean() if visible.any() else 0.0), 0.0)
    mean = moving_sum(centred, TICK_RATE) / safe
    variance = moving_sum(centred**2, TICK_RATE) / safe - mean**2
    return np.where(count >= TICK_RATE / 2, np.sqrt(np.maximum(variance, 0)), np.nan).astype(np.float32)


def moving_sum(values: Float[np.ndarray, " t"], width: int) -> Float64[np.ndarray, " t"]:
    """Sum over ``width`` values around each, fewer at the ends."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    here = np.arange(len(values))
    low = np.maximum(here - width // 2, 0)
    high = np.minimum(here - width // 2 + width, len(values))
    return total[high] - total[low]


def tick_weights(
    speech: Float[np.ndarray, " t"], visible: Bool[np.ndarray, " t"] | None, *, reach: int = 8
) -> Float64[np.ndarray, " t"]:
    """Weight of each tick for the offset: 0 where the face is hidden, and the speech around the tick elsewhere.

    The sound that belongs to a tick's lips may be some ticks away, so a tick takes the greatest speech probability
    within ``reach`` ticks. Where speech is unknown (NaN) it counts as 1.
    """
    speech = np.where(np.isnan(speech), 1.0, np.clip(speech, 0.0, 1.0)).astype(np.float64)
    if len(speech):
        padded = np.pad(speech, reach)
        speech = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    return speech if visible is None else speech * visible
