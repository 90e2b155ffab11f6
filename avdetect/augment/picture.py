"""Degradations of pictures, all frames alike: colour, gamma, resolution, blur, noise, covered parts.

Pictures are uint8 RGB "t h w 3"; all functions return new arrays of the same shape.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Pictures = UInt8[np.ndarray, "t h w 3"]

INTERPOLATIONS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


def colour(
    pictures: Pictures, *, saturation: float, balance: Float[np.ndarray, " 3"], contrast: float, brightness: float
) -> Pictures:
    """Change saturation, white balance, contrast and brightness.

    Args:
        pictures: frames.
        saturation: 0 = grey, 1 = as it is.
        balance: gain of red, green and blue.
        contrast: gain around middle grey.
        brightness: added, levels.
    """
    # One 3 x 4 matrix for all of it: brightness parts, gains and offsets are linear.
    mix = saturation * np.eye(3) + (1 - saturation) * np.tile(LUMA, (3, 1))
    mix = contrast * np.diag(balance) @ mix
    matrix = np.concatenate([mix, np.full((3, 1), 127.5 * (1 - contrast) + brightness)], axis=1)
    t, h, w, _ = pictures.shape
    return cv2.transform(pictures.reshape(t * h, w, 3), matrix.astype(np.float32)).reshape(t, h, w, 3)


def gamma(pictures: Pictures, exponent: float) -> Pictures:
    """Levels in [0, 1] raised to ``exponent``."""
    table = np.round((np.arange(256) / 255.0) ** exponent * 255).astype(np.uint8)
    return table[pictures]


def resize_chain(pictures: Pictures, sizes: list[tuple[float, int, int]]) -> Pictures:
    """Made smaller and as large as before, once for each entry.

    Args:
        pictures: frames.
        sizes: share of the side in (0, 1], and the OpenCV interpolations down and up.
    """
    out = np.empty_like(pictures)
    h, w = pictures.shape[1:3]
    for i, picture in enumerate(pictures):
        for share, down, up in sizes:
            small = (max(4, round(w * share)), max(4, round(h * share)))
            picture = cv2.resize(cv2.resize(picture, small, interpolation=down), (w, h), interpolation=up)
        out[i] = picture
    return out


def blur(pictures: Pictures, kernel: Float[np.ndarray, "k k"]) -> Pictures:
    """Convolved with a kernel that sums to one."""
    return np.stack([cv2.filter2D(p, -1, kernel, borderType=cv2.BORDER_REFLECT) for p in pictures])


def gaussian_kernel(sigma: float) -> Float[np.ndarray, "k k"]:
    """Gaussian of standard deviation ``sigma`` pixels."""
    line = cv2.getGaussianKernel(2 * max(1, round(3 * sigma)) + 1, sigma)
    return line @ line.T


def motion_kernel(length: float, angle: float) -> Float[np.ndarray, "k k"]:
    """A line of ``length`` pixels at ``angle`` radians."""
    size = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((size, size), np.float32)
    middle = (size - 1) / 2
    for s in np.linspace(-length / 2, length / 2, 4 * size):
        x, y = middle + s * np.cos(angle), middle + s * np.sin(angle)
        ix, iy = int(x), int(y)
        for dx in (0, 1):
            for dy in (0, 1):
                kernel[iy + dy, ix + dx] += abs(1 - dx - (x - ix)) * abs(1 - dy - (y - iy))
    return kernel / kernel.sum()


def disc_kernel(radius: float) -> Float[np.ndarray, "k k"]:
    """A disc of ``radius`` pixels: a lens out of focus."""
    size = int(np.ceil(radius))
    y, x = np.mgrid[-size : size + 1, -size : size + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return kernel / kernel.sum()


def gaussian_noise(pictures: Pictures, sigma: float, rng: np.random.Generator) -> Pictures:
    """Noise of ``sigma`` levels, new in every frame."""
    noise = rng.standard_normal(pictures.shape, np.float32)
    return _levels(pictures + sigma * noise)


def photon_noise(pictures: Pictures, photons: float, rng: np.random.Generator) -> Pictures:
    """Noise of a sensor that counts ``photons`` at full white (Poisson, by its normal approximation)."""
    level = pictures / np.float32(255)
    noise = rng.standard_normal(pictures.shape, np.float32)
    return _levels(255 * (level + noise * np.sqrt(level / np.float32(photons))))


def cutout(pictures: Pictures, box: tuple[float, float, float, float], fill: np.ndarray) -> Pictures:
    """A rectangle covered with one colour.

    Args:
        pictures: frames.
        box: x0, y0, x1, y1 as shares of the sides; parts outside are left out.
        fill: colour.
    """
    h, w = pictures.shape[1:3]
    x0, y0, x1, y1 = (int(np.clip(round(v * side), 0, side)) for v, side in zip(box, (w, h, w, h), strict=True))
    out = pictures.copy()
    out[:, y0:y1, x0:x1] = fill
    return out


def jpeg(pictures: Pictures, quality: int) -> Pictures:
    """Every frame coded as JPEG of a quality from 1 to 100."""
    options = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    out = np.empty_like(pictures)
    for i, picture in enumerate(pictures):
        code = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1]
        out[i] = cv2.cvtColor(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB)
    return out


def _levels(x: np.ndarray) -> Pictures:
    return np.clip(np.round(x), 0, 255).astype(np.uint8)
