"""Reading a media file as blocks of ticks."""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any

from avdetect.media.errors import MediaError
from avdetect.media.limits import Limits
from avdetect.media.process import ConfinedProcess, open_regular
from avdetect.media.rates import SAMPLES_PER_TICK, TICK_RATE
from avdetect.media.ring import RingShape, Slot, make_segment, size_segment
from avdetect.types import AudioInfo, MediaBlock, MediaInfo, VideoInfo

_SLOTS = 3
"""One that the parent reads, one that is ready, one that is being filled."""


class MediaReader:
    """An open media file; made by ``open_media``.

    Attributes:
        info: what the file is. A length that the container does not state (0.0) becomes the one read, when ``blocks``
            has ended.
        warnings: damage met so far that did not end the reading, in words; complete when ``blocks`` has ended.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        limits: Limits,
        block_ticks: int,
        picture: bool,
        sound: bool,
        only_probe: bool = False,
    ) -> None:
        if block_ticks < 1:
            raise ValueError(f"block_ticks is {block_ticks}; give 1 or more")
        if not (picture or sound):
            raise ValueError("picture and sound are both off; leave at least one on")
        self.warnings: list[str] = []
        self._memory: mmap.mmap | None = None
        self._slots: list[Slot] = []
        self._started = False
        # One for each stream: where /dev/fd duplicates descriptors (not on Linux), they would share one position.
        files = {"file": open_regular(path), "again": -1}
        self._ring = -1
        try:
            files["again"] = open_regular(path)
            self._ring = make_segment()
            self._process = ConfinedProcess(
                "avdetect.media.worker", path, descriptors={**files, "ring": self._ring}, limits=limits
            )
        except BaseException:
            _close_descriptor(self._ring)
            raise
        finally:
            for descriptor in files.values():
                _close_descriptor(descriptor)
        self._finalizer = weakref.finalize(self, _release, self._process, self._ring)
        try:
            self._process.send(
                {
                    "limits": {name: getattr(limits, name) for name in limits.__dataclass_fields__},
                    "slots": _SLOTS,
                    "ticks": block_ticks,
                    "picture": picture,
                    "sound": sound,
                    "only_probe": only_probe,
                }
            )
            answer = self._process.receive()
            self._take_answer(answer, limits, block_ticks, only_probe)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.close()
            raise MediaError(
                path, f"the decoder's answer makes no sense ({error!r})", "treat the file as hostile"
            ) from None
        except BaseException:
            self.close()
            raise

    @property
    def decoder_pid(self) -> int:
        """Process number of the decoder."""
        return self._process.pid

    def blocks(self) -> Iterator[MediaBlock]:
        """The file, block by block from tick 0; can be called once.

        The arrays of a block are the caller's own. All blocks but the last have ``block_ticks`` ticks.

        Raises:
            MediaError: if the decoder dies, hangs or meets a limit.
            RuntimeError: if called a second time or after ``close``.
        """
        if self._started or self._memory is None:
            raise RuntimeError(f"{self.info.path}: the blocks can be read once; open the file again")
        self._started = True
        tick = 0
        try:
            while True:
                message = self._process.receive()
                self.warnings = [str(line) for line in message.get("warnings", [])]
                if "end" in message:
                    break
                slot, count = message.get("slot"), message.get("count")
                if (
                    message.get("start") != tick
                    or not isinstance(slot, int)
                    or not isinstance(count, int)
                    or not (0 <= slot < _SLOTS and 0 < count <= self._shape.ticks)
                ):
                    raise MediaError(self.info.path, "the decoder's blocks make no sense", "treat the file as hostile")
                block = _copy(self._slots[slot], tick, count)
                self._process.send({"free": slot})
                tick += count
                yield block
            if tick == 0:
                raise MediaError(self.info.path, "nothing in it can be decoded", "; ".join(self.warnings))
            if not self.info.duration_s > 0:
                self.info = replace(self.info, duration_s=tick / TICK_RATE)
        finally:
            self.close()

    def close(self) -> None:
        """End the decoder and release its memory; may be called again."""
        self._slots = []
        self._memory = None  # unmapped with its last view
        self._finalizer()

    def __enter__(self) -> MediaReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_answer(self, answer: dict[str, Any], limits: Limits, block_ticks: int, only_probe: bool) -> None:
        self.info = _media_info(self._process.path, answer["info"])
        self.warnings = [str(line) for line in answer["warnings"]]
        height, width, sound = answer["shape"]
        if not (0 <= int(height) <= limits.picture_side and 0 <= int(width) <= limits.picture_side):
            raise ValueError(f"pictures of {width}x{height} px")
        self._shape = RingShape(
            slots=_SLOTS, ticks=block_ticks, height=int(height), width=int(width), sound=bool(sound)
        )
        if only_probe:
            return
        if not (self._shape.height or self._shape.sound):
            raise MediaError(self._process.path, "nothing of what was asked for is in it", "leave picture and sound on")
        size_segment(self._ring, self._shape.total_bytes())
        self._memory = mmap.mmap(self._ring, self._shape.total_bytes())
        self._slots = self._shape.views(self._memory)
        self._process.send({"go": True})


def open_media(
    path: str | os.PathLike[str],
    *,
    limits: Limits | None = None,
    block_ticks: int = 16,
    picture: bool = True,
    sound: bool = True,
) -> MediaReader:
    """Open a media file in a decoder process of its own.

    Tick 0 is the earliest presentation time of the picture and sound streams, whichever of them are read, so two
    readings of a file have the same clock.

    Args:
        path: a regular file: video, sound, or a single image.
        limits: what it may cost; the defaults let a two-hour file pass.
        block_ticks: ticks in a block.
        picture: whether to deliver pictures.
        sound: whether to deliver sound.

    Returns:
        The reader, to be used in a ``with`` statement.

    Raises:
        MediaError: if the file cannot be read; its message names the file, the cause and what to do.

    Examples:
        >>> with open_media("talk.mp4") as media:                                         # doctest: +SKIP
        ...     for block in media.blocks():
        ...         print(block.start_tick, block.n_ticks)
    """
    return MediaReader(path, limits=limits or Limits(), block_ticks=block_ticks, picture=picture, sound=sound)


def _release(process: ConfinedProcess, ring: int) -> None:
    process.close()
    _close_descriptor(ring)


def _close_descriptor(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)


def _copy(slot: Slot, tick: int, count: int) -> MediaBlock:
    return MediaBlock(
        start_tick=tick,
        frames=None if slot.frames is None else slot.frames[:count].copy(),
        frame_pts_s=slot.frame_pts_s[:count].copy(),
        frame_index=slot.frame_index[:count].copy(),
        frame_valid=slot.frame_valid[:count].copy(),
        audio=None if slot.audio is None else slot.audio[: count * SAMPLES_PER_TICK].copy(),
        audio_valid=slot.audio_valid[:count].copy(),
    )


def _media_info(path: str, told: dict[str, Any]) -> MediaInfo:
    video, audio = told["video"], told["audio"]
    return MediaInfo(
        path=path,
        container=str(told["container"]),
        duration_s=float(told["duration_s"]),
        start_s=float(told["start_s"]),
        video=None
        if video is None
        else VideoInfo(
            codec=str(video["codec"]),
            width=int(video["width"]),
            height=int(video["height"]),
            fps=float(video["fps"]),
            rotation_deg=int(video["rotation_deg"]),
            is_still=bool(video["is_still"]),
        ),
        audio=None
        if audio is None
        else AudioInfo(
            codec=str(audio["codec"]), sample_rate=int(audio["sample_rate"]), channels=int(audio["channels"])
        ),
    )
