"""Which of other clips can give a face or a mouth: those whose head is turned much alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.types import FaceTrack

MOST_TURN_DEG = 20.0
"""Difference of the median turn or nod beyond which a warp in the plane smears a face."""


def turned_alike(track: FaceTrack, others: Sequence[FaceTrack], limit_deg: float = MOST_TURN_DEG) -> list[FaceTrack]:
    """Those of the other tracks whose median turn and nod differ from the track's by less than the limit."""
    own = _median_turn(track)
    return [other for other in others if np.abs(_median_turn(other) - own).max() < limit_deg]


def _median_turn(track: FaceTrack) -> np.ndarray:
    """Yaw and pitch, degrees; zeros where they were not measured."""
    angles = np.stack([track.quality.yaw_deg, track.quality.pitch_deg], 1)[track.visible]
    angles = angles[np.isfinite(angles).all(1)]
    return np.median(angles, axis=0) if len(angles) else np.zeros(2)
