"""Aligned crops without aliasing, from a small piece of the frame that is kept until the smoothing can be done."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from avdetect.faces.align import Alignment, Pose

REACH = 1.95
"""Half the side of the piece that is kept, template units: a turned face crop reaches 1.7, the rest is slack."""
DENSEST = 1.5
"""Most pixels of the piece for each pixel of the crop; what is finer is averaged away first.

Bilinear resampling of what is left does not alias visibly, and the step into averaging is continuous in face size."""


@dataclass(frozen=True)
class Patch:
    """A piece of a frame around one face.

    Attributes:
        pixels: RGB.
        to_frame: scale x, scale y, offset x, offset y: frame = scale * patch + offset, at pixel centres.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    to_frame: tuple[float, float, float, float]


def take_patch(frame: UInt8[np.ndarray, "h w 3"], pose: Pose, alignment: Alignment) -> Patch:
    """Copy what the crops can need from a frame, averaged down where the face is large."""
    height, width = frame.shape[:2]
    unit = float(np.exp(pose.log_scale))
    reach = REACH * unit
    x, y = pose.x, pose.y + (alignment.face_centre[1] - np.asarray(alignment.template)[:, 1].mean()) * unit
    x0, x1 = (int(np.clip(v, 0, width)) for v in (np.floor(x - reach), np.ceil(x + reach) + 1))
    y0, y1 = (int(np.clip(v, 0, height)) for v in (np.floor(y - reach), np.ceil(y + reach) + 1))
    if x1 <= x0 or y1 <= y0:
        return Patch(np.zeros((1, 1, 3), np.uint8), (1.0, 1.0, -1e6, -1e6))
    piece = frame[y0:y1, x0:x1]
    density = max(alignment.face_size / alignment.face_side, alignment.mouth_size / alignment.mouth_side)
    shrink = DENSEST * density / unit
    if shrink >= 1:
        return Patch(piece.copy(), (1.0, 1.0, float(x0), float(y0)))
    w, h = max(1, round((x1 - x0) * shrink)), max(1, round((y1 - y0) * shrink))
    pixels = cv2.resize(piece, (w, h), interpolation=cv2.INTER_AREA)
    sx, sy = (x1 - x0) / w, (y1 - y0) / h
    return Patch(pixels, (sx, sy, x0 + sx / 2 - 0.5, y0 + sy / 2 - 0.5))


def warp(patch: Patch, crop_to_frame: Float64[np.ndarray, "2 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Resample a square crop; black where the frame has nothing.

    Args:
        patch: from ``take_patch``.
        crop_to_frame: from ``crop_matrix``.
        size: side of the crop, pixels.
    """
    sx, sy, ox, oy = patch.to_frame
    matrix = crop_to_frame.copy()
    matrix[:, 2] -= (ox, oy)
    matrix /= np.array([[sx], [sy]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(patch.pixels, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT)
