"""Settings of the face tracker and the small records that its parts hand to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from avdetect.faces.align import Pose
from avdetect.faces.crops import Patch

GROUP = 8
"""Ticks that are looked at together; groups start at multiples of this, so that results do not depend on blocks."""
LOOK_EVERY = 3
"""Groups between two looks with the detector: 24 ticks, just under a second."""


@dataclass(frozen=True)
class TrackerConfig:
    """How faces are found and followed.

    Attributes:
        max_faces: faces followed at the same time.
        detection_score: least score of a detection that starts a track, in (0, 1).
        small_score: the same for faces found in small tiles only.
        presence: least probability of the mesh network that it sees a face, in (0, 1).
        min_ticks: tracks seen on fewer ticks are dropped as spurious.
        max_gap_ticks: a face that comes back after at most so many ticks keeps its track.
        small_faces: search small tiles, at most once a second, when there is no face.
    """

    max_faces: int = 4
    detection_score: float = 0.5
    small_score: float = 0.65
    presence: float = 0.5
    min_ticks: int = 10
    max_gap_ticks: int = 25
    small_faces: bool = True


@dataclass(frozen=True)
class Shown:
    """A frame that is shown on one or more ticks.

    Attributes:
        number: the frame's number in the file.
        tick: first tick it is shown on.
        time_s: its presentation time.
        pixels: RGB.
        cut: whether a cut lies right before it.
    """

    number: int
    tick: int
    time_s: float
    pixels: UInt8[np.ndarray, "h w 3"]
    cut: bool


@dataclass(frozen=True)
class Sighting:
    """One face in one frame.

    Attributes:
        face: the follower's own number of the face.
        frame: the frame's number.
        time_s: the frame's presentation time.
        scene: number of cuts before the frame.
        mesh: points in frame pixels.
        presence: probability in [0, 1].
        pose: where the template lies.
        patch: pixels around the face.
    """

    face: int
    frame: int
    time_s: float
    scene: int
    mesh: Float32[np.ndarray, "p 3"]
    presence: float
    pose: Pose
    patch: Patch
