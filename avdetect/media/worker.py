"""The decoder process: ``python -m avdetect.media.worker DESCRIPTORS``.

It is started once per file with three inherited descriptors: the media file, one end of a socket pair, and the shared
memory of the ring. It limits itself before it reads a byte of the file, tells what it found, and then fills free
slots of the ring until the file ends or the parent goes away.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import queue
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import av.logging
import av.subtitles.codeccontext  # PyAV imports these two at need, when this process may open nothing any more
import av.subtitles.stream

from avdetect.media.blocks import BlockFiller, PictureTrack
from avdetect.media.channel import Channel, ChannelError
from avdetect.media.clock import PictureStamps, SoundStamps, TimeBases
from avdetect.media.confine import allow_opens, confine, forbid_opens
from avdetect.media.decode import Faults, FrameSource
from avdetect.media.demux import Opened, Refused, check_pixels, open_container, read_only
from avdetect.media.limits import Limits
from avdetect.media.picture import Darkroom
from avdetect.media.rates import TICK_RATE
from avdetect.media.ring import RingShape
from avdetect.media.sound import SoundTrack, mono

_DEFAULT_INTERVAL_S = 1 / TICK_RATE
_CONTAINER_TIME_BASE = 1_000_000  # AV_TIME_BASE


def main(descriptors: dict[str, int]) -> int:
    """Serve one file.

    Args:
        descriptors: numbers of the inherited descriptors ``file``, ``control`` and ``ring``.

    Returns:
        The exit status.
    """
    channel = Channel(socket.socket(fileno=descriptors["control"]))
    request = channel.receive()
    if request is None:
        return 0
    limits = Limits(**request["limits"])
    confine(limits)
    av.logging.restore_default_callback()  # to standard error, without taking Python's lock from a decoder thread
    av.logging.set_libav_level(av.logging.ERROR)
    try:
        _serve(channel, descriptors, request, limits)
    except Refused as refused:
        channel.send({"error": list(refused.args)})
    except MemoryError:
        channel.send(
            {
                "error": [
                    f"decoding needs more than the limit of {limits.memory_bytes >> 20} MiB",
                    "raise Limits.memory_bytes",
                ]
            }
        )
    except ConnectionError:
        return 1  # the parent is gone
    return 0


def _serve(channel: Channel, descriptors: dict[str, int], request: dict[str, Any], limits: Limits) -> None:
    faults = Faults()
    file = _File(descriptors["file"], limits, faults)
    shape = RingShape(
        slots=request["slots"],
        ticks=request["ticks"],
        height=file.darkroom.height if file.darkroom and request["picture"] else 0,
        width=file.darkroom.width if file.darkroom and request["picture"] else 0,
        sound=file.sound is not None and request["sound"],
    )
    channel.send(
        {"info": file.describe(), "shape": [shape.height, shape.width, shape.sound], "warnings": faults.lines()}
    )
    if channel.receive() is None or request["only_probe"]:
        return
    with allow_opens(1):  # Python's mmap duplicates the descriptor
        memory = mmap.mmap(descriptors["ring"], shape.total_bytes())
    forbid_opens()
    slots = shape.views(memory)
    filler = BlockFiller(
        file.pictures if request["picture"] else None,
        file.sound if request["sound"] else None,
        darkroom=file.darkroom,
        origin_s=file.origin_s,
    )
    free = _free_slots(channel, shape.slots)
    while True:
        slot = free.get()
        start = filler.tick
        if start > limits.duration_s * TICK_RATE:
            raise Refused(f"longer than the limit of {limits.duration_s:g} s", "raise Limits.duration_s")
        count = filler.fill(slots[slot])
        file.note_stamps()
        if count == 0:
            break
        channel.send({"slot": slot, "start": start, "count": count, "warnings": faults.lines()})
        if count < shape.ticks:
            break
    channel.send({"end": filler.tick, "warnings": faults.lines()})


def _free_slots(channel: Channel, slots: int) -> queue.SimpleQueue[int]:
    """A queue of slots that may be filled, kept by a thread that also ends the process when the parent is gone."""
    free: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(slots):
        free.put(slot)

    def listen() -> None:
        while True:
            try:
                message = channel.receive()
            except (ChannelError, OSError):
                message = None
            if message is None:
                os._exit(0)
            free.put(message["free"])

    threading.Thread(target=listen, daemon=True).start()
    return free


class _File:
    """The streams of the file, at their first frames.

    Picture and sound are demuxed by two containers over the same file: each then reads at its own pace, and memory
    stays flat however badly the streams are interleaved.
    """

    def __init__(self, descriptor: int, limits: Limits, faults: Faults) -> None:
        with allow_opens(1):
            self.opened = opened = open_container(descriptor, limits)
        for complaint in opened.complaints:
            faults.note(complaint)
        self._faults = faults
        bases = TimeBases()
        self.pictures: PictureTrack | None = None
        self.sound: SoundTrack | None = None
        self.darkroom: Darkroom | None = None
        self._video, self._audio = opened.video, opened.audio
        second = opened
        if opened.video is not None and opened.audio is not None:
            with allow_opens(1):
                second = open_container(descriptor, limits)
        if opened.video is not None:
            self._read_pictures(opened, bases, limits)
        if opened.audio is not None:
            self._read_sound(second, bases, limits)
        starts = [track.first_s for track in (self.pictures, self.sound) if track and track.first_s is not None]
        if not starts:
            raise Refused("nothing in it can be decoded", "; ".join(faults.lines()))
        self.origin_s = min(starts)
        if self.sound is not None:
            self.sound.start(self.origin_s)

    def _read_pictures(self, opened: Opened, bases: TimeBases, limits: Limits) -> None:
        stream = opened.video
        read_only(opened, stream)
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        self._interval = 1 / rate if rate > 0 else _DEFAULT_INTERVAL_S
        source = FrameSource(opened, stream, "picture", limits, self._faults)
        self._picture_stamps = PictureStamps(self._interval, opened.leaps, bases)
        self.pictures = PictureTrack(_timed_pictures(source, limits), self._picture_stamps, opened.is_still)
        first = self.pictures.first_frame
        if first is None:
            self._faults.note("no picture could be decoded")
            self.pictures = None
            return
        self.darkroom = Darkroom(first, stream.sample_aspect_ratio, limits.picture_side)

    def _read_sound(self, opened: Opened, bases: TimeBases, limits: Limits) -> None:
        stream = opened.audio
        read_only(opened, stream)
        source = FrameSource(opened, stream, "sound", limits, self._faults)
        self._sound_stamps = SoundStamps(opened.leaps, bases)
        self.sound = SoundTrack(_timed_sound(source), self._sound_stamps)
        if self.sound.first_s is None:
            self._faults.note("no sound could be decoded")
            self.sound = None

    def note_stamps(self) -> None:
        """Move the count of mended timestamps into the faults."""
        for track, what in ((self.pictures, "picture"), (self.sound, "sound")):
            stamps = None if track is None else (self._picture_stamps if what == "picture" else self._sound_stamps)
            if stamps is not None:
                self._faults.note(f"a {what} timestamp was missing or out of order", stamps.faults)
                stamps.faults = 0

    def describe(self) -> dict[str, Any]:
        """What ``MediaInfo`` says, as JSON values."""
        video = audio = None
        if self.pictures is not None and self.darkroom is not None:
            video = {
                "codec": self._video.codec_context.name,
                "width": self.darkroom.shown_width,
                "height": self.darkroom.shown_height,
                "fps": 1 / self._interval,
                "rotation_deg": self.darkroom.rotation_deg,
                "is_still": self.opened.is_still,
            }
        if self.sound is not None:
            context = self._audio.codec_context
            audio = {
                "codec": context.name,
                "sample_rate": context.sample_rate,
                "channels": len(context.layout.channels),
            }
        return {
            "container": self.opened.name,
            "duration_s": self._duration(),
            "start_s": self.origin_s,
            "video": video,
            "audio": audio,
        }

    def _duration(self) -> float:
        if self.opened.is_still:
            return 1 / TICK_RATE
        ends = []
        for stream in (self._video, self._audio):
            if stream is not None and stream.duration and stream.time_base:
                ends.append(float(((stream.start_time or 0) + stream.duration) * stream.time_base) - self.origin_s)
        if not ends and self.opened.container.duration:
            ends.append(self.opened.container.duration / _CONTAINER_TIME_BASE)
        return max(0.0, *ends) if ends else 0.0


def _timed_pictures(source: FrameSource, limits: Limits) -> Iterator[tuple[float | None, float, Any]]:
    for frame in source.frames():
        check_pixels(frame.width, frame.height, limits)
        duration = (getattr(frame, "duration", 0) or 0) * source.time_base
        yield _seconds(frame, source), duration, frame


def _timed_sound(source: FrameSource) -> Iterator[tuple[float | None, Any, int]]:
    for frame in source.frames():
        if frame.samples and frame.sample_rate:
            yield _seconds(frame, source), mono(frame), frame.sample_rate


def _seconds(frame: Any, source: FrameSource) -> float | None:
    stamp = frame.pts if frame.pts is not None else frame.dts
    if stamp is None:
        return None
    seconds = stamp * source.time_base
    return seconds if math.isfinite(seconds) else None


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
