"""Rotated squares: the part of a frame that the mesh network looks at, and the way back from its points."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from avdetect.faces.facemesh import INPUT_SIZE

MARGIN = 1.5
"""Side of the square over the greater side of the face's box, as in MediaPipe's face landmark graph."""
EYE_CORNERS = (33, 263)
"""Outer eye corners of the mesh, left and right in the picture."""


@dataclass(frozen=True)
class Roi:
    """A rotated square in frame pixels.

    Attributes:
        x: centre, right.
        y: centre, down.
        side: pixels.
        angle: radians, clockwise as seen (the direction from the left to the right eye in the picture).
    """

    x: float
    y: float
    side: float
    angle: float

    @property
    def matrix(self) -> Float[np.ndarray, "2 3"]:
        """Affine map from pixels of the mesh input to pixels of the frame (pixel centres at whole numbers)."""
        k = self.side / INPUT_SIZE
        c, s = k * np.cos(self.angle), k * np.sin(self.angle)
        middle = (INPUT_SIZE - 1) / 2
        return np.array([[c, -s, self.x - (c - s) * middle], [s, c, self.y - (s + c) * middle]])


def cut(frame: UInt8[np.ndarray, "h w 3"], roi: Roi) -> UInt8[np.ndarray, "192 192 3"]:
    """The square, resampled for the mesh network; black outside the frame."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frame, roi.matrix, (INPUT_SIZE, INPUT_SIZE), flags=flags, borderMode=cv2.BORDER_CONSTANT)


def to_frame(points: Float32[np.ndarray, "p 3"], roi: Roi) -> Float32[np.ndarray, "p 3"]:
    """Points of the mesh network from its input's pixels to the frame's; z is scaled alike."""
    matrix = roi.matrix
    xy = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([xy, points[:, 2:] * (roi.side / INPUT_SIZE)], 1).astype(np.float32)


def around(points: Float32[np.ndarray, "p 3"]) -> Roi:
    """The square for the next look at a face whose mesh is known: level with its eyes, 1.5 times its box."""
    dx, dy = (points[EYE_CORNERS[1]] - points[EYE_CORNERS[0]])[:2].astype(float)
    angle = float(np.arctan2(dy, dx))
    c, s = np.cos(angle), np.sin(angle)
    level = points[:, :2].astype(float) @ np.array([[c, -s], [s, c]])
    low, high = level.min(0), level.max(0)
    x, y = np.array([[c, -s], [s, c]]) @ ((low + high) / 2)
    return Roi(float(x), float(y), float((high - low).max()) * MARGIN, angle)


def between(a: Roi, b: Roi, weight: float) -> Roi:
    """The square part of the way from ``a`` (weight 0) to ``b`` (weight 1); sizes are mixed by their logarithms."""
    turn = (b.angle - a.angle + np.pi) % (2 * np.pi) - np.pi
    return Roi(
        a.x + (b.x - a.x) * weight,
        a.y + (b.y - a.y) * weight,
        a.side * float((b.side / a.side) ** weight),
        a.angle + float(turn) * weight,
    )


def apart(a: Roi, b: Roi) -> tuple[float, float, float]:
    """How far two squares differ: centres over the second's side, |log ratio of sides|, |angle| in radians."""
    distance = float(np.hypot(a.x - b.x, a.y - b.y)) / b.side
    turn = (a.angle - b.angle + np.pi) % (2 * np.pi) - np.pi
    return distance, abs(float(np.log(a.side / b.side))), abs(float(turn))


def box_of(points: Float32[np.ndarray, "p 3"]) -> Float32[np.ndarray, " 4"]:
    """x0, y0, x1, y1 of a mesh."""
    return np.concatenate([points[:, :2].min(0), points[:, :2].max(0)]).astype(np.float32)
