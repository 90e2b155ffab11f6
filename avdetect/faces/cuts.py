"""Where the picture jumps from one shot to another."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

N_BINS = 32
GRID = 72


class CutFinder:
    """Compares each frame with the one before: a cut changes both the histogram and what is where.

    A flash or a fade changes the histogram alone at first, a quick pan or a moving head the places alone.
    """

    def __init__(self, *, histogram_limit: float = 0.25, change_limit: float = 0.10):
        self.histogram_limit = histogram_limit
        self.change_limit = change_limit
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def push(self, frame: UInt8[np.ndarray, "h w 3"]) -> bool:
        """Whether a cut lies between the frame pushed before and this one."""
        small = thumbnail(frame)
        histogram = np.stack(
            [np.bincount(small[..., c].ravel() // (256 // N_BINS), minlength=N_BINS) for c in range(3)]
        )
        histogram = np.cumsum(histogram / small[..., 0].size, axis=1)
        last, self._last = self._last, (small, histogram)
        if last is None:
            return False
        if last[0].shape != small.shape:
            return True
        change = float(np.abs(small.astype(np.int16) - last[0]).mean()) / 255
        # Distance between cumulated histograms (earth mover's), so that a small shift of brightness stays small.
        moved = float(np.abs(histogram - last[1]).mean()) * 4
        return change > self.change_limit and moved > self.histogram_limit


def thumbnail(frame: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "gh gw 3"]:
    """Every so-many-th pixel: about ``GRID`` rows and columns at the most."""
    height, width = frame.shape[:2]
    return np.ascontiguousarray(frame[:: max(1, height // GRID), :: max(1, width // GRID)])
