"""Another person's face on this one: warped by landmarks, coloured alike, blended in.

The steps of graphics-based swaps (Korshunov and Marcel, 2018; "FaceSwap" of FaceForensics++): for each tick the donor's
moment that is nearest in turn and mouth opening, a piecewise-affine warp from its landmarks to those of the target,
Reinhard's colour transfer, a feathered mask. The lips keep moving as the target's do, so the sound still fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32

from avdetect.forge.blending import HULLS, Latest, Mask, hulls_mask, in_view, lay_over, on_canvas, sampled, soften
from avdetect.forge.colour_match import Colours, colours_of, matched
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.donors import turned_alike
from avdetect.forge.mesh_warp import CORNERS, triangles_of, warp_map
from avdetect.forge.views import Image, PictureForge, View, face_view, mouth_view, moved
from avdetect.types import FACE_SIZE, FaceTrack

POSE_POINTS = (1, 4, 6, 33, 263, 159, 145, 386, 374, 13, 14, 61, 291, 152, 234, 454)
"""Nose, eyelids, lips, chin and sides of the face: their places in the crop tell turn, nod, opening and blinks."""
SAMPLES = 6
"""Pictures by which colours are measured."""
MAX_MOMENTS = 60
"""Moments of the donor among which the nearest is looked for."""


@dataclass(frozen=True)
class FaceSwap:
    """A swap with everything decided.

    Attributes:
        donor: pictures of the other person by moment, already coloured and as coarse as the generator makes them.
        donor_points: corners of the triangles in them, pixels.
        moments: which of them each tick shows.
        triangles: indices into ``CORNERS``.
        hull: what is replaced.
        ratio: opacity.
    """

    edited: Bool[np.ndarray, " t"]
    landmarks: Float32[np.ndarray, "t 468 3"]
    donor: list[Image]
    donor_points: Float32[np.ndarray, "m c 2"]
    moments: Int32[np.ndarray, " t"]
    triangles: Int32[np.ndarray, "n 3"]
    hull: tuple[tuple[int, ...], ...]
    soften_seed: int
    ratio: float
    keeps_lips: bool = True
    whole_picture: bool = False
    _masks: Latest = field(default_factory=Latest, repr=False, compare=False)

    def draw(self, view: View, tick: int) -> Image:
        """See `avdetect.forge.views.Plan`."""
        picture = view.pictures[tick]
        to = moved(self.landmarks[tick, CORNERS, :2].astype(np.float64), view.places[tick])
        moment = self.moments[tick]
        maps = warp_map(to, self.donor_points[moment], self.triangles, picture.shape[:2])
        other = sampled(self.donor[moment], maps)
        return lay_over(picture, other, in_view(self._masks.get(tick, self._mask), view, tick))

    def _mask(self, tick: int) -> Mask:
        mask = hulls_mask(on_canvas(self.landmarks[tick]), self.hull, (FACE_SIZE, FACE_SIZE))
        # The donor has nothing to show beyond its outline: the mask's soft edge must lie inside.
        mask = cv2.erode(mask, np.ones((5, 5), np.uint8))
        return soften(mask, np.random.default_rng(self.soften_seed)) * np.float32(self.ratio)


def plan_face_swap(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> FaceSwap:
    """Chooses a person, that person's moments, the region and its softness.

    Raises:
        CannotForge: nobody else is there with pictures of the face, turned much alike.
    """
    givers = [other for other in others if len(_pictured(other))]
    if not givers:
        raise CannotForge("a face swap needs a clip of another person with face crops; give others")
    givers = turned_alike(track, givers)
    if not givers:
        raise CannotForge("the heads of all others are turned too differently for a swap; give further clips")
    giver = givers[int(rng.integers(len(givers)))]
    available = _pictured(giver)
    available = available[np.unique(np.linspace(0, len(available) - 1, MAX_MOMENTS).round().astype(int))]
    moments = nearest_moments(_shape(track.landmarks), _shape(giver.landmarks[available]), track.visible)
    used, moments = np.unique(moments, return_inverse=True)
    used = available[used]

    hull = HULLS[("face", "below_forehead", "features")[rng.choice(3, p=[0.5, 0.3, 0.2])]]
    wanted = _colours(track, hull)
    own = colours_of((giver.faces[i], _area(giver.landmarks[i], hull)) for i in _spread(used))
    share, side = float(rng.uniform(0.7, 1.0)), int(rng.choice([64, 80, 96, 128, 160]))
    donor = [coarser(matched(giver.faces[i], own, wanted, share=share), side) for i in used]
    seen = np.flatnonzero(track.visible)
    return FaceSwap(
        edited=track.visible,
        landmarks=track.landmarks,
        donor=donor,
        donor_points=on_canvas(giver.landmarks[used][:, CORNERS]).astype(np.float32),
        moments=moments.astype(np.int32),
        triangles=triangles_of(track.landmarks[seen[len(seen) // 2], CORNERS, :2]),
        hull=hull,
        soften_seed=int(rng.integers(2**31)),
        ratio=float(rng.choice([0.75, 0.9, 1.0, 1.0, 1.0])),
    )


def nearest_moments(
    wanted: Float32[np.ndarray, "t d"], found: Float32[np.ndarray, "m d"], visible: Bool[np.ndarray, " t"]
) -> Int32[np.ndarray, " t"]:
    """The moment nearest to each tick, where leaving the one shown before costs as much as being a little less near.

    Dynamic programming (Viterbi) over the sum of squared distances and a fixed price a change.
    """
    cost = ((wanted[:, None] - found[None]) ** 2).sum(-1)
    cost[~visible] = 0
    price = 0.1 * float(np.median(cost[visible].min(1))) + 1e-6
    best, back = cost[0], np.zeros(cost.shape, np.int32)
    for i in range(1, len(cost)):
        cheapest = int(best.argmin())
        stay = best <= best[cheapest] + price
        back[i] = np.where(stay, np.arange(len(best)), cheapest)
        best = cost[i] + np.where(stay, best, best[cheapest] + price)
    path = np.zeros(len(cost), np.int32)
    path[-1] = best.argmin()
    for i in range(len(cost) - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path


def coarser(picture: Image, side: int) -> Image:
    """As if made by a generator whose pictures have ``side`` pixels a side."""
    if side >= picture.shape[0]:
        return picture
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def _shape(landmarks: np.ndarray) -> np.ndarray:
    points = landmarks[:, POSE_POINTS, :2]
    return (points - points.mean(1, keepdims=True)).reshape(len(points), -1)


def _pictured(track: FaceTrack) -> np.ndarray:
    return np.array([i for i in np.flatnonzero(track.visible).tolist() if track.faces[i].any()], np.int64)


def _spread(ticks: np.ndarray) -> np.ndarray:
    return ticks[np.unique(np.linspace(0, len(ticks) - 1, SAMPLES).round().astype(int))]


def _area(landmarks: np.ndarray, hull: tuple[tuple[int, ...], ...]) -> Mask:
    return hulls_mask(on_canvas(landmarks), hull, (FACE_SIZE, FACE_SIZE))


def _colours(track: FaceTrack, hull: tuple[tuple[int, ...], ...]) -> Colours:
    """Of the face itself: from face crops, or from mouth crops where none were kept."""
    ticks = _pictured(track)
    view = face_view(track) if len(ticks) else mouth_view(track)
    ticks = ticks if len(ticks) else np.flatnonzero(track.visible)
    try:
        return colours_of((view.pictures[i], in_view(_area(track.landmarks[i], hull), view, i)) for i in _spread(ticks))
    except ValueError:
        raise CannotForge("the face lies outside of its crop, so its colours are not known") from None


FAMILY = Family(
    PictureForge(plan_face_swap),
    changes=("picture",),
    needs_others=1,
    about="another person's face, warped by landmarks, coloured and blended in",
    api_version=1,
)
