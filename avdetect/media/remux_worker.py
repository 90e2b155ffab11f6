"""The process that copies packets: ``python -m avdetect.media.remux_worker DESCRIPTORS``.

Like the decoder process it limits itself before it reads a byte; the one file that it may write is open already.
"""

from __future__ import annotations

import heapq
import json
import socket
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av.logging
import av.subtitles.codeccontext
import av.subtitles.stream
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from avdetect.media.channel import Channel
from avdetect.media.confine import allow_opens, confine
from avdetect.media.demux import Opened, Refused, codec_name, last_complaint, open_container, read_only
from avdetect.media.limits import Limits
from avdetect.media.remux_rest import carry_file_tags, carry_streams

_REPORT_EVERY_S = 1.0
_COPIED_SOUND = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus"},
    "mov": {"aac", "mp3", "ac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_f32le"},
    "webm": {"opus", "vorbis"},
}
_ENCODED_SOUND = {"webm": ("libopus", 48_000)}
_DEFAULT_ENCODED_SOUND = ("aac", 48_000)


def main(descriptors: dict[str, int]) -> int:
    """Do one job.

    Args:
        descriptors: numbers of the inherited descriptors ``source0``, perhaps ``source1``, ``target``, ``control``.

    Returns:
        The exit status.
    """
    channel = Channel(socket.socket(fileno=descriptors["control"]))
    job = channel.receive()
    if job is None:
        return 0
    limits = Limits(**job["limits"])
    confine(limits, written_bytes=None)
    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.ERROR)
    try:
        sources = [_open(descriptors[f"source{n}"], limits, name) for n, name in enumerate(job["names"])]
        with allow_opens(1):
            target = av.open(f"/dev/fd/{descriptors['target']}", "w", format=job["format"])
            left_out = _copy(channel, sources, target, job, limits)
            target.close()
        channel.send({"done": True, "left_out": left_out})
    except Refused as refused:
        channel.send({"error": list(refused.args)})
    except MemoryError:
        channel.send(
            {"error": [f"copying needs more than {limits.memory_bytes >> 20} MiB", "raise Limits.memory_bytes"]}
        )
    except ConnectionError:
        return 1  # the parent is gone
    except (FFmpegError, ValueError) as error:
        said = last_complaint() or str(error)
        channel.send({"error": [f"cannot be written as {job['format']} ({said})", "use another container, as .mkv"]})
    return 0


def _open(descriptor: int, limits: Limits, name: str) -> Opened:
    with allow_opens(1):
        try:
            return open_container(descriptor, limits)
        except Refused as refused:
            raise Refused(f"{name}: {refused.args[0]}", refused.args[1]) from refused


def _copy(channel: Channel, sources: list[Opened], target: Any, job: dict[str, Any], limits: Limits) -> list[str]:
    """Copy what is asked for.

    Returns:
        What the source has and the target has not, in words.
    """
    left_out: list[str] = []
    picture_from, sound_from = sources[0], sources[-1]
    if picture_from.video is None:
        raise Refused("no picture in it", "give a video")
    if sound_from.audio is None:
        raise Refused(f"no sound in {job['names'][-1]}", "give a file with sound")
    shift = Fraction(job.get("shift_s", 0.0)).limit_denominator(1_000_000)
    picture_out = target.add_stream_from_template(picture_from.video, opaque=True)
    streams: list[Iterator[tuple[float, Any]]] = []
    if len(sources) == 1:
        sound_out = target.add_stream_from_template(sound_from.audio, opaque=True)
        moved = {picture_from.video.index: (picture_out, max(-shift, Fraction(0)))}
        moved[sound_from.audio.index] = (sound_out, max(shift, Fraction(0)))
        carry_file_tags(picture_from, target)
        more, left_out = carry_streams(picture_from, target, shift, bare=job.get("bare", False))
        moved |= more
        streams.append(_packets(picture_from, moved))
    else:
        read_only(picture_from, picture_from.video)
        read_only(sound_from, sound_from.audio)
        streams.append(_packets(picture_from, {picture_from.video.index: (picture_out, Fraction(0))}))
        delay = _start(picture_from) - _start(sound_from)
        streams.append(_sound(sound_from, target, job["format"], delay, _end(picture_from)))
    reported = time.monotonic()
    # Packets of two files come in order of time, so the muxer never has to hold much back.
    for _, packet in heapq.merge(*streams, key=lambda each: each[0]):
        target.mux(packet)
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            channel.send({"alive": True})
    return left_out


def _packets(opened: Opened, moved: dict[int, tuple[Any, Fraction]]) -> Iterator[tuple[float, Any]]:
    for packet in opened.container.demux([opened.container.streams[index] for index in moved]):
        if packet.dts is None and packet.pts is None:
            continue  # PyAV's own mark of the end, which may name a stream that is not copied
        stream, shift = moved[packet.stream_index]
        offset = round(shift / packet.time_base)
        if packet.pts is not None:
            packet.pts += offset
        if packet.dts is not None:
            packet.dts += offset
        when = (packet.dts if packet.dts is not None else packet.pts) or 0
        packet.stream = stream
        yield float(when * packet.time_base), packet


def _sound(
    opened: Opened, target: Any, form: str, delay: Fraction, end: Fraction | None
) -> Iterator[tuple[float, Any]]:
    """The sound's packets on the picture's timeline, up to the end of the picture."""
    codec = codec_name(opened.audio)
    allowed = _COPIED_SOUND.get(form)
    if allowed is None or codec in allowed:
        out = target.add_stream_from_template(opened.audio, opaque=True)
        packets = _packets(opened, {opened.audio.index: (out, delay)})
    else:
        name, rate = _ENCODED_SOUND.get(form, _DEFAULT_ENCODED_SOUND)
        out = target.add_stream(name, rate=rate, layout="stereo")
        packets = _encoded(opened, out, rate, delay)

    def until_the_end() -> Iterator[tuple[float, Any]]:
        for when, packet in packets:
            if end is not None and packet.pts is not None and packet.pts * packet.time_base >= end:
                continue
            yield when, packet

    return until_the_end()


def _encoded(opened: Opened, out: Any, rate: int, delay: Fraction) -> Iterator[tuple[float, Any]]:
    resampler = AudioResampler(format=out.codec_context.format.name, layout="stereo", rate=rate)
    first: Fraction | None = None
    sent = 0

    def encode(frames: list[Any]) -> Iterator[tuple[float, Any]]:
        nonlocal sent
        for frame in frames:
            # The count of samples and not the rounded stamps: an encoder wants them without gaps.
            frame.pts, frame.time_base = sent + round((first or Fraction(0)) * rate), Fraction(1, rate)
            sent += frame.samples
            yield from _stamped(out.encode(frame))

    for packet in opened.container.demux(opened.audio):
        try:
            frames = packet.decode()
        except FFmpegError:
            continue
        for frame in frames:
            if first is None:
                first = Fraction(frame.pts or 0) * (opened.audio.time_base or Fraction(1)) + delay
            yield from encode(resampler.resample(frame))
    yield from encode(resampler.resample(None))
    yield from _stamped(out.encode(None))


def _stamped(packets: list[Any]) -> Iterator[tuple[float, Any]]:
    for packet in packets:
        yield float(packet.dts * packet.time_base), packet


def _start(opened: Opened) -> Fraction:
    """The earliest time of the chosen streams: what a reader calls tick 0."""
    starts = [
        stream.start_time * stream.time_base
        for stream in (opened.video, opened.audio)
        if stream is not None and stream.start_time is not None and stream.time_base
    ]
    return min(starts, default=Fraction(0))


def _end(opened: Opened) -> Fraction | None:
    stream = opened.video
    if stream.duration and stream.time_base:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    duration = opened.container.duration
    return (
        None if not duration else Fraction(duration, 1_000_000) + Fraction(opened.container.start_time or 0, 1_000_000)
    )


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
