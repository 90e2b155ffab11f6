"""Making one picture's colours those of another: means and spreads in CIE Lab (Reinhard et al., 2001)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from avdetect.forge.views import Image


@dataclass(frozen=True)
class Colours:
    """Mean and standard deviation of L, a and b (8-bit units of OpenCV)."""

    mean: np.ndarray
    spread: np.ndarray


def colours_of(pictures: Iterable[tuple[Image, np.ndarray]]) -> Colours:
    """Averages over pictures, each inside its mask (> 0.5)."""
    measured = []
    for picture, mask in pictures:
        inside = (mask > 0.5).astype(np.uint8)
        if inside.any():
            mean, spread = cv2.meanStdDev(cv2.cvtColor(picture, cv2.COLOR_RGB2Lab), mask=inside)
            measured.append((mean[:, 0], spread[:, 0]))
    if not measured:
        raise ValueError("no picture has a pixel inside its mask, so there are no colours to match")
    mean, spread = np.mean(measured, axis=0)
    return Colours(mean, spread)


def matched(picture: Image, own: Colours, wanted: Colours, *, share: float) -> Image:
    """The picture with its colours moved from ``own`` towards ``wanted`` by ``share`` (0 ... 1)."""
    gain = np.clip(wanted.spread / np.maximum(own.spread, 1.0), 0.5, 2.0)
    gain = 1 + share * (gain - 1)
    levels = np.arange(256.0)[:, None]
    moved = (levels - own.mean) * gain + own.mean + share * (wanted.mean - own.mean)
    table = np.round(moved).clip(0, 255).astype(np.uint8)
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab)
    return cv2.cvtColor(cv2.LUT(lab, np.ascontiguousarray(table[None])), cv2.COLOR_Lab2RGB)
