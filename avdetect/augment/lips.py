"""Random changes of lips for the lip-sync part: mesh points or grey mouth pictures, one change for a whole clip."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8


def points(
    lips: Float32[np.ndarray, "t n 3"], rng: np.random.Generator, *, mirror: tuple[int, ...] | None
) -> Float32[np.ndarray, "t n 3"]:
    """Turned, scaled, sheared and shaken mesh points (one change for the whole clip, noise for each tick)."""
    lips = lips.copy()
    if mirror is not None:
        lips = lips[:, list(mirror)]
        lips[..., 0] = 1.0 - lips[..., 0]
    angle = rng.normal(0, 0.06)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    stretch = np.diag(np.exp(rng.normal(0, [0.08, 0.08, 0.25])))
    shear = np.eye(3) + rng.normal(0, 0.05, (3, 3)) * np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]])
    centre = lips.mean(axis=(0, 1))
    lips = (lips - centre) @ (turn @ stretch @ shear).astype(np.float32) + centre
    shake = rng.normal(0, rng.uniform(0, 0.004), (len(lips), 1, 3))
    noise = rng.normal(0, rng.uniform(0, 0.0015), lips.shape)
    return (lips + shake + noise).astype(np.float32)


def mouths(
    pictures: UInt8[np.ndarray, "t h w"], rng: np.random.Generator, *, crop: int, flip: bool
) -> UInt8[np.ndarray, "t crop crop"]:
    """Cropped, zoomed, turned, flipped, brightened and blurred mouth pictures, one change for the whole clip."""
    t, h, w = pictures.shape
    scale, angle = np.exp(rng.normal(0, 0.06)), rng.normal(0, 4.0)
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), angle, scale)
    matrix[:, 2] += rng.uniform(-3, 3, 2) - (w - crop) / 2
    if flip:
        matrix = np.array([[-1, 0, crop - 1], [0, 1, 0]]) @ np.vstack([matrix, [0, 0, 1]])
    contrast, light = np.exp(rng.normal(0, 0.2)), rng.normal(0, 12)
    table = np.clip((np.arange(256) - 128) * contrast + 128 + light, 0, 255).astype(np.uint8)
    blur = rng.uniform(0.4, 1.6) if rng.random() < 0.25 else 0.0
    small = rng.uniform(0.35, 0.8) if rng.random() < 0.2 else 0.0
    quality = int(rng.integers(25, 90)) if rng.random() < 0.25 else 0
    noise = rng.uniform(1, 8) if rng.random() < 0.2 else 0.0
    out = np.empty((t, crop, crop), np.uint8)
    for i, picture in enumerate(pictures):
        x = cv2.warpAffine(picture, matrix, (crop, crop), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x = cv2.LUT(x, table)
        if blur:
            x = cv2.GaussianBlur(x, (0, 0), blur)
        if small:
            size = max(12, round(crop * small))
            x = cv2.resize(cv2.resize(x, (size, size), interpolation=cv2.INTER_AREA), (crop, crop))
        if quality:
            code = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            x = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE))
        out[i] = x
    if noise:
        out = np.clip(out + rng.normal(0, noise, out.shape), 0, 255).astype(np.uint8)
    return out
