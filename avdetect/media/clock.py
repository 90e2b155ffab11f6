"""Where pictures and sound belong on the clock: arithmetic on times, without any decoding.

Times are seconds. "Raw" times are what the container says; "placed" times increase, with the faults of the container
mended. Both streams of a file are placed on the same container timeline, and tick 0 is the earlier of their first
placed times, so a sound that starts 200 ms after the picture stays 200 ms after it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TypeVar

from avdetect.media.rates import TICK_RATE

SHOW_AT_MOST_S = 0.5
"""A picture stands for ticks at most this far away (or 1.5 frame intervals if that is more)."""
JUMP_S = 10.0
"""A leap of a transport stream's timestamps by more than this is a new time base, not a gap."""
BACK_S = 1.0
"""A leap back by more than this is a new time base in any container."""
SPLICE_S = 0.004
"""Sound timestamps that stay this far off the sample count are believed; less is rounding or jitter."""
GAP_S = 0.04
"""A single sound timestamp this far off the sample count is believed at once."""
_Stamped = TypeVar("_Stamped", bound=tuple[float | None, *tuple[Any, ...]])
_END_JUMP_S = 300.0
_FIRST_LOOK = 5
_JITTER_WINDOW = 15
_SNAP = 1e-6


def tick_count(end_s: float) -> int:
    """How many ticks start before ``end_s`` (a microsecond is forgiven: timestamps are rounded).

    Examples:
        >>> tick_count(1.0), tick_count(1.001), tick_count(0.0)
        (25, 26, 0)
    """
    return max(0, math.ceil(end_s * TICK_RATE - _SNAP * TICK_RATE))


def nearer(
    tick_s: float, earlier_s: float | None, later_s: float | None, interval_s: float, *, end_s: float = math.inf
) -> int:
    """Which of two neighbouring pictures is shown at a tick.

    Args:
        tick_s: the instant of the tick.
        earlier_s: time of the last picture at or before the tick, ``None`` if there is none.
        later_s: time of the first picture after the tick, ``None`` if there is none.
        interval_s: frame interval of the stream.
        end_s: where the earlier ends, if it is the last of the stream. It still stands for the first tick after that,
            because sound is padded to whole packets and outlasts its picture by up to a tick in most files.

    Returns:
        -1 for the earlier, 1 for the later, 0 for neither. The nearer wins, the earlier in a tie; a picture further
        away than ``max(0.5, 1.5 * interval_s)`` is not shown.

    Examples:
        >>> nearer(1.0, 0.98, 1.01, 0.04), nearer(1.0, 0.98, 1.02, 0.04), nearer(1.0, 0.2, None, 0.04)
        (1, -1, 0)
        >>> nearer(1.0, 0.92, None, 0.04, end_s=0.96), nearer(1.0, 0.92, None, 0.04, end_s=0.97)
        (0, -1)
    """
    if tick_s > end_s + 1 / TICK_RATE - _SNAP:
        return 0
    back = math.inf if earlier_s is None else tick_s - earlier_s
    ahead = math.inf if later_s is None else later_s - tick_s
    if min(back, ahead) > max(SHOW_AT_MOST_S, 1.5 * interval_s) + _SNAP:
        return 0
    return 1 if ahead < back - _SNAP else -1


def without_wild_stamps(items: Iterator[_Stamped], patience: int) -> Iterator[_Stamped]:
    """Take away timestamps that leap and come back: bit errors, which would otherwise become hours of nothing.

    Args:
        items: tuples whose first element is a raw time or ``None``.
        patience: how many items may be held back until the stamps come back. If they do not, the leap is meant.

    Yields:
        The items, ``None`` in place of a wild time. A first item whose time is minutes off those of the next ones
        is left out.
    """
    last: float | None = None
    items = iter(items)
    head = list(islice(items, _FIRST_LOOK))
    later = [each[0] for each in head[1:] if each[0] is not None]
    if len(later) > 1 and head[0][0] is not None:
        first = head[0][0]
        lonely = all(abs(time_s - first) > _END_JUMP_S for time_s in later)
        if lonely and max(later) - min(later) <= JUMP_S:
            del head[0]
    held: deque[_Stamped] = deque()
    for item in chain(head, items):
        held.append(item)
        while held:
            raw_s = held[0][0]
            if raw_s is not None and last is not None and not -BACK_S <= raw_s - last <= JUMP_S:
                back = [each[0] is not None and -BACK_S <= each[0] - last <= JUMP_S for each in held]
                if any(back):
                    for _ in range(back.index(True)):
                        yield (None, *held.popleft()[1:])  # type: ignore[misc]
                    continue
                if len(held) <= patience:
                    break
            last = raw_s if raw_s is not None else last
            yield held.popleft()
    # At the end nothing can come back; a leap of minutes is then more likely an error than a pause.
    for item in held:
        wild = item[0] is not None and last is not None and not -BACK_S <= item[0] - last <= _END_JUMP_S
        yield (None, *item[1:]) if wild else item  # type: ignore[misc]


@dataclass
class TimeBases:
    """The changes of time base met so far, shared by the two streams of a file.

    Transport streams that were cut together leap in both streams at once. Each stream meets the leap at its own
    place; taking the correction that the other stream made keeps sound and picture together.
    """

    shifts: list[float] = field(default_factory=list)

    def settle(self, wanted: float) -> float:
        """The correction to use instead of ``wanted``: one made before if it is within a second of it."""
        for shift in self.shifts:
            if abs(shift - wanted) <= BACK_S:
                return shift
        self.shifts.append(wanted)
        return wanted


@dataclass
class PictureStamps:
    """Places the pictures of one stream, in the order in which they leave the decoder.

    Args:
        interval_s: nominal frame interval, for pictures that come without a timestamp.
        leaps: whether the container is one whose time base may leap (MPEG transport and program streams).
        bases: changes of time base, shared with the sound.
    """

    interval_s: float
    leaps: bool
    bases: TimeBases
    faults: int = 0
    _shift: float = 0.0
    _last: float | None = None

    def place(self, raw_s: float | None) -> float | None:
        """The time of the next picture, or ``None`` if it must be dropped (it would not be after the one before)."""
        last = self._last
        if raw_s is None:
            self.faults += 1
            placed = 0.0 if last is None else last + self.interval_s
        else:
            placed = raw_s + self._shift
            if last is not None:
                step = placed - last
                if step < -BACK_S or (self.leaps and step > JUMP_S):
                    self.faults += 1
                    self._shift = self.bases.settle(last + self.interval_s - raw_s)
                    placed = max(raw_s + self._shift, last + _SNAP)
                elif step <= 0:
                    self.faults += 1
                    return None
        self._last = placed
        return placed


@dataclass(frozen=True)
class Splice:
    """What to do to the sound before a chunk of it is appended: seconds of silence to add, or samples to cut.

    ``covered`` is false where the silence is a hole in the sound and not a mere correction of its rate.
    """

    start_s: float
    silence_s: float = 0.0
    cut_s: float = 0.0
    covered: bool = True


@dataclass
class SoundStamps:
    """Keeps the sound continuous while its timestamps agree with the count of its samples.

    Timestamps of sound are rounded (to 1 ms in Matroska and FLV) and jitter, while the count of samples is exact;
    but where a stamp leaps, or the stamps stay off the count by more than 4 ms, the stamps are right: packets were
    lost, or the recorder's sample clock ran at another rate than its wall clock.

    Args:
        leaps: see ``PictureStamps``.
        bases: changes of time base, shared with the picture.
    """

    leaps: bool
    bases: TimeBases
    faults: int = 0
    _shift: float = 0.0
    _end: float | None = None
    _off: deque[float] = field(default_factory=lambda: deque(maxlen=_JITTER_WINDOW))

    def place(self, raw_s: float | None, length_s: float) -> Splice:
        """How the next chunk joins the sound before it.

        Args:
            raw_s: timestamp of its first sample, ``None`` if the container has none.
            length_s: its length by its count of samples.
        """
        if self._end is None:
            start = 0.0 if raw_s is None else raw_s
            self._end = start + length_s
            return Splice(start)
        end = self._end
        splice = Splice(end)
        if raw_s is not None:
            off = raw_s + self._shift - end
            if off < -BACK_S or (self.leaps and off > JUMP_S):
                self.faults += 1
                self._shift = self.bases.settle(end - raw_s)
                self._off.clear()
                off = raw_s + self._shift - end
            self._off.append(off)
            if abs(off) > GAP_S:
                splice = _join(end, off, covered=False)
                self.faults += 1
            elif len(self._off) == _JITTER_WINDOW:
                steady = sorted(self._off)[_JITTER_WINDOW // 2]
                if abs(steady) > SPLICE_S:
                    splice = _join(end, steady, covered=True)
        if splice.silence_s or splice.cut_s:
            self._off.clear()
        self._end = splice.start_s + max(0.0, length_s - splice.cut_s)
        return splice


def _join(end_s: float, off_s: float, *, covered: bool) -> Splice:
    if off_s > 0:
        return Splice(end_s + off_s, silence_s=off_s, covered=covered)
    return Splice(end_s, cut_s=-off_s, covered=covered)
