"""Crops moved, turned, zoomed and mirrored, with the mesh that lies on them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from avdetect.faces.align import Alignment
from avdetect.models.sync import LIP_POINTS, mirror_order
from avdetect.types import FaceTrack


def jitter(track: FaceTrack, *, turn_deg: float, log_zoom: float, move: tuple[float, float]) -> FaceTrack:
    """Both crops under one similarity around their own middles; the mesh follows the face crop.

    Args:
        track: a face.
        turn_deg: clockwise as seen.
        log_zoom: natural logarithm of the enlargement.
        move: right and down, as shares of the side of the face crop.
    """
    out = {}
    a = Alignment()
    # The mouth crop shows a smaller piece of the face, so the same way is a larger share of its side.
    for name, share in (("faces", 1.0), ("mouths", a.face_side / a.mouth_side)):
        crops = getattr(track, name)
        side = crops.shape[1]
        matrix = _similarity((side - 1) / 2, turn_deg, log_zoom, (move[0] * side * share, move[1] * side * share))
        out[name] = _warped(crops, matrix)
    matrix = _similarity(0.5, turn_deg, log_zoom, move)
    landmarks = track.landmarks.copy()
    landmarks[..., :2] = landmarks[..., :2] @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    landmarks[..., 2] *= np.float32(np.exp(log_zoom))
    landmarks[~track.visible] = track.landmarks[~track.visible]
    return replace(track, **out, landmarks=landmarks, matrices=None, mouth_centres=None)


def mirror(track: FaceTrack) -> FaceTrack:
    """Left and right swapped, in the crops and in the mesh.

    Points around the mouth change names with their partners (`avdetect.models.sync.mirror_order`); of the others only
    the places are mirrored, since nothing that learns looks at them.
    """
    landmarks = track.landmarks.copy()
    landmarks[..., 0] = 1.0 - landmarks[..., 0]
    points = list(LIP_POINTS)
    landmarks[:, points] = landmarks[:, points][:, list(mirror_order())]
    landmarks[~track.visible] = track.landmarks[~track.visible]
    return replace(
        track,
        faces=np.ascontiguousarray(track.faces[:, :, ::-1]),
        mouths=np.ascontiguousarray(track.mouths[:, :, ::-1]),
        landmarks=landmarks,
        matrices=None,
        mouth_centres=None,
    )


def _similarity(middle: float, turn_deg: float, log_zoom: float, move: tuple[float, float]) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((middle, middle), -turn_deg, float(np.exp(log_zoom)))
    matrix[:, 2] += move
    return matrix


def _warped(crops: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    size = crops.shape[2], crops.shape[1]
    out = np.zeros_like(crops)
    for i, crop in enumerate(crops):
        if crop[::8, ::8].any():  # a face crop that a record does not keep stays black
            out[i] = cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return out
