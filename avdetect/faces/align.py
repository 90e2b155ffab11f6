"""The alignment contract: how a mesh becomes a similarity transform, and how transforms are smoothed over time.

A face is placed by points that speech hardly moves, fitted in three dimensions to a template (so that turning the
head does not change the scale: over 557 meshes of real talking faces the ratio of scale to face height moved by 2 %
between frontal and 30-60 degrees of yaw, against 12 % for a fit in the plane).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from avdetect.types import FACE_SIZE, MOUTH_SIZE

LIPS = (
    0, 13, 14, 17, 37, 39, 40, 61, 78, 80, 81, 82, 84, 87, 88, 91, 95, 146, 178, 181,
    185, 191, 267, 269, 270, 291, 308, 310, 311, 312, 314, 317, 318, 321, 324, 375, 402, 405, 409, 415,
)  # fmt: skip
"""Mesh points on the outer and inner edge of the lips."""


@dataclass(frozen=True)
class Alignment:
    """Everything that fixes what an aligned crop shows. Saved with every bundle and compared when one is loaded.

    The unit of the template is the distance between the outer eye corners; its origin is the middle between them, x
    right, y down, z away from the camera. The template is the mean of 557 meshes from 190 clips of real talking faces
    (generalised Procrustes analysis in three dimensions, made symmetric, level at the median nod).

    Attributes:
        points: mesh indices that the fit uses: eye corners, nose ridge and tip, inner brows, glabella.
        template: their places, x, y, z.
        face_size: side of the face crop, pixels.
        face_side: side of the face crop in template units: 1.3 times the height of the mean mesh.
        face_centre: middle of the face crop, x and y in template units.
        mouth_size: side of the mouth crop, pixels.
        mouth_side: side of the mouth crop in template units; the mean mouth (0.55 wide) takes 55 % of it.
        smooth_s: standard deviation of the Gaussian over scale, angle and place, seconds.
        smooth_window_s: half the width of that window, seconds.
        mouth_smooth_s: the same for the mouth's centre on the face, wider, so that the crop does not follow speech.
        mouth_window_s: half the width of that window, seconds.
    """

    points: tuple[int, ...] = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 107, 336, 9, 8)
    template: tuple[tuple[float, float, float], ...] = (
        (-0.500, 0.000, 0.000),
        (-0.196, 0.014, -0.062),
        (0.196, 0.014, -0.062),
        (0.500, 0.000, 0.000),
        (0.000, -0.047, -0.243),
        (0.000, 0.038, -0.291),
        (0.000, 0.115, -0.347),
        (0.000, 0.187, -0.407),
        (0.000, 0.263, -0.468),
        (0.000, 0.356, -0.497),
        (-0.156, -0.235, -0.254),
        (0.156, -0.235, -0.254),
        (0.000, -0.222, -0.263),
        (0.000, -0.128, -0.249),
    )
    face_size: int = FACE_SIZE
    face_side: float = 2.4
    face_centre: tuple[float, float] = (0.0, 0.34)
    mouth_size: int = MOUTH_SIZE
    mouth_side: float = 1.0
    smooth_s: float = 0.08
    smooth_window_s: float = 0.16
    mouth_smooth_s: float = 0.16
    mouth_window_s: float = 0.32


@dataclass(frozen=True)
class Pose:
    """Where the template lies in a frame.

    Attributes:
        log_scale: natural logarithm of frame pixels per template unit.
        angle: roll, radians, clockwise as seen.
        x: frame pixels, of the fitted points' middle.
        y: the same, down.
        yaw_deg: turn to the subject's left positive.
        pitch_deg: nose up positive.
    """

    log_scale: float
    angle: float
    x: float
    y: float
    yaw_deg: float
    pitch_deg: float


def fit_pose(mesh: Float32[np.ndarray, "p 3"], alignment: Alignment) -> Pose:
    """The similarity from the template to a mesh (Umeyama 1991, least squares, three dimensions).

    Args:
        mesh: points in frame pixels.
        alignment: the contract.

    Returns:
        Scale, roll and place in the picture plane, and the head's turn and nod.
    """
    source = np.asarray(alignment.template)
    target = mesh[list(alignment.points)].astype(np.float64)
    middle = target.mean(0)
    source = source - source.mean(0)
    u, s, vt = np.linalg.svd((target - middle).T @ source)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    scale = float((s * signs).sum() / (source**2).sum())
    yaw = np.arctan2(-rotation[0, 2], rotation[2, 2])
    pitch = np.arcsin(np.clip(rotation[1, 2], -1, 1))
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return Pose(
        float(np.log(max(scale, 1e-6))), float(roll), float(middle[0]), float(middle[1]),
        float(np.degrees(yaw)), float(np.degrees(pitch)),
    )  # fmt: skip


def plane_matrix(numbers: Float64[np.ndarray, " 4"], alignment: Alignment) -> Float64[np.ndarray, "2 3"]:
    """Affine map from the template plane (x, y) to frame pixels, for (log scale, angle, x, y) of a ``Pose``."""
    log_scale, angle, x, y = (float(v) for v in numbers)
    c, s = np.exp(log_scale) * np.cos(angle), np.exp(log_scale) * np.sin(angle)
    mx, my = np.asarray(alignment.template).mean(0)[:2]
    return np.array([[c, -s, x - c * mx + s * my], [s, c, y - s * mx - c * my]])


def crop_matrix(
    plane: Float64[np.ndarray, "2 3"], centre: Float[np.ndarray, " 2"], side: float, size: int
) -> Float64[np.ndarray, "2 3"]:
    """Affine map from pixels of a square crop to frame pixels (pixel centres at whole numbers).

    Args:
        plane: from ``plane_matrix``.
        centre: the crop's middle, template units.
        side: the crop's side, template units.
        size: the crop's side, pixels.
    """
    step = side / size
    corner = np.asarray(centre, np.float64) - side / 2 + step / 2
    return np.concatenate([plane[:, :2] * step, (plane[:, :2] @ corner + plane[:, 2])[:, None]], 1)


def inverse(matrix: Float64[np.ndarray, "2 3"]) -> Float64[np.ndarray, "2 3"]:
    """The affine map back."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, -(linear @ matrix[:, 2])[:, None]], 1)


def smooth_at(
    time: float, times: Float64[np.ndarray, " n"], values: Float64[np.ndarray, "n m"], sigma: float, window: float
) -> Float64[np.ndarray, " m"]:
    """A straight line fitted to the values near ``time`` with Gaussian weights, read at ``time``.

    In the middle of a track this is the Gaussian mean; at its ends and at uneven times the line keeps a moving face
    from being dragged to one side. Angles must have been unwrapped.
    """
    d = times - time
    near = np.abs(d) <= window + 1e-6
    d, values = d[near], values[near]
    weight = np.exp(-0.5 * (d / sigma) ** 2)
    weight /= weight.sum()
    mean_d, mean = weight @ d, weight @ values
    spread = weight @ (d - mean_d) ** 2
    if spread < 1e-8:
        return mean
    slope = (weight * (d - mean_d)) @ (values - mean) / spread
    return mean - slope * mean_d
