"""Picture forgeries on whole frames: the same plan that was drawn on the crops, drawn where the face is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from avdetect.forge.contract import CannotForge
from avdetect.forge.views import FACE_PLACE, Image, Plan, View, compose, inverted, moved
from avdetect.types import FACE_SIZE, FaceTrack

Frames = UInt8[np.ndarray, "t h w 3"]
RIM = 9
"""Pixels of a crop in which changes fade out towards its edge."""
MARGIN = 4
"""Pixels of the frame that are cut out around the face crop."""


@dataclass(frozen=True)
class Patch:
    """A rectangle of one frame with new content."""

    tick: int
    rows: slice
    columns: slice
    pixels: Image


def places_in_frames(track: FaceTrack) -> Float64[np.ndarray, "t 2 3"]:
    """Affine maps from face units to pixels of the frames.

    Raises:
        CannotForge: it is not known where in the frames the crops were cut.
    """
    if track.matrices is None:
        raise CannotForge("the clip does not know where in the frames its crops lie (no matrices)")
    return np.stack([compose(m.astype(np.float64), FACE_PLACE) for m in track.matrices])


def draw_on_frames(frames: Frames, track: FaceTrack, plan: Plan) -> list[Patch]:
    """What a plan changes of the frames that the track was seen in.

    Args:
        frames: one a tick of the track, uint8 RGB; not written to.
        track: the face as it was before the edit.
        plan: of that track.
    """
    places = places_in_frames(track)
    areas = [_area(place, frames.shape[1:3], whole=plan.whole_picture) for place in places]
    shifted = places.copy()
    shifted[:, 0, 2] -= [columns.start for _, columns in areas]
    shifted[:, 1, 2] -= [rows.start for rows, _ in areas]
    view = View([frame[area] for frame, area in zip(frames, areas, strict=True)], shifted)
    patches = []
    for tick in np.flatnonzero(plan.edited).tolist():
        if min(view.pictures[tick].shape[:2]) > 2 * MARGIN:
            patches.append(Patch(tick, *areas[tick], plan.draw(view, tick)))
    return patches


def paste_crops(frames: Frames, before: FaceTrack, after: FaceTrack) -> list[Patch]:
    """What edits that were only drawn on the crops change of the frames: their differences, carried over.

    Detail finer than the crops' stays as it was, and a change that reaches the rim of the crop fades out there.
    """
    patches = []
    rim = np.pad(np.ones((FACE_SIZE - 2 * RIM,) * 2, np.float32), RIM)
    rim = cv2.GaussianBlur(rim, (0, 0), RIM / 3)[..., None]
    for tick, place in enumerate(places_in_frames(before)):
        change = (after.faces[tick].astype(np.float32) - before.faces[tick]) * rim
        if not change.any():
            continue
        rows, columns = _area(place, frames.shape[1:3], whole=False)
        old = frames[tick][rows, columns]
        if min(old.shape[:2]) <= 2 * MARGIN:
            continue
        shifted = place.copy()
        shifted[:, 2] -= (columns.start, rows.start)
        matrix = compose(shifted, inverted(FACE_PLACE))
        change = cv2.warpAffine(change, matrix, old.shape[1::-1], flags=cv2.INTER_LINEAR)
        patches.append(Patch(tick, rows, columns, np.clip(np.round(old + change), 0, 255).astype(np.uint8)))
    return patches


@contextmanager
def patched(frames: Frames, patches: list[Patch]) -> Iterator[Frames]:
    """The frames with the patches in them; afterwards they are as before. Saves a second copy of a film."""
    kept = [frames[p.tick][p.rows, p.columns].copy() for p in patches]
    try:
        for p in patches:
            frames[p.tick][p.rows, p.columns] = p.pixels
        yield frames
    finally:
        for p, pixels in zip(patches, kept, strict=True):
            frames[p.tick][p.rows, p.columns] = pixels


def _area(place: np.ndarray, size: tuple[int, int], *, whole: bool) -> tuple[slice, slice]:
    """Rows and columns of the frame around the face crop."""
    height, width = size
    if whole:
        return slice(0, height), slice(0, width)
    corners = moved(np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + 0.5 / FACE_SIZE, place)
    x0, y0 = np.floor(corners.min(0)).astype(int) - MARGIN
    x1, y1 = np.ceil(corners.max(0)).astype(int) + MARGIN + 1
    x0, x1 = np.clip([x0, x1], 0, width).tolist()
    y0, y1 = np.clip([y0, y1], 0, height).tolist()
    return slice(y0, y1), slice(x0, x1)
