"""The picture and the sound of one file, at their first frames and on one clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from avdetect.media.avi import cut_delay, sound_delay_s, undo_skip
from avdetect.media.blocks import BlockFiller, PictureTrack
from avdetect.media.clock import PictureStamps, SoundStamps, TimeBases, without_wild_stamps
from avdetect.media.decode import FrameSource
from avdetect.media.demux import Opened, check_pixels, codec_name, nothing_decoded, open_container, read_only
from avdetect.media.faults import Faults
from avdetect.media.limits import Limits
from avdetect.media.picture import Darkroom
from avdetect.media.rates import TICK_RATE
from avdetect.media.ring import RingShape
from avdetect.media.sound import SoundTrack, mono

_DEFAULT_INTERVAL_S = 1 / TICK_RATE
_PICTURES_HELD = 4
_SOUNDS_HELD = 16
_CONTAINER_TIME_BASE = 1_000_000  # AV_TIME_BASE


class Tracks:
    """The streams of a file, at their first frames.

    Picture and sound are demuxed by two containers over the same file: each then reads at its own pace, and memory
    stays flat however badly the streams are interleaved. Two files are opened at most.

    Args:
        descriptors: two of the same file, opened apart for reading.
        limits: what it may cost.
        faults: where damage is noted.

    Raises:
        Refused: if nothing in it can be read.
    """

    def __init__(self, descriptors: tuple[int, int], limits: Limits, faults: Faults) -> None:
        self.opened = opened = open_container(descriptors[0], limits)
        for complaint in opened.complaints:
            faults.note(complaint)
        self._faults = faults
        bases = TimeBases()
        self.pictures: PictureTrack | None = None
        self.sound: SoundTrack | None = None
        self.darkroom: Darkroom | None = None
        self._video, self._audio = opened.video, opened.audio
        self._sound_delay_s = 0.0
        if opened.name == "avi" and opened.audio is not None:
            context = opened.audio.codec_context
            self._sound_delay_s = sound_delay_s(codec_name(opened.audio), context.sample_rate)
        second = opened
        if opened.video is not None and opened.audio is not None:
            second = open_container(descriptors[1], limits)
        if opened.video is not None:
            self._read_pictures(opened, bases, limits)
        if opened.audio is not None:
            self._read_sound(second, bases, limits)
        starts = [track.first_s for track in (self.pictures, self.sound) if track and track.first_s is not None]
        if not starts:
            raise nothing_decoded(limits, "; ".join(faults.lines()))
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
        frames = without_wild_stamps(_timed_pictures(source, limits), _PICTURES_HELD)
        if opened.name == "avi" and opened.container.metadata.get("software", "").startswith("Lavf"):
            sound_unit_s = float(opened.audio.time_base) if opened.audio is not None else 1.0
            frames = undo_skip(frames, unit_s=source.time_base, delay_s=self._sound_delay_s, sound_unit_s=sound_unit_s)
        self.pictures = PictureTrack(frames, self._picture_stamps, opened.is_still)
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
        chunks = without_wild_stamps(_timed_sound(source), _SOUNDS_HELD)
        if self._sound_delay_s:
            chunks = cut_delay(chunks, self._sound_delay_s)
        self.sound = SoundTrack(chunks, self._sound_stamps)
        if self.sound.first_s is None:
            self._faults.note("no sound could be decoded")
            self.sound = None

    def shape(self, *, slots: int, ticks: int, picture: bool, sound: bool) -> RingShape:
        """The ring for what is both there and wanted."""
        room = self.darkroom if picture else None
        return RingShape(
            slots=slots,
            ticks=ticks,
            height=room.height if room else 0,
            width=room.width if room else 0,
            sound=sound and self.sound is not None,
        )

    def filler(self, *, picture: bool, sound: bool) -> BlockFiller:
        """What writes the blocks; take it once."""
        return BlockFiller(
            self.pictures if picture else None,
            self.sound if sound else None,
            darkroom=self.darkroom,
            origin_s=self.origin_s,
            faults=self._faults,
        )

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
                "codec": codec_name(self._video),
                "width": self.darkroom.shown_width,
                "height": self.darkroom.shown_height,
                "fps": 1 / self._interval,
                "rotation_deg": self.darkroom.rotation_deg,
                "is_still": self.opened.is_still,
            }
        if self.sound is not None:
            context = self._audio.codec_context
            audio = {
                "codec": codec_name(self._audio),
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
        container = self.opened.container
        if not ends and container.duration:
            # Matroska's duration counts from time 0, that of the others from their start.
            start = container.start_time or 0 if self.opened.name.startswith("matroska") else 0
            ends.append((container.duration - min(start, container.duration)) / _CONTAINER_TIME_BASE)
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
