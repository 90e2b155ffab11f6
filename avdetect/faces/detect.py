"""From a frame to face boxes: letterbox, tiles for small faces, anchor decoding, weighted suppression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from avdetect.faces.blazeface import INPUT_SIZE
from avdetect.faces.nets import FaceNets
from avdetect.faces.roi import MARGIN, Roi


@dataclass(frozen=True)
class Detection:
    """One face in a frame.

    Attributes:
        box: x0, y0, x1, y1 in frame pixels (eyebrows to chin, about).
        points: the two eyes (left in the picture first), nose tip, mouth, two ears (x, y), frame pixels.
        score: probability in [0, 1].
    """

    box: Float[np.ndarray, " 4"]
    points: Float[np.ndarray, "6 2"]
    score: float

    @property
    def roi(self) -> Roi:
        """The square in which the mesh network should look."""
        x0, y0, x1, y1 = (float(v) for v in self.box)
        dx, dy = (self.points[1] - self.points[0]).astype(float)
        return Roi((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0) * MARGIN, float(np.arctan2(dy, dx)))


@dataclass(frozen=True)
class Tile:
    """A square of the frame: top left corner and side, frame pixels; may reach over the frame's edge."""

    x: int
    y: int
    side: int


@lru_cache(maxsize=1)
def anchors() -> Float[np.ndarray, "896 2"]:
    """Centres (x, y) of the SSD anchors in pixels of the 128x128 input.

    Two for each cell of the 16x16 grid, then six for each cell of the 8x8 grid (three layers of two), row by row; all
    have size 1, so only their centres matter (MediaPipe, ``face_detection_short_range_common``).
    """
    found = []
    for cells, each in ((16, 2), (8, 6)):
        centre = (np.arange(cells) + 0.5) * (INPUT_SIZE / cells)
        y, x = np.meshgrid(centre, centre, indexing="ij")
        found.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), each, axis=0))
    return np.concatenate(found)


def row_of_tiles(height: int, width: int, side: int) -> list[Tile]:
    """Squares of one size that cover the frame, neighbours overlapping by half or a little more."""

    def starts(length: int) -> list[int]:
        if length <= side:
            return [0]
        count = int(np.ceil((length - side) / (side / 2))) + 1
        return [round(v) for v in np.linspace(0, length - side, count)]

    return [Tile(x, y, side) for y in starts(height) for x in starts(width)]


def frame_tiles(height: int, width: int) -> list[Tile]:
    """The whole frame, then where it is not square the squares along its longer side."""
    whole = Tile((width - max(height, width)) // 2, (height - max(height, width)) // 2, max(height, width))
    short = min(height, width)
    return [whole] if max(height, width) < 1.2 * short else [whole, *row_of_tiles(height, width, short)[:3]]


def small_tiles(height: int, width: int) -> list[Tile]:
    """Squares of two smaller sizes, for faces that the whole frame at 128 pixels does not show."""
    short = min(height, width)
    sides = [side for side in (round(short / 1.6), round(short / 2.8)) if side >= INPUT_SIZE // 2]
    return [tile for side in sides for tile in row_of_tiles(height, width, side)]


def cut_tile(frame: UInt8[np.ndarray, "h w 3"], tile: Tile) -> UInt8[np.ndarray, "128 128 3"]:
    """A tile resampled for the detector, black outside the frame."""
    height, width = frame.shape[:2]
    x0, y0 = max(tile.x, 0), max(tile.y, 0)
    x1, y1 = min(tile.x + tile.side, width), min(tile.y + tile.side, height)
    scale = INPUT_SIZE / tile.side
    u0, v0 = round((x0 - tile.x) * scale), round((y0 - tile.y) * scale)
    u1, v1 = max(round((x1 - tile.x) * scale), u0 + 1), max(round((y1 - tile.y) * scale), v0 + 1)
    image = np.zeros((INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image[v0:v1, u0:u1] = cv2.resize(frame[y0:y1, x0:x1], (u1 - u0, v1 - v0), interpolation=way)
    return image


def decode(
    logits: Float[np.ndarray, " 896"], places: Float[np.ndarray, "896 16"], tile: Tile, threshold: float
) -> list[Detection]:
    """Anchors above the threshold (a probability) as detections in frame pixels; not yet suppressed."""
    # Clipped at 100 as in MediaPipe's decoder; float64 keeps exp from overflowing.
    score = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100)))
    found = []
    for i in np.flatnonzero(score >= threshold):
        pairs = places[i].reshape(8, 2).astype(np.float64)
        centre, size, points = pairs[0] + anchors()[i], pairs[1], pairs[2:] + anchors()[i]
        if size.min() <= 0:
            continue
        scale = tile.side / INPUT_SIZE
        box = np.concatenate([centre - size / 2, centre + size / 2]) * scale
        corner = np.array([tile.x, tile.y], np.float64)
        found.append(Detection(box + np.tile(corner, 2), points * scale + corner, float(score[i])))
    return found


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    inside = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if inside.min() <= 0:
        return 0.0
    both = float(inside.prod())
    return both / float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both)


def merge(detections: list[Detection], limit: float = 0.3) -> list[Detection]:
    """Weighted non-maximum suppression: each group of boxes that overlap becomes its mean, weighted by score.

    Bazarevsky et al. 2019 (arXiv:1907.05047), section 3.3. The score is the group's best; best first.
    """
    left = sorted(detections, key=lambda d: -d.score)
    kept = []
    while left:
        best = left[0]
        same = [d for d in left if overlap(d.box, best.box) > limit]
        left = [d for d in left if overlap(d.box, best.box) <= limit]
        weight = np.array([d.score for d in same])
        weight /= weight.sum()
        box = np.einsum("n,ni->i", weight, np.stack([d.box for d in same]))
        points = np.einsum("n,nij->ij", weight, np.stack([d.points for d in same]))
        kept.append(Detection(box, points, best.score))
    return kept


def detect(
    frame: UInt8[np.ndarray, "h w 3"], nets: FaceNets, tiles: list[Tile], *, threshold: float = 0.5
) -> list[Detection]:
    """Faces in the given tiles of a frame, best first.

    Args:
        frame: RGB, upright.
        nets: from ``load_face_nets``.
        tiles: where to look: ``frame_tiles``, ``small_tiles`` or both.
        threshold: least probability, in (0, 1).
    """
    if not tiles:
        return []
    logits, places = nets.detect(np.stack([cut_tile(frame, tile) for tile in tiles]))
    found = [d for i, tile in enumerate(tiles) for d in decode(logits[i], places[i], tile, threshold)]
    return merge(found)
