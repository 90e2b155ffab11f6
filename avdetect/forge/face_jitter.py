"""A face that trembles against its head: what frame-by-frame generators leave between neighbouring pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from avdetect.forge.blending import FACE_OVAL, Latest, hull_mask, in_view, on_canvas, sampled, slow_noise
from avdetect.forge.contract import Family
from avdetect.forge.views import FACE_PLACE, Image, PictureForge, View
from avdetect.types import FACE_SIZE, FaceTrack

WAVES = ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2))
"""Spatial frequencies of the bending, half periods across and down the crop."""


@dataclass(frozen=True)
class FaceJitter:
    """Displacements of the inner face.

    Attributes:
        moves: per tick a shift, turn, zoom and seven waves in x and y, see :func:`displacement`; pixels of the crop.
        inside: where they act: 1 on the face, softly 0 outside.
    """

    edited: Bool[np.ndarray, " t"]
    landmarks: Float32[np.ndarray, "t 468 3"]
    moves: Float32[np.ndarray, "t c"]
    inside: Float32[np.ndarray, "h w"]
    keeps_lips: bool = True
    whole_picture: bool = False
    _fields: Latest = field(default_factory=Latest, repr=False, compare=False)

    def draw(self, view: View, tick: int) -> Image:
        """See `avdetect.forge.views.Plan`."""
        picture, place = view.pictures[tick], view.places[tick]
        shifts = in_view(self._fields.get(tick, self._field), view, tick) @ (
            place[:, :2] @ np.linalg.inv(FACE_PLACE[:, :2])
        ).T.astype(np.float32)
        y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
        maps = np.stack([x, y], -1) - shifts
        return sampled(picture, maps)

    def _field(self, tick: int) -> np.ndarray:
        return displacement(self.moves[tick]) * self.inside[..., None]


def _basis() -> Float32[np.ndarray, "h w 2 c"]:
    """Shift across and down, turn, zoom (one pixel half a crop from the middle), then the waves in x and in y."""
    y, x = (np.mgrid[0:FACE_SIZE, 0:FACE_SIZE] + 0.5) / FACE_SIZE
    u, v, zero, one = 2 * x - 1, 2 * y - 1, np.zeros_like(x), np.ones_like(x)
    fields = [(one, zero), (zero, one), (-v, u), (u, v)]
    for kx, ky in WAVES:
        wave = np.cos(np.pi * kx * x) * np.cos(np.pi * ky * y)
        fields += [(wave, zero), (zero, wave)]
    return np.stack([np.stack(f, -1) for f in fields], -1).astype(np.float32)


_BASIS = _basis()


def displacement(moves: Float32[np.ndarray, " c"]) -> Float32[np.ndarray, "h w 2"]:
    """The field of one tick on the grid of the face crop, pixels."""
    return _BASIS @ moves


def plan_face_jitter(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> FaceJitter:
    """Trembling of 0.4 to 1.2 pixels (root mean square of the shift), at all ticks or in bursts."""
    n = track.n_ticks
    size = rng.uniform(0.4, 1.2)
    sizes = size * np.concatenate([[1, 1, 0.8, 0.8], np.full(2 * len(WAVES), 0.35)])
    moves = slow_noise(rng, (n, len(sizes)), memory=float(rng.choice([0.0, 0.0, 0.4]))) * sizes
    if rng.random() < 0.5:
        # Bursts: a new place at some ticks, held for a few, as where a generator loses and finds the face.
        jumps = np.flatnonzero(rng.random(n) < 0.3)
        starts = np.concatenate([[0], jumps])
        moves = 1.5 * moves[starts[np.searchsorted(starts, np.arange(n), side="right") - 1]]
    seen = np.flatnonzero(track.visible)
    oval = on_canvas(track.landmarks[seen][:, FACE_OVAL].mean(0))
    inside = cv2.erode(hull_mask(oval, (FACE_SIZE, FACE_SIZE)), np.ones((7, 7), np.uint8))
    inside = cv2.GaussianBlur(inside, (0, 0), float(rng.uniform(2, 6)))
    landmarks = track.landmarks.copy()
    for i in seen:
        x, y = np.round(on_canvas(track.landmarks[i])).astype(int).clip(0, FACE_SIZE - 1).T
        landmarks[i, :, :2] += (_BASIS[y, x] @ moves[i].astype(np.float32)) * inside[y, x][:, None] / FACE_SIZE
    return FaceJitter(edited=track.visible, landmarks=landmarks, moves=moves.astype(np.float32), inside=inside)


FAMILY = Family(
    PictureForge(plan_face_jitter),
    changes=("picture",),
    about="the whole face trembling against its head",
    api_version=1,
)
