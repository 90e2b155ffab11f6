"""Piecewise-affine warps over a Delaunay triangulation of mesh points."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Int32
from scipy.spatial import Delaunay

from avdetect.faces.align import LIPS
from avdetect.forge.blending import BROWS, EYES, FACE_OVAL, NOSE

MIDDLE_LIPS = (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306, 307, 320, 404, 315, 16, 85, 180, 90, 77)
"""Between the outer and the inner edge of the lips."""
MOUTH_POINTS = (*LIPS, *MIDDLE_LIPS)
CHEEKS = (50, 280, 205, 425, 207, 427, 101, 330, 118, 347)
CHIN = (200, 199, 175, 18, 83, 313)
EYE_RIMS = (*EYES, 161, 163, 157, 154, 388, 390, 384, 381)
CORNERS = tuple(sorted({*FACE_OVAL, *LIPS, *BROWS, *EYE_RIMS, *NOSE, *CHEEKS, *CHIN}))
"""Mesh points that the triangles of a whole face hang on: outlines of its features."""


def triangles_of(points: np.ndarray) -> Int32[np.ndarray, "n 3"]:
    """Delaunay triangles over ``points`` ``[p 2]``, in units in which neighbours are farther apart than 1e-6."""
    return Delaunay(np.asarray(points, np.float64)[:, :2]).simplices.astype(np.int32)


def warp_map(
    to: np.ndarray,
    come_from: np.ndarray,
    triangles: Int32[np.ndarray, "n 3"],
    size: tuple[int, int],
    *,
    still_outside: bool = False,
) -> Float32[np.ndarray, "h w 2"]:
    """Where each pixel comes from when the triangles of ``come_from`` are laid onto those of ``to``.

    Args:
        to: points in the picture that is made, pixels.
        come_from: the same points in the picture that is sampled, pixels.
        triangles: indices into both.
        size: height and width of the picture that is made.
        still_outside: outside of all triangles nothing moves; else the affine map that fits all points best holds.

    Returns:
        x and y for ``cv2.remap``.
    """
    height, width = size
    rest = np.eye(3, 2)
    if not still_outside:
        rest = np.linalg.lstsq(np.concatenate([to, np.ones((len(to), 1))], 1), come_from, rcond=None)[0]
    corners = to[triangles]
    low, high = corners.min(1), corners.max(1)
    seen = ((high >= 0) & (low <= (width - 1, height - 1))).all(1)
    matrix = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], 2)
    seen &= np.abs(np.linalg.det(matrix)) > 1e-3
    affine = np.linalg.solve(matrix[seen], come_from[triangles[seen]])
    affine = np.concatenate([affine, rest[None]]).astype(np.float32)
    labels = np.full((height, width), len(affine) - 1, np.float32)
    for i, corner in enumerate(np.round(corners[seen]).astype(np.int32)):
        cv2.fillConvexPoly(labels, corner, float(i))
    chosen = affine[labels.astype(np.int32)]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return chosen[..., 0, :] * x[..., None] + chosen[..., 1, :] * y[..., None] + chosen[..., 2, :]
