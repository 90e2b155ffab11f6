"""Frames of one stream, in decoding order, in spite of damage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from av.error import FFmpegError

from avdetect.media.demux import Opened, Refused, last_complaint
from avdetect.media.faults import Faults
from avdetect.media.limits import Limits

_GIVE_UP_AFTER = 200
"""Errors in a row after which the rest of a stream is taken to be lost."""


class FrameSource:
    """Decodes one stream of a container that nobody else reads.

    Args:
        opened: the container.
        stream: the stream of it to decode.
        what: ``"picture"`` or ``"sound"``, for messages.
        limits: ``frames`` bounds the number of pictures.
        faults: where damage is noted.
    """

    def __init__(self, opened: Opened, stream: Any, what: str, limits: Limits, faults: Faults) -> None:
        self._opened = opened
        self._stream = stream
        self._what = what
        self._limits = limits
        self._faults = faults
        context = stream.codec_context
        context.options = {"max_pixels": str(limits.frame_pixels)}
        context.thread_count = 2 if what == "picture" else 1
        context.thread_type = "AUTO"  # threads over frames or slices, whichever the codec has
        self.time_base = float(stream.time_base or 0) or 1.0

    def frames(self) -> Iterator[Any]:
        """Frames as PyAV has them, until the stream ends or is damaged beyond reading."""
        errors_in_a_row = 0
        count = 0
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except MemoryError:
                raise
            except (FFmpegError, ValueError, OverflowError) as error:
                if isinstance(error, EOFError):
                    return
                errors_in_a_row += 1
                self._faults.note(f"a {self._what} packet could not be decoded")
                if errors_in_a_row >= _GIVE_UP_AFTER:
                    self._faults.note(f"{self._what}: too many errors in a row, the rest is left out")
                    return
                continue
            for frame in decoded:
                errors_in_a_row = 0
                count += 1
                if self._what == "picture" and count > self._limits.frames:
                    raise Refused(f"more than {self._limits.frames} pictures", "raise Limits.frames")
                if frame.is_corrupt:
                    self._faults.note(f"a {self._what} frame is damaged")
                yield frame

    def _packets(self) -> Iterator[Any]:
        errors = 0
        while True:
            try:
                yield from self._opened.container.demux(self._stream)
                return
            except MemoryError:
                raise
            except IndexError:
                # PyAV, after flushing the stream, trips over streams that turned up on the way (transport streams).
                self._faults.note("a stream turned up on the way and was left out")
                return
            except FFmpegError as error:
                errors += 1
                said = last_complaint() or getattr(error, "strerror", None) or str(error)
                self._faults.note(f"the container is damaged ({said})")
                if errors >= _GIVE_UP_AFTER:
                    return
