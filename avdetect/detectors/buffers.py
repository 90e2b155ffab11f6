"""The part of a file that a detector may still be given."""

from __future__ import annotations

from collections import deque

import numpy as np
from jaxtyping import Bool, Float32

from avdetect.clips import cut_track, join_pieces
from avdetect.types import SAMPLES_PER_TICK, FaceTrack


class SoundBuffer:
    """The sound of the last while, by tick of the file's clock."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, np.ndarray, np.ndarray]] = deque()
        self._dropped = 0

    def push(self, start_tick: int, audio: Float32[np.ndarray, " s"], valid: Bool[np.ndarray, " t"]) -> None:
        """Add a block; blocks come in order."""
        self._blocks.append((start_tick, audio, valid))

    def take(self, start: int, stop: int) -> tuple[Float32[np.ndarray, " s"], Bool[np.ndarray, " t"]]:
        """Sound and coverage of some ticks; zeros that are marked as not covered where there is none.

        Raises:
            ValueError: part of it was dropped.
        """
        if start < self._dropped:
            raise ValueError(f"the sound of tick {start} was dropped; that from tick {self._dropped} on is there")
        audio = np.zeros((stop - start) * SAMPLES_PER_TICK, np.float32)
        valid = np.zeros(stop - start, bool)
        for first, samples, covered in self._blocks:
            low, high = max(start, first), min(stop, first + len(covered))
            if low < high:
                valid[low - start : high - start] = covered[low - first : high - first]
                part = samples[(low - first) * SAMPLES_PER_TICK : (high - first) * SAMPLES_PER_TICK]
                audio[(low - start) * SAMPLES_PER_TICK :][: len(part)] = part
        return audio, valid

    def drop(self, before: int) -> None:
        """Ticks before this one will not be asked for again."""
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][2]) <= before:
            first, _, covered = self._blocks.popleft()
            self._dropped = first + len(covered)


class TrackBuffer:
    """The last pieces of a face track, by tick counted from its start."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, FaceTrack]] = deque()
        self._ticks = 0

    def push(self, piece: FaceTrack) -> None:
        """Add the next piece."""
        self._pieces.append((self._ticks, piece))
        self._ticks += piece.n_ticks

    def take(self, start: int, stop: int) -> FaceTrack:
        """Some ticks that are there."""
        inside = [(first, p) for first, p in self._pieces if first < stop and first + p.n_ticks > start]
        first = inside[0][0]
        return cut_track(join_pieces([piece for _, piece in inside]), start - first, stop - first)

    def drop(self, before: int) -> None:
        """Ticks before this one will not be asked for again."""
        while self._pieces and self._pieces[0][0] + self._pieces[0][1].n_ticks <= before:
            self._pieces.popleft()
