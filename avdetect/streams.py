"""Networks over streams: ticks come in pieces of any size, windows of one fixed shape go to the device.

The windows lie on a grid that starts at the stream's first tick, each with a halo of real neighbours (zeros outside the
stream). As no network reaches further than the halo, the results do not depend on how the pieces were cut, and nothing
is compiled twice.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Arrays = dict[str, np.ndarray]


class WindowedStream:
    """Feeds a function with fixed windows and collects what it says of each window's middle.

    Args:
        function: takes arrays of ``halo + step + halo`` ticks by name (``valid`` among them) and returns arrays of as
            many ticks; only the middle ``step`` are kept.
        step: ticks by which windows advance.
        halo: ticks of context on either side.
    """

    def __init__(self, function: Callable[[Arrays], Arrays], *, step: int, halo: int):
        self._function, self._step, self._halo = function, step, halo
        self._buffer: Arrays = {}
        self._first = -halo  # tick at which the buffer starts
        self._next = 0  # first tick without a result
        self._end = 0

    @property
    def done(self) -> int:
        """Ticks that have results."""
        return self._next

    def push(self, pieces: Arrays) -> list[Arrays]:
        """Add ticks; returns the results of the windows that became complete."""
        if not self._buffer:
            self._buffer = {n: np.zeros((self._halo, *a.shape[1:]), a.dtype) for n, a in pieces.items()}
        self._buffer = {n: np.concatenate([self._buffer[n], a]) for n, a in pieces.items()}
        self._end += len(next(iter(pieces.values())))
        results = []
        while self._end >= self._next + self._step + self._halo:
            results.append(self._run(self._step))
        return results

    def finish(self) -> list[Arrays]:
        """The results of what is left."""
        if self._end == 0:
            return []
        size = self._next + -(-(self._end - self._next) // self._step) * self._step + self._halo - self._end
        if self._end > self._next:
            self._buffer = {
                n: np.concatenate([a, np.zeros((size, *a.shape[1:]), a.dtype)]) for n, a in self._buffer.items()
            }
        results = []
        while self._next < self._end:
            results.append(self._run(min(self._step, self._end - self._next)))
        return results

    def _run(self, keep: int) -> Arrays:
        low = self._next - self._halo - self._first
        window = {n: a[low : low + 2 * self._halo + self._step] for n, a in self._buffer.items()}
        out = {n: np.asarray(a)[self._halo : self._halo + keep] for n, a in self._function(window).items()}
        self._next += keep
        drop = self._next - self._halo - self._first
        self._buffer = {n: a[drop:] for n, a in self._buffer.items()}
        self._first += drop
        return out


class Batched:
    """Feeds a function with items one kind of batch at a time, in order; the last batch is filled up and cut.

    Args:
        function: takes one array ``[size, ...]`` for each part of an item and returns ``[size]``.
        size: items a call.
    """

    def __init__(self, function: Callable[..., np.ndarray], *, size: int):
        self._function, self._size = function, size
        self._waiting: list[tuple[np.ndarray, ...]] = []
        self._results: list[np.ndarray] = []

    def push(self, *item: np.ndarray) -> None:
        """Add one item, in as many parts as the function takes."""
        self._waiting.append(item)
        if len(self._waiting) == self._size:
            self._run()

    def finish(self) -> np.ndarray:
        """All results in the order of the items."""
        if self._waiting:
            self._run()
        return np.concatenate(self._results) if self._results else np.zeros(0, np.float32)

    def _run(self) -> None:
        n = len(self._waiting)
        items = self._waiting + [self._waiting[-1]] * (self._size - n)
        self._results.append(np.asarray(self._function(*map(np.stack, zip(*items, strict=True))))[:n])
        self._waiting = []
