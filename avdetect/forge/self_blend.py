"""Self-blended faces: a face blended with a slightly changed copy of itself.

What remains is what every face swap and every lip-sync edit leaves: a boundary between two versions of a picture that
differ in colour, sharpness and place. Steps and ranges follow Shiohara and Yamasaki, "Detecting deepfakes with
self-blended images" (CVPR 2022), scaled to aligned crops of 160 pixels; masks of the mouth alone are added, since
lip-sync edits change no more than that.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avdetect.faces.align import LIPS

Image = UInt8[np.ndarray, "h w 3"]

# fmt: off
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
LOWER_FACE = (
    454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 70, 63, 105,
    66, 107, 336, 296, 334, 293, 300,
)
MOUTH_REGION = (*LIPS, 200, 199, 175, 152, 205, 425, 2, 164, 207, 427, 211, 431)
# fmt: on
"""Mesh points whose convex hulls are blended: the face, the face below the forehead, the surroundings of the mouth."""


def self_blend(face: Image, points: Float32[np.ndarray, "p 3"], rng: np.random.Generator) -> tuple[Image, np.ndarray]:
    """A blended face.

    Args:
        face: aligned crop.
        points: mesh in units of the crop's side (`avdetect.types.FaceTrack`).
        rng: all that is random.

    Returns:
        The blended crop, and the mask in [0, 1] that was blended in.
    """
    h, w = face.shape[:2]
    chosen = rng.choice(3, p=[0.55, 0.2, 0.25])
    mask = hull_mask(points[list((FACE_OVAL, LOWER_FACE, MOUTH_REGION)[chosen]), :2] * [w, h], (h, w))
    source, target = face, face
    if rng.random() < 0.5:
        source = change(face, rng)
    else:
        target = change(face, rng)
    source, mask = displace(source, mask, rng)
    mask = soften(elastic(mask, rng), rng)
    blend = (mask * rng.choice([0.25, 0.5, 0.75, 1.0, 1.0, 1.0]))[..., None]
    out = source.astype(np.float32) * blend + target.astype(np.float32) * (1 - blend)
    return np.round(out).clip(0, 255).astype(np.uint8), blend[..., 0]


def hull_mask(pixels: np.ndarray, size: tuple[int, int]) -> Float32[np.ndarray, "h w"]:
    """1 inside the convex hull of the points, 0 outside."""
    mask = np.zeros(size, np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(pixels).astype(np.int32)), 1.0)
    return mask


def change(face: Image, rng: np.random.Generator) -> Image:
    """Colour shift, hue and saturation, brightness and contrast; then either coarser or sharper."""
    face = recolour(face, rng, rgb=20 if rng.random() < 0.3 else 0, hsv=0.3, light=0.1)
    if rng.random() < 0.5:
        factor = int(rng.choice([2, 4]))
        small = cv2.resize(face, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_NEAREST)
        return cv2.resize(small, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    amount = rng.uniform(0.2, 0.5)
    kernel = np.array([[-1, -1, -1], [-1, 8 + rng.uniform(0.5, 1.0), -1], [-1, -1, -1]], np.float32)
    sharp = cv2.filter2D(face, -1, kernel)
    return cv2.addWeighted(face, 1 - amount, sharp, amount, 0)


def recolour(face: Image, rng: np.random.Generator, *, rgb: float, hsv: float, light: float) -> Image:
    """Random shifts of the channels (levels), of hue, saturation and value (shares), of contrast and brightness."""
    x = face.astype(np.float32)
    if rgb:
        x = (x + rng.uniform(-rgb, rgb, 3)).clip(0, 255)
    if hsv:
        y = cv2.cvtColor(x.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
        y[..., 0] = (y[..., 0] + rng.uniform(-hsv, hsv) * 20) % 360
        y[..., 1:] = (y[..., 1:] + rng.uniform(-hsv, hsv, 2) * 0.4).clip(0, 1)
        x = cv2.cvtColor(y, cv2.COLOR_HSV2RGB) * 255
    if light:
        x = x * (1 + rng.uniform(-light, light)) + rng.uniform(-light, light) * 128
    return np.round(x).clip(0, 255).astype(np.uint8)


def displace(source: Image, mask: np.ndarray, rng: np.random.Generator) -> tuple[Image, np.ndarray]:
    """Source and mask moved by up to 3 % and scaled by up to 5 %, together."""
    h, w = mask.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), 0, rng.uniform(0.95, 1 / 0.95))
    matrix[:, 2] += rng.uniform(-1, 1, 2) * [0.03 * w, 0.015 * h]
    moved = cv2.warpAffine(source, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return moved, cv2.warpAffine(mask, matrix, (w, h), flags=cv2.INTER_LINEAR)


def elastic(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mask's outline bent by a smooth random field."""
    h, w = mask.shape
    field = [cv2.GaussianBlur(rng.uniform(-1, 1, (h, w)).astype(np.float32), (0, 0), 7) * 50 for _ in range(2)]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return cv2.remap(mask, x + field[0], y + field[1], cv2.INTER_LINEAR)


def soften(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurred, eroded to where the blur kept its full value, blurred again with another width."""
    size = int(rng.integers(1, 7)) * 2 + 1
    mask = cv2.GaussianBlur(mask, (size, size), 0)
    mask = mask / max(float(mask.max()), 1e-6)
    mask = np.where(mask < 1, 0, mask).astype(np.float32)
    size = int(rng.integers(1, 7)) * 2 + 1
    mask = cv2.GaussianBlur(mask, (size, size), rng.uniform(2, 20))
    return mask / max(float(mask.max()), 1e-6)


def jitter_face(face: Image, rng: np.random.Generator, *, flip: bool, matrix: np.ndarray) -> Image:
    """What genuine and blended faces both go through afterwards: place, colour, resolution, JPEG, noise.

    Args:
        face: crop.
        rng: in the same state for both faces of a pair, so that nothing but the blending tells them apart.
        flip: mirror it.
        matrix: 2 x 3 placement from :func:`random_placement`.
    """
    h, w = face.shape[:2]
    face = cv2.warpAffine(face, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    if flip:
        face = np.ascontiguousarray(face[:, ::-1])
    face = recolour(face, rng, rgb=20 if rng.random() < 0.3 else 0, hsv=0.3 if rng.random() < 0.3 else 0, light=0.3)
    if rng.random() < 0.3:
        size = round(w * rng.uniform(0.4, 0.9))
        face = cv2.resize(cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA), (w, h))
    if rng.random() < 0.1:
        face = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 100))]
        face = np.asarray(cv2.imdecode(cv2.imencode(".jpg", face, quality)[1], cv2.IMREAD_COLOR))
    if rng.random() < 0.1:
        face = np.clip(face + rng.normal(0, rng.uniform(1, 6), face.shape), 0, 255).astype(np.uint8)
    return face


def random_placement(size: int, rng: np.random.Generator) -> np.ndarray:
    """A slight turn, zoom and shift of a crop: the detector must not depend on exact alignment."""
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), rng.normal(0, 3), np.exp(rng.normal(0, 0.06)))
    matrix[:, 2] += rng.normal(0, 0.02 * size, 2)
    return matrix
