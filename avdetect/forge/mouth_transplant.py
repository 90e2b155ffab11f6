"""The mouth of another moment laid over this one: what pasted, frozen and looped mouths have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.ndimage import gaussian_filter1d

from avdetect.faces.align import LIPS
from avdetect.forge.blending import Latest, Mask, grown, in_view, lay_over, on_canvas
from avdetect.forge.contract import CannotForge
from avdetect.forge.mesh_warp import MOUTH_POINTS
from avdetect.forge.views import (
    FACE_PLACE,
    MOUTH_SIDE,
    Affine,
    Image,
    View,
    compose,
    inverted,
    mouth_centres,
    mouth_view,
    moved,
)
from avdetect.types import FaceTrack

STILL_POINTS = (2, 98, 327, 48, 278, 4, 50, 280, 205, 425, 234, 454, 132, 361)
"""Around the mouth and hardly moved by it: base and wings of the nose, cheeks, sides of the face."""
REACH = 0.46
"""Half the side of what can be taken of a mouth crop, in sides of it: its very edge is left alone."""


@dataclass(frozen=True)
class MouthTransplant:
    """Mouths of other moments, laid in place.

    Attributes:
        moments: of the donor, per tick.
        fits: from the donor's face units to those of this face, per tick.
        donor: the donor's pictures; ``None`` for the same face, whose pixels then come from the view that is drawn.
        shifts: RGB levels added to the donor's pixels so that the skin around the mouth goes on.
        centres: middle of the donor's mouth crop per tick, face units of the donor.
        grow: how far beyond the lips the mask reaches, pixels of the face crop.
        blur: width of the mask's edge (standard deviation), same.
    """

    edited: Bool[np.ndarray, " t"]
    landmarks: Float32[np.ndarray, "t 468 3"]
    before: Float32[np.ndarray, "t 468 3"]
    moments: Int64[np.ndarray, " t"]
    fits: Float64[np.ndarray, "t 2 3"]
    donor: View | None
    shifts: Float32[np.ndarray, "t 3"]
    centres: Float64[np.ndarray, "t 2"]
    grow: float
    blur: float
    keeps_lips: bool = False
    whole_picture: bool = False
    _masks: Latest = field(default_factory=Latest, repr=False, compare=False)

    def draw(self, view: View, tick: int) -> Image:
        """See `avdetect.forge.views.Plan`."""
        donor = self.donor or view.source or view
        moment = self.moments[tick]
        picture, other = view.pictures[tick], donor.pictures[moment]
        if not other.any():
            return picture.copy()
        matrix = compose(compose(view.places[tick], self.fits[tick]), inverted(donor.places[moment]))
        size = picture.shape[1::-1]
        laid = cv2.warpAffine(other, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        laid = np.clip(np.round(laid + self.shifts[tick]), 0, 255).astype(np.uint8)
        return lay_over(picture, laid, in_view(self._masks.get(tick, self._mask), view, tick))

    def _mask(self, tick: int) -> Mask:
        """Both pairs of lips and what is around them, as far as the donor's crop reaches."""
        lips = np.concatenate([self.before[tick, LIPS], self.landmarks[tick, LIPS]])
        mask = grown(on_canvas(lips), self.grow)
        corners = self.centres[tick] + MOUTH_SIDE * REACH * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        within = np.zeros_like(mask)
        cv2.fillConvexPoly(within, np.round(on_canvas(moved(corners, self.fits[tick]))).astype(np.int32), 1.0)
        edge = 2 * round(2 * self.blur) + 1
        # The soft edge lies inside of what can be taken.
        within = cv2.erode(within, np.ones((edge, edge), np.uint8))
        return cv2.GaussianBlur(mask * within, (edge, edge), self.blur)


def plan_transplant(
    track: FaceTrack, moments: Int64[np.ndarray, " t"], rng: np.random.Generator, *, giver: FaceTrack | None = None
) -> MouthTransplant:
    """Fits the donor's mouths in.

    Args:
        track: the face that is edited.
        moments: ticks of the donor to show; those of ticks without a face are not looked at.
        rng: extent and softness of the mask.
        giver: the donor, if it is not the same face.

    Raises:
        CannotForge: the donor has no mouth crops, or its face is not to be seen at any of the moments.
    """
    donor = giver or track
    moments = np.asarray(moments, np.int64)
    edited = track.visible & donor.visible[moments]
    if not edited.any():
        raise CannotForge("the face that the mouth should be taken from is not visible then")
    view = mouth_view(donor)
    if not any(view.has(int(i)) for i in moments[edited]):
        raise CannotForge("there are no mouth crops to take a mouth from")
    fits = np.repeat(np.eye(2, 3)[None], track.n_ticks, axis=0)
    for i in np.flatnonzero(edited).tolist():
        fits[i] = similarity(donor.landmarks[moments[i]], track.landmarks[i])
    if giver is not None:
        # Another person's mouth hangs elsewhere below the nose; its mean place becomes that of this one.
        ticks = np.flatnonzero(edited).tolist()
        lips = np.stack([moved(donor.landmarks[moments[i], LIPS, :2], fits[i]) for i in ticks])
        fits[edited, :, 2] += (track.landmarks[edited][:, LIPS, :2] - lips).mean((0, 1))
    landmarks = track.landmarks.copy()
    for i in np.flatnonzero(edited).tolist():
        points = donor.landmarks[moments[i], MOUTH_POINTS]
        landmarks[i, MOUTH_POINTS, :2] = moved(points[:, :2], fits[i])
        landmarks[i, MOUTH_POINTS, 2] = points[:, 2] * np.sqrt(abs(np.linalg.det(fits[i, :, :2])))
    plan = MouthTransplant(
        edited=edited,
        landmarks=landmarks,
        before=track.landmarks,
        moments=moments,
        fits=fits,
        donor=None if giver is None else view,
        shifts=np.zeros((track.n_ticks, 3), np.float32),
        centres=mouth_centres(donor)[moments],
        grow=float(rng.uniform(4, 10)),
        blur=float(rng.uniform(1.0, 4.0)),
    )
    share = float(rng.choice([0.5, 0.8, 1.0, 1.0]))
    plan.shifts[:] = share * skin_shifts(track, plan, view)
    return plan


def similarity(source: Float32[np.ndarray, "p 3"], target: Float32[np.ndarray, "p 3"]) -> Affine:
    """Turn, scale and shift that lay the still points of one mesh onto another's (least squares, in the plane)."""
    a, b = source[STILL_POINTS, :2].astype(np.float64), target[STILL_POINTS, :2].astype(np.float64)
    ma, mb = a.mean(0), b.mean(0)
    a, b = a - ma, b - mb
    # As complex numbers the best factor is <a, b> / <a, a>.
    za, zb = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = np.vdot(za, zb) / max(np.vdot(za, za).real, 1e-9)
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.concatenate([linear, (mb - linear @ ma)[:, None]], 1)


def skin_shifts(track: FaceTrack, plan: MouthTransplant, donor: View) -> Float32[np.ndarray, "t 3"]:
    """How much darker the donor's skin is in a ring around the mouth, RGB levels, smoothed over time."""
    own = mouth_view(track)
    shifts = np.zeros((track.n_ticks, 3), np.float32)
    known = np.zeros(track.n_ticks)
    for i in np.flatnonzero(plan.edited).tolist():
        if not own.has(i) or not donor.has(plan.moments[i]):
            continue
        matrix = compose(compose(own.places[i], plan.fits[i]), inverted(donor.places[plan.moments[i]]))
        size = own.pictures[i].shape[1::-1]
        laid = cv2.warpAffine(donor.pictures[plan.moments[i]], matrix, size, borderMode=cv2.BORDER_REPLICATE)
        lips = on_canvas(np.concatenate([plan.before[i, LIPS], plan.landmarks[i, LIPS]]))
        ring = _ring(moved(moved(lips, inverted(FACE_PLACE)), own.places[i]), size, plan.grow)
        if ring.any():
            shifts[i] = np.subtract(cv2.mean(own.pictures[i], ring), cv2.mean(laid, ring))[:3]
            known[i] = 1
    weight = gaussian_filter1d(known, 3.0)
    return gaussian_filter1d(shifts, 3.0, axis=0) / np.maximum(weight, 1e-6)[:, None].astype(np.float32)


def _ring(lips: np.ndarray, size: tuple[int, int], grow: float) -> np.ndarray:
    """The band around the lips in which the mask's edge lies."""
    ring = np.zeros(size[::-1], np.uint8)
    hull = cv2.convexHull(np.round(lips).astype(np.int32))
    cv2.polylines(ring, [hull], True, 1, thickness=max(2, round(2 * grow + 4)))
    cv2.polylines(ring, [hull], True, 0, thickness=max(1, round(2 * grow - 4)))
    cv2.fillConvexPoly(ring, hull, 0)
    return ring
