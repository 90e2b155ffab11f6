"""Picture forgeries, told once and drawn in every view of the face: face crops, mouth crops, whole frames.

A forgery of the picture first makes a *plan* for a clip: everything random is sampled there, once, with the slow drift
that a real generator has. The plan then draws any tick in any :class:`View`, so that the crops that the networks see
and the frames that a viewer sees show the same edit.

Coordinates: *face units*, those of `avdetect.types.FaceTrack.landmarks` (the side of the aligned face crop is 1). Each
view knows how its pixels lie in them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from avdetect.faces.align import LIPS, Alignment
from avdetect.forge.contract import CannotForge
from avdetect.types import FACE_SIZE, MOUTH_SIZE, TICK_RATE, Clip, FaceTrack, Label, Segment

Image = UInt8[np.ndarray, "h w 3"]
Affine = Float64[np.ndarray, "2 3"]

ALIGNMENT = Alignment()
MOUTH_SIDE = ALIGNMENT.mouth_side / ALIGNMENT.face_side
"""Side of the mouth crop in face units."""
FACE_PLACE: Affine = np.array([[FACE_SIZE, 0, -0.5], [0, FACE_SIZE, -0.5]], np.float64)
"""From face units to pixels of the face crop (pixel centres at whole numbers). Masks are made on this grid."""


@dataclass(frozen=True)
class View:
    """Pictures of one face over time, and where the face lies in them.

    Attributes:
        pictures: RGB per tick; black where there is none.
        places: affine maps from face units to pixels, per tick.
        source: where to take pixels of *other* ticks from; the view itself if ``None``. (Face crops are kept for some
            ticks only, mouth crops for all: a mouth is always taken from the latter.)
    """

    pictures: Sequence[Image] | UInt8[np.ndarray, "t h w 3"]
    places: Float64[np.ndarray, "t 2 3"]
    source: View | None = None

    def has(self, tick: int) -> bool:
        """Whether there is a picture to edit."""
        return bool(self.pictures[tick].any())


class Plan(Protocol):
    """A picture forgery of one clip with everything decided.

    Attributes:
        edited: ticks that it changes; never ticks without a face.
        landmarks: those of the forged face.
        keeps_lips: the lips move as before, so that they still belong to the sound.
        whole_picture: it also changes what is around the face.
    """

    @property
    def edited(self) -> Bool[np.ndarray, " t"]: ...  # noqa: D102
    @property
    def landmarks(self) -> Float32[np.ndarray, "t 468 3"]: ...  # noqa: D102
    @property
    def keeps_lips(self) -> bool: ...  # noqa: D102
    @property
    def whole_picture(self) -> bool: ...  # noqa: D102

    def draw(self, view: View, tick: int) -> Image:
        """The forged picture of one tick; the view is not written to."""
        ...


@dataclass(frozen=True)
class PictureForge:
    """A :class:`avdetect.forge.contract.Forge` made from a function that plans."""

    planner: Callable[[FaceTrack, np.random.Generator, Sequence[FaceTrack]], Plan]

    def plan(self, clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Plan:
        """The plan for a clip.

        Raises:
            CannotForge: there is no face, or the family cannot forge this one.
        """
        track = clip.track
        if track is None or not track.visible.any():
            raise CannotForge("there is no face in this clip")
        tracks = [o.track for o in others if o.track is not None and o.track.visible.any()]
        return self.planner(track, rng, tracks)

    def __call__(self, clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
        """See `avdetect.forge.contract.Forge`."""
        return apply(clip, self.plan(clip, rng, others))


def apply(clip: Clip, plan: Plan) -> Clip:
    """The clip with both crops drawn anew.

    Raises:
        CannotForge: no pixel of most of the ticks came out different, so that the label would be a lie.
    """
    track = clip.track
    if track is None:
        raise CannotForge("there is no face in this clip")
    faces, mouths = track.faces.copy(), track.mouths.copy()
    targets = ((face_view(track), faces), (mouth_view(track), mouths))
    ticks = np.flatnonzero(plan.edited).tolist()
    shown = changed = 0
    for tick in ticks:
        there = [(view, out) for view, out in targets if view.has(tick)]
        for view, out in there:
            out[tick] = plan.draw(view, tick)
        shown += bool(there)
        changed += any(not np.array_equal(out[tick], view.pictures[tick]) for view, out in there)
    if not changed or changed * 2 < shown:
        raise CannotForge(f"the edit would have changed {changed} of {shown} pictures; try another random generator")
    edited = dataclasses.replace(track, faces=faces, mouths=mouths, landmarks=plan.landmarks)
    return dataclasses.replace(clip, track=edited, label=label_of(clip, plan))


def label_of(clip: Clip, plan: Plan) -> Label:
    """What is true after the edit: its stretches, and that the lips went their own way if they did."""
    stretches = [(a / TICK_RATE, b / TICK_RATE) for a, b in runs(plan.edited)]
    segments = [Segment(a, b, "visual") for a, b in stretches]
    offset = clip.label.offset_ms
    if clip.audio is not None and not plan.keeps_lips:
        segments += [Segment(a, b, "sync") for a, b in stretches]
        offset = None
    return dataclasses.replace(
        clip.label, visual_fake=True, offset_ms=offset, segments=(*clip.label.segments, *segments)
    )


def runs(mask: Bool[np.ndarray, " t"]) -> list[tuple[int, int]]:
    """Stretches of ``True`` as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def face_view(track: FaceTrack) -> View:
    """The face crops. Pixels of other ticks come from the mouth crops."""
    return View(track.faces, np.broadcast_to(FACE_PLACE, (track.n_ticks, 2, 3)), mouth_view(track))


def mouth_view(track: FaceTrack) -> View:
    """The mouth crops."""
    scale = MOUTH_SIZE / MOUTH_SIDE
    places = np.zeros((track.n_ticks, 2, 3))
    places[:, 0, 0] = places[:, 1, 1] = scale
    places[:, :, 2] = (MOUTH_SIZE - 1) / 2 - scale * mouth_centres(track)
    return View(track.mouths, places)


def mouth_centres(track: FaceTrack) -> Float64[np.ndarray, "t 2"]:
    """Middles of the mouth crops in face units; from the lips, smoothed as the crops are, where they were not kept."""
    if track.mouth_centres is not None:
        return track.mouth_centres.astype(np.float64)
    lips = track.landmarks[:, LIPS, :2].mean(1, dtype=np.float64)
    seen = np.flatnonzero(track.visible)
    if len(seen) == 0:
        return np.full((track.n_ticks, 2), 0.5)
    ticks = np.arange(track.n_ticks)
    distance = (ticks[:, None] - seen[None]) / (ALIGNMENT.mouth_smooth_s * TICK_RATE)
    # Relative to the nearest sighting, so that ticks far from any take that one's place.
    weights = np.exp(-0.5 * (distance**2 - (distance**2).min(1, keepdims=True)))
    return (weights / weights.sum(1, keepdims=True)) @ lips[seen]


def compose(outer: np.ndarray, inner: np.ndarray) -> Affine:
    """The affine map that applies ``inner`` first."""
    return np.concatenate([outer[:, :2] @ inner[:, :2], (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]], 1)


def inverted(matrix: np.ndarray) -> Affine:
    """The affine map back."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, -(linear @ matrix[:, 2])[:, None]], 1)


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points ``[... 2]`` through an affine map."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def pixels_per_pixel(place: np.ndarray) -> float:
    """How many pixels of a view one pixel of the face crop takes."""
    return float(np.sqrt(abs(np.linalg.det(place[:, :2])))) / FACE_SIZE
