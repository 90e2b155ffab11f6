"""Fills slots of the ring, tick by tick, from a picture stream and a sound stream."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from av.error import FFmpegError

from avdetect.media.clock import PictureStamps, nearer, tick_count
from avdetect.media.faults import Faults
from avdetect.media.picture import Darkroom
from avdetect.media.rates import SAMPLES_PER_TICK, TICK_RATE
from avdetect.media.ring import Slot
from avdetect.media.sound import SoundTrack


class PictureTrack:
    """Pictures in order of time, with one of look-ahead.

    Args:
        frames: ``(raw time or None, duration in s or 0, frame)`` in decoding output order.
        stamps: places the frames.
        still: the stream is one picture, which lasts one tick.
    """

    def __init__(self, frames: Iterator[tuple[float | None, float, Any]], stamps: PictureStamps, still: bool) -> None:
        self._frames = frames
        self._stamps = stamps
        self._still = still
        self._count = 0
        self.end_s = 0.0
        self._said_end_s = 0.0
        self.before: tuple[float, int, Any] | None = None
        self.after = self._next()
        self.first_s = self.after[0] if self.after else None

    @property
    def first_frame(self) -> Any:
        """The first frame, as long as nothing was taken; ``None`` if there is none."""
        return self.after[2] if self.after else None

    def at(self, time_s: float) -> tuple[float, int, Any] | None:
        """The picture for an instant of the container's time, as ``(time, number, frame)``; instants must not fall."""
        while self.after is not None and self.after[0] <= time_s:
            self.before, self.after = self.after, self._next()
        side = nearer(
            time_s,
            self.before[0] if self.before else None,
            self.after[0] if self.after else None,
            self._stamps.interval_s,
            end_s=math.inf if self.after else self._said_end_s,
        )
        if side == 0:
            return None
        return self.before if side < 0 else self.after

    def _next(self) -> tuple[float, int, Any] | None:
        for raw_s, duration_s, frame in self._frames:
            number = self._count
            self._count += 1
            time_s = self._stamps.place(raw_s)
            if time_s is None:
                continue
            length = duration_s if 0 < duration_s < 10 * self._stamps.interval_s else self._stamps.interval_s
            self.end_s = time_s + (1 / TICK_RATE if self._still else length)
            self._said_end_s = max(self.end_s, time_s + duration_s)
            return time_s, number, frame
        return None


class BlockFiller:
    """Writes one block after the other.

    Args:
        pictures: the picture stream, or ``None``.
        sound: the sound stream, or ``None``; ``start`` must have been called on it.
        darkroom: makes RGB of the frames; needed with ``pictures``.
        origin_s: container time of tick 0.
        faults: where pictures that cannot be converted are noted; their ticks have no picture.
    """

    def __init__(
        self,
        pictures: PictureTrack | None,
        sound: SoundTrack | None,
        *,
        darkroom: Darkroom | None,
        origin_s: float,
        faults: Faults,
    ) -> None:
        self._faults = faults
        self._pictures = pictures
        self._sound = sound
        self._darkroom = darkroom
        self._origin = origin_s
        self._tick = 0

    @property
    def tick(self) -> int:
        """The first tick of the next block."""
        return self._tick

    def fill(self, slot: Slot) -> int:
        """Fill a slot.

        Returns:
            The number of ticks written; 0 at the end of the file.
        """
        room = len(slot.frame_valid)
        sound_ticks = self._fill_sound(slot, room)
        picture_ticks = self._fill_pictures(slot, room)
        count = max(sound_ticks, picture_ticks)
        self._tick += count
        return count

    def _fill_sound(self, slot: Slot, room: int) -> int:
        slot.audio_valid[:] = False
        if self._sound is None or slot.audio is None:
            return 0
        samples, covered = self._sound.read(room * SAMPLES_PER_TICK)
        slot.audio[: len(samples)] = samples
        slot.audio[len(samples) :] = 0.0
        slot.audio_valid[:] = covered
        # The rest of a last tick cannot be valid sound, so it makes no tick, unless there is nothing else.
        whole = len(samples) // SAMPLES_PER_TICK
        return 1 if self._tick == 0 and whole == 0 and len(samples) else whole

    def _fill_pictures(self, slot: Slot, room: int) -> int:
        slot.frame_valid[:] = False
        slot.frame_pts_s[:] = np.nan
        slot.frame_index[:] = -1
        if self._pictures is None or slot.frames is None or self._darkroom is None:
            return 0
        drawn: tuple[int, int] | None = None
        for row in range(room):
            shown = self._pictures.at(self._origin + (self._tick + row) / TICK_RATE)
            if shown is None:
                continue
            time_s, number, frame = shown
            if drawn is not None and drawn[0] == number:
                slot.frames[row] = slot.frames[drawn[1]]
            else:
                try:
                    self._darkroom.develop(frame, slot.frames[row])
                except (FFmpegError, ValueError) as error:
                    self._faults.note(f"a picture could not be converted ({error})")
                    continue
                drawn = (number, row)
            slot.frame_valid[row] = True
            slot.frame_pts_s[row] = time_s - self._origin
            slot.frame_index[row] = number
        end = tick_count(self._pictures.end_s - self._origin) - self._tick
        return room if self._pictures.after is not None else max(0, min(room, end))
