"""One face track through the visual network, fed piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from avdetect.streams import Batched
from avdetect.types import FaceTrack

STRIDE = 5
"""The network looks at every fifth tick of a track; the ticks between are interpolated."""
BATCH = 8


class VisualStream:
    """Looks at every ``STRIDE``-th tick where the face is visible, with the mouth at the ticks beside it.

    Args:
        function: faces ``[BATCH h w 3]`` and mouths ``[BATCH 3 m m 3]``, both uint8, to logits ``[BATCH]``.
    """

    def __init__(self, function: Callable[[np.ndarray, np.ndarray], np.ndarray]):
        self._batched = Batched(function, size=BATCH)
        self._ticks = 0
        self._looked: list[int] = []
        self._before: np.ndarray | None = None
        self._waiting: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # face, mouth before, mouth

    def push(self, track: FaceTrack) -> None:
        """Add a piece of the track, the next in order."""
        for i in range(track.n_ticks):
            mouth = track.mouths[i] if track.visible[i] else None
            self._run_waiting(mouth)
            if mouth is not None and (self._ticks + i) % STRIDE == 0:
                before = mouth if self._before is None else self._before
                self._waiting = track.faces[i].copy(), before, mouth.copy()
                self._looked.append(self._ticks + i)
            self._before = None if mouth is None else mouth
        # The piece's own memory is not kept alive by a view of its last tick.
        self._before = None if self._before is None else self._before.copy()
        self._ticks += track.n_ticks

    def _run_waiting(self, after: np.ndarray | None) -> None:
        if self._waiting is not None:
            face, before, here = self._waiting
            self._batched.push(face, np.stack([before, here, here if after is None else after]))
            self._waiting = None

    def finish(self) -> Float32[np.ndarray, " t"]:
        """Logits of all ticks: linear between those looked at, NaN further than a stride from any of them."""
        self._run_waiting(None)
        out = np.full(self._ticks, np.nan, np.float32)
        if not self._looked:
            return out
        looked, logits = np.array(self._looked), self._batched.finish()
        ticks = np.arange(self._ticks)
        after = np.searchsorted(looked, ticks)
        to_next = np.where(after < len(looked), looked[after.clip(max=len(looked) - 1)] - ticks, np.inf)
        to_last = np.where(after > 0, ticks - looked[(after - 1).clip(min=0)], np.inf)
        near = np.minimum(to_next, to_last) < STRIDE
        return np.where(near, np.interp(ticks, looked, logits), np.nan).astype(np.float32)
