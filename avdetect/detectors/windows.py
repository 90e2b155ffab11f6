"""Which stretches of a track a detector is given: real ticks only, none twice unless a stretch would be too short.

Padding is never invented. A track longer than ``max_ticks`` is cut into stretches of that length; the last one reaches
back over ticks that were seen before, so that it is as long as the others. A shorter track is one stretch, or none if
it is shorter than ``min_ticks``. A detector that compiles for fixed shapes gets the longest stretches out of a ladder
(``max_ticks`` halved again and again, down to ``min_ticks``) that fit into a short track, and so compiles for a few
lengths, whatever files come.
"""

from __future__ import annotations

from avdetect.api import InputContract

Window = tuple[int, int]
"""First tick, and the one after the last, counted from the start of the track."""


def ladder(contract: InputContract) -> list[int]:
    """Lengths that a compiling detector is given, longest first."""
    lengths = [contract.max_ticks]
    while lengths[-1] > contract.min_ticks:
        lengths.append(max(contract.min_ticks, lengths[-1] // 2))
    return lengths


class Windows:
    """The stretches of a track that comes in pieces.

    Args:
        contract: of the detector.
        fixed: whether lengths come from the ladder.
    """

    def __init__(self, contract: InputContract, *, fixed: bool):
        self._contract, self._fixed = contract, fixed
        self._ticks = self._done = 0

    def push(self, n_ticks: int) -> list[Window]:
        """So many more ticks are there; the stretches that they complete."""
        self._ticks += n_ticks
        ready: list[Window] = []
        while self._ticks - self._done >= self._contract.max_ticks:
            ready.append((self._done, self._done + self._contract.max_ticks))
            self._done += self._contract.max_ticks
        return ready

    def finish(self) -> list[Window]:
        """The track is over: the stretches of what is left."""
        n, most, least = self._ticks, self._contract.max_ticks, self._contract.min_ticks
        if self._done:
            return [(n - most, n)] if n > self._done else []
        if n < least:
            return []
        if not self._fixed:
            return [(0, n)]
        length = next(size for size in ladder(self._contract) if size <= n)
        found = [(start, start + length) for start in range(0, n - length + 1, length)]
        return found if found[-1][1] == n else [*found, (n - length, n)]

    @property
    def needed_from(self) -> int:
        """First tick that a later stretch may hold."""
        return max(0, self._done - self._contract.max_ticks)


def cover(n_ticks: int, contract: InputContract, *, fixed: bool) -> list[Window]:
    """All stretches of a track of which everything is there.

    Examples:
        >>> cover(60, InputContract(max_ticks=25), fixed=False)
        [(0, 25), (25, 50), (35, 60)]
        >>> cover(10, InputContract(max_ticks=25, min_ticks=12), fixed=False)
        []
        >>> cover(20, InputContract(max_ticks=25, min_ticks=5), fixed=True)
        [(0, 12), (8, 20)]
    """
    windows = Windows(contract, fixed=fixed)
    return windows.push(n_ticks) + windows.finish()
