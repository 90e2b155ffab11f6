"""Mouths that stand still, repeat themselves, or open and close to another sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32
from scipy.ndimage import gaussian_filter1d

from avdetect.forge.blending import FACE_OVAL, sampled
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.mesh_warp import CORNERS, triangles_of, warp_map
from avdetect.forge.mouth_paste import LEAST_SHIFT, there_and_back
from avdetect.forge.mouth_transplant import MouthTransplant, plan_transplant
from avdetect.forge.views import Image, PictureForge, View, moved
from avdetect.types import FaceTrack

LOWER_LIP = (
    17, 84, 181, 91, 146, 314, 405, 321, 375, 16, 85, 180, 90, 77, 315, 404, 320, 307, 14, 87, 178, 88, 95, 317, 402,
    318, 324,
)  # fmt: skip
UPPER_LIP = (
    0, 37, 39, 40, 185, 267, 269, 270, 409, 11, 72, 73, 74, 184, 302, 303, 304, 408, 13, 82, 81, 80, 191, 312, 311,
    310, 415,
)  # fmt: skip
CHIN_SHARES = {18: 0.9, 83: 0.9, 313: 0.9, 200: 0.8, 199: 0.8, 175: 0.8, 152: 0.7, 148: 0.6, 377: 0.6, 176: 0.5,
               400: 0.5, 149: 0.35, 378: 0.35, 150: 0.2, 379: 0.2}  # fmt: skip
"""How far chin and jaw go with the lower lip."""
LOWER_SHARE = 0.8
"""Of a change in opening, the lower lip's part."""
FENCE = 1.2
"""Where the warp ends, in sizes of the face."""
SMALLEST = 0.012
"""A change in opening that counts, face units: 2 pixels of the face crop."""


def opening(landmarks: Float32[np.ndarray, "t 468 3"]) -> Float32[np.ndarray, " t"]:
    """Height of the gap between the lips, face units (about 0 shut to 0.12 wide open)."""
    return landmarks[:, 14, 1] - landmarks[:, 13, 1]


@dataclass(frozen=True)
class MouthWarp:
    """Lips moved by a warp of the picture itself; what is inside the mouth is stretched, nothing is invented.

    Attributes:
        before: mesh before the edit.
        triangles: indices into the points of :func:`fenced`.
    """

    edited: Bool[np.ndarray, " t"]
    landmarks: Float32[np.ndarray, "t 468 3"]
    before: Float32[np.ndarray, "t 468 3"]
    triangles: Int32[np.ndarray, "n 3"]
    keeps_lips: bool = False
    whole_picture: bool = False

    def draw(self, view: View, tick: int) -> Image:
        """See `avdetect.forge.views.Plan`."""
        picture, place = view.pictures[tick], view.places[tick]
        to = moved(fenced(self.landmarks[tick], self.before[tick]), place)
        was = moved(fenced(self.before[tick], self.before[tick]), place)
        maps = warp_map(to, was, self.triangles, picture.shape[:2], still_outside=True)
        return sampled(picture, maps)


def fenced(mesh: Float32[np.ndarray, "468 3"], still: Float32[np.ndarray, "468 3"]) -> Float64[np.ndarray, "c 2"]:
    """Corners of ``mesh``, and around them the outline of ``still``, widened: up to there the moving chin is felt."""
    oval = still[FACE_OVAL, :2].astype(np.float64)
    middle = oval.mean(0)
    return np.concatenate([mesh[CORNERS, :2].astype(np.float64), middle + FENCE * (oval - middle)])


def plan_warp(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> MouthWarp:
    """Opens and closes the mouth as another one does: of another clip, or of another time of this one.

    Raises:
        CannotForge: the clip is too short and no other was given, or there is too little to warp.
    """
    n = track.n_ticks
    own = opening(track.landmarks)
    if others and (rng.random() < 0.5 or n < 2 * LEAST_SHIFT):
        giver = others[int(rng.integers(len(others)))]
        start = int(rng.integers(giver.n_ticks))
        ticks = there_and_back(start + np.arange(n), giver.n_ticks)
        wanted, known = opening(giver.landmarks)[ticks], giver.visible[ticks]
    elif n >= 2 * LEAST_SHIFT:
        ticks = (np.arange(n) + int(rng.integers(LEAST_SHIFT, n - LEAST_SHIFT + 1))) % n
        wanted, known = own[ticks], track.visible[ticks]
    else:
        raise CannotForge(f"the clip has {n} ticks; a mouth driven by another time of it needs {2 * LEAST_SHIFT}")
    edited = track.visible & known
    if not edited.any():
        raise CannotForge("the face that should drive the mouth is not visible then")
    change = (wanted - own) * rng.uniform(0.8, 1.3)
    # Never past shut. What is stretched must be there: of closed lips a warp makes thick ones, not open ones.
    gap = np.maximum(own, 0)
    change = np.clip(gaussian_filter1d(np.where(edited, change, 0), 0.6), -0.9 * gap, np.minimum(1.5 * gap, 0.06))
    if change[edited].std() < SMALLEST:
        # The sound would still go with what is left of the motion, and the label would be a lie.
        raise CannotForge("the mouth moves too little, or moves as the one that should drive it")
    landmarks = track.landmarks.copy()
    heights = np.where(edited, change, 0).astype(np.float32)
    corner = _arch(track.landmarks)
    landmarks[:, LOWER_LIP, 1] += LOWER_SHARE * heights[:, None] * corner[:, LOWER_LIP]
    landmarks[:, UPPER_LIP, 1] -= (1 - LOWER_SHARE) * heights[:, None] * corner[:, UPPER_LIP]
    for point, share in CHIN_SHARES.items():
        landmarks[:, point, 1] += LOWER_SHARE * share * heights
    seen = np.flatnonzero(edited)
    middle = track.landmarks[seen[len(seen) // 2]]
    return MouthWarp(
        edited=edited,
        landmarks=landmarks,
        before=track.landmarks,
        triangles=triangles_of(fenced(middle, middle)),
    )


def _arch(landmarks: Float32[np.ndarray, "t 468 3"]) -> Float32[np.ndarray, "t 468"]:
    """1 in the middle of the mouth, falling to 0 at its corners, which do not move."""
    left, right = landmarks[:, 61, 0], landmarks[:, 291, 0]
    half = np.maximum((right - left) / 2, 1e-3)
    across = (landmarks[:, :, 0] - ((left + right) / 2)[:, None]) / half[:, None]
    return np.sqrt(np.clip(1 - across**2, 0, 1))


def plan_freeze(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> MouthTransplant:
    """Holds the mouth of one tick.

    Raises:
        CannotForge: the mouth hardly moves anyway.
    """
    seen = np.flatnonzero(track.visible)
    if len(seen) < 2 or np.ptp(opening(track.landmarks)[seen]) < SMALLEST:
        raise CannotForge("the mouth hardly moves, so freezing it changes nothing")
    return plan_transplant(track, np.full(track.n_ticks, seen[int(rng.integers(len(seen)))]), rng)


def plan_loop(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> MouthTransplant:
    """Repeats a short piece of the mouth's motion, there and back or jumping to its start.

    Raises:
        CannotForge: the clip is shorter than two of the shortest loops, or the mouth hardly moves in it.
    """
    n, least = track.n_ticks, 4
    if n < 2 * least:
        raise CannotForge(f"the clip has {n} ticks; a loop needs {2 * least}")
    length = int(rng.integers(least, min(20, n // 2) + 1))
    start = int(rng.integers(n - length + 1))
    if np.ptp(opening(track.landmarks)[track.visible]) < SMALLEST:
        raise CannotForge("the mouth hardly moves, so repeating it changes nothing")
    ticks = np.arange(n)
    there = there_and_back(ticks, length) if rng.random() < 0.5 else ticks % length
    return plan_transplant(track, start + there, rng)


FREEZE = Family(
    PictureForge(plan_freeze), changes=("picture", "timing"), about="the mouth of one moment, held", api_version=1
)
LOOP = Family(
    PictureForge(plan_loop),
    changes=("picture", "timing"),
    about="a short piece of the mouth's motion, repeated",
    api_version=1,
)
WARP = Family(
    PictureForge(plan_warp),
    changes=("picture", "timing"),
    about="lips opened and closed by a warp, to another time or to another clip (if any is given)",
    api_version=1,
)
