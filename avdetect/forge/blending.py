"""Masks on the grid of the face crop, and laying one picture over another by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avdetect.faces.align import LIPS
from avdetect.forge.views import FACE_PLACE, Affine, Image, View, compose, inverted
from avdetect.types import FACE_SIZE

Mask = Float32[np.ndarray, "h w"]

# fmt: off
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
LOWER_FACE = (
    454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, *BROWS,
)
MOUTH_REGION = (*LIPS, 200, 199, 175, 152, 205, 425, 2, 164, 207, 427, 211, 431)
EYES = (33, 133, 159, 145, 263, 362, 386, 374)
NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 48, 278)
# fmt: on

HULLS: dict[str, tuple[tuple[int, ...], ...]] = {
    "face": (FACE_OVAL,),
    "below_forehead": (LOWER_FACE,),
    "parts": ((234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, *NOSE), (454, 323, 361, 288, 397, 365, 379, 378,
              400, 377, 152, *NOSE), (*BROWS, *EYES, *NOSE)),
    "features": ((*BROWS, *EYES, *NOSE, *LIPS),),
    "mouth": (MOUTH_REGION,),
}  # fmt: skip
"""What is blended, as groups of mesh points whose convex hulls are united: the face, the face without the forehead,
jaw sides and eyes each by themselves (their union is not convex, as in Face X-ray's variants), the features without
the cheeks, the surroundings of the mouth (which is all that lip-sync edits change)."""


def hull_mask(pixels: np.ndarray, size: tuple[int, int]) -> Mask:
    """1 inside the convex hull of the points, 0 outside."""
    mask = np.zeros(size, np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(pixels).astype(np.int32)), 1.0)
    return mask


def hulls_mask(points: np.ndarray, groups: Sequence[tuple[int, ...]], size: tuple[int, int]) -> Mask:
    """1 inside any of the groups' hulls; ``points`` are the whole mesh in pixels."""
    mask = np.zeros(size, np.float32)
    for group in groups:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points[list(group)]).astype(np.int32)), 1.0)
    return mask


def grown(pixels: np.ndarray, grow: float) -> Mask:
    """1 inside the hull of the points and up to ``grow`` pixels around it."""
    mask = np.zeros((FACE_SIZE, FACE_SIZE), np.float32)
    hull = cv2.convexHull(np.round(pixels).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1.0)
    cv2.polylines(mask, [hull], True, 1.0, thickness=max(1, round(2 * grow)))
    return mask


def on_canvas(points: np.ndarray) -> np.ndarray:
    """Face units to pixels of the grid on which masks are made."""
    return points[..., :2] * FACE_SIZE - 0.5


def soften(mask: Mask, rng: np.random.Generator) -> Mask:
    """Blurred, eroded to where the blur kept its full value, blurred again with another width."""
    size = int(rng.integers(1, 7)) * 2 + 1
    mask = cv2.GaussianBlur(mask, (size, size), 0)
    # A hair below the full value: sums of a filter's weights round differently from place to place.
    mask = np.where(mask < max(float(mask.max()), 1e-6) * (1 - 1e-5), 0, 1).astype(np.float32)
    size = int(rng.integers(1, 7)) * 2 + 1
    mask = cv2.GaussianBlur(mask, (size, size), rng.uniform(2, 20))
    return mask / max(float(mask.max()), 1e-6)


def elastic_map(size: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A smooth random field (alpha 50, sigma 7 pixels) as maps for ``cv2.remap``."""
    h, w = size
    field = [cv2.GaussianBlur(rng.uniform(-1, 1, (h, w)).astype(np.float32), (0, 0), 7) * 50 for _ in range(2)]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return x + field[0], y + field[1]


def in_view(canvas: np.ndarray, view: View, tick: int) -> np.ndarray:
    """A mask (or any field) made on the grid of the face crop, as it lies in a view; 0 outside."""
    matrix = compose(view.places[tick], inverted(FACE_PLACE))
    size = view.pictures[tick].shape[1::-1]
    if size == canvas.shape[1::-1] and np.abs(matrix - np.eye(2, 3)).max() < 1e-9:
        return canvas
    return cv2.warpAffine(canvas, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def between_views(matrix: Affine, place: np.ndarray) -> Affine:
    """An affine map of face units as one of a view's pixels."""
    return compose(compose(place, matrix), inverted(place))


def lay_over(below: Image, above: Image, mask: Mask) -> UInt8[np.ndarray, "h w 3"]:
    """``above`` where the mask is 1, ``below`` (to the bit) where it is 0."""
    mask = np.ascontiguousarray(mask)
    return cv2.blendLinear(above, np.ascontiguousarray(below), mask, 1 - mask)


def sampled(picture: Image, maps: Float32[np.ndarray, "h w 2"]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture at the places ``maps`` (x, y); mirrored beyond its edges."""
    x, y = cv2.split(maps)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def slow_noise(rng: np.random.Generator, shape: tuple[int, ...], *, memory: float) -> np.ndarray:
    """Noise of unit variance over the first axis that remembers ``memory`` (0 none ... 1 all) of the tick before."""
    white = rng.normal(size=shape)
    out = np.empty(shape)
    out[0] = white[0]
    for i in range(1, shape[0]):
        out[i] = memory * out[i - 1] + np.sqrt(1 - memory**2) * white[i]
    return out


class Latest:
    """Keeps what was made for the latest tick: the views of a tick are drawn one after the other."""

    def __init__(self) -> None:
        self._tick, self._value = -1, None

    def get(self, tick: int, make: Callable[[int], np.ndarray]) -> np.ndarray:
        """What ``make(tick)`` gives."""
        if self._tick != tick or self._value is None:
            self._value = make(tick)
            self._tick = tick
        return self._value
