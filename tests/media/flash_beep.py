"""Films of flashes and beeps whose times are known, for the tests of the clock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from avdetect.media.faults import Faults
from avdetect.media.limits import Limits
from avdetect.media.tracks import Tracks
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK

FLASHES_S = (0.5, 1.13, 1.71)
"""When a flash is asked for; it happens at the first frame at or after that time."""
BEEPS_S = (0.4113, 1.0207, 1.6371)
FLASH_LENGTH_S = 0.12
BEEP_LENGTH_S = 0.06
LENGTH_S = 2.2
SIZE = (64, 48)
VFR_STEPS_MS = (20, 33, 70, 47, 40, 90, 25, 31)
VFR_STEPS_20_MS = (20, 20, 40, 80, 20, 60, 40, 40)
"""For codecs and containers that know fixed rates only: a rate of 50 with frames left out."""


@dataclass(frozen=True)
class Truth:
    """Times in the film's own timeline, where the earlier stream starts at 0: of every frame, and of the beeps."""

    frames: tuple[float, ...]
    bright: tuple[bool, ...]
    beeps: tuple[float, ...]


@dataclass(frozen=True)
class Found:
    """What a reader met: by frame number the time and the brightness, the beginnings of the beeps, and its words."""

    frames: dict[int, tuple[float, bool]]
    beeps: tuple[float, ...]
    info: dict[str, Any]
    warnings: list[str]


def worst_error_ms(found: Found, truth: Truth) -> float:
    """The largest distance of a frame or beep from the truth, milliseconds, up to ONE shift of the whole timeline.

    The shift is what a muxer does to both streams alike; ``found`` must have every beep, and nearly every flash.
    """
    assert len(found.beeps) == len(truth.beeps), found
    assert all(truth.bright[number] == bright for number, (_, bright) in found.frames.items())
    assert sum(bright for _, bright in found.frames.values()) >= 2 * len(FLASHES_S)
    off = [time - truth.frames[number] for number, (time, _) in found.frames.items()]
    off += [time - true for time, true in zip(found.beeps, truth.beeps, strict=True)]
    return 1000 * (max(off) - min(off)) / 2


def shift_ms(found: Found, truth: Truth) -> float:
    """How much later than the truth the pictures are placed, milliseconds."""
    return 1000 * float(np.median([time - truth.frames[number] for number, (time, _) in found.frames.items()]))


def frame_times(rate: Fraction | None, steps_ms: tuple[int, ...]) -> list[Fraction]:
    """Presentation times of the frames; without a rate, at these steps."""
    if rate is not None:
        return [i / rate for i in range(int(LENGTH_S * rate))]
    times, now = [], 0
    while now < LENGTH_S * 1000:
        times.append(Fraction(now, 1000))
        now += steps_ms[(len(times) - 1) % len(steps_ms)]
    return times


def make_film(
    path: Path,
    *,
    video_codec: str,
    audio_codec: str,
    rate: Fraction | None = Fraction(25),
    sound_start_ms: int = 0,
    sample_rate: int = 48_000,
    layout: str = "stereo",
    rotation: int = 0,
    size: tuple[int, int] = SIZE,
    form: str | None = None,
    shift_s: Fraction = Fraction(0),
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Truth:
    """Write a film and say what is in it. The left upper quarter of the stored picture stays grey in flashes."""
    picture_start = max(Fraction(0), Fraction(-sound_start_ms, 1000)) + shift_s
    sound_start = max(Fraction(0), Fraction(sound_start_ms, 1000)) + shift_s
    fixed = video_codec.startswith("mpeg")
    times = frame_times(rate, VFR_STEPS_20_MS if fixed else VFR_STEPS_MS)
    base = time_base or (Fraction(1, 1000) if rate is None else 1 / (rate * 1000))
    with av.open(str(path), "w", format=form, options=options or {}) as out:
        video: Any = out.add_stream(video_codec, rate=rate or Fraction(25))
        video.width, video.height, video.pix_fmt = *size, "yuvj420p" if video_codec == "mjpeg" else "yuv420p"
        video.codec_context.time_base = base
        if fixed:
            # These codecs know a fixed rate only; the container still carries the stamps.
            video.codec_context.time_base = 1 / rate if rate else Fraction(1, 50)
        video.bit_rate = 400_000
        if video_codec == "libx264":
            video.options = {"preset": "ultrafast", "bf": "2", "b-adapt": "0"}
        elif video_codec.startswith("libvpx"):
            video.options = {"deadline": "realtime", "cpu-used": "8"}
        if rotation:
            video.set_display_rotation(-rotation)  # FFmpeg counts anticlockwise
        video.codec_context.thread_count = 1  # the encoders' threads cost more than these small pictures
        audio: Any = out.add_stream(audio_codec, rate=sample_rate, layout=layout)
        packets = _picture_packets(video, times, picture_start, size)
        packets += _sound_packets(audio, sample_rate, sound_start, layout)
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        for packet in packets:
            out.mux(packet)
    return Truth(
        tuple(float(time + picture_start - shift_s) for time in times),
        tuple(_is_bright(time) for time in times),
        tuple(at + float(sound_start - shift_s) for at in BEEPS_S),
    )


def _is_bright(time: Fraction) -> bool:
    return any(at <= time < at + FLASH_LENGTH_S for at in FLASHES_S)


def _picture_packets(video: Any, times: list[Fraction], start: Fraction, size: tuple[int, int]) -> list:
    packets = []
    base = video.codec_context.time_base
    for time in times:
        picture = np.full((size[1], size[0], 3), 235 if _is_bright(time) else 20, np.uint8)
        picture[: size[1] // 2, : size[0] // 2] = 128
        frame = av.VideoFrame.from_ndarray(picture)
        frame.time_base = base
        frame.pts = round((time + start) / base)
        packets += video.encode(frame)
    return packets + video.encode(None)


def beeps(sample_rate: int) -> np.ndarray:
    """One channel of beeps with hard beginnings."""
    time = np.arange(int(LENGTH_S * sample_rate)) / sample_rate
    sound = np.zeros(len(time), np.float32)
    for at in BEEPS_S:
        inside = (time >= at) & (time < at + BEEP_LENGTH_S)
        sound[inside] = 0.6 * np.cos(2 * np.pi * 1000 * (time[inside] - at))
    return sound


def _sound_packets(audio: Any, rate: int, start: Fraction, layout: str) -> list:
    packets = []
    sound = beeps(rate)
    context = audio.codec_context
    channels = len(av.AudioLayout(layout).channels)
    resampler = av.AudioResampler(format=context.format.name, layout=layout, rate=rate)
    for at in range(0, len(sound), 1024):
        piece = np.repeat(sound[at : at + 1024], channels)[None]
        frame = av.AudioFrame.from_ndarray(piece, format="flt", layout=layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = at + round(start * rate)
        for ready in resampler.resample(frame):
            packets += audio.encode(ready)
    return packets + audio.encode(None)


def find(path: Path, *, limits: Limits | None = None) -> Found:
    """Read a film with the code of the decoder process, but in this process: a hundred of them take seconds."""
    faults = Faults()
    descriptors = (os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY))
    try:
        tracks = Tracks(descriptors, limits or Limits(), faults)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    shape = tracks.shape(slots=1, ticks=16, picture=True, sound=True)
    slot = shape.views(bytearray(shape.total_bytes()))[0]
    filler = tracks.filler(picture=True, sound=True)
    frames, sound = {}, []
    while count := filler.fill(slot):
        for row in np.flatnonzero(slot.frame_valid[:count]):
            assert slot.frames is not None
            # The median: a quarter of the picture is grey, and its corner tells the rotation.
            bright = bool(np.median(slot.frames[row]) > 128)
            frames[int(slot.frame_index[row])] = (float(slot.frame_pts_s[row]), bright)
        if slot.audio is not None:
            sound.append(slot.audio[: count * SAMPLES_PER_TICK].copy())
    tracks.note_stamps()
    beeps = onsets(np.concatenate(sound)) if sound else ()
    return Found(frames, beeps, tracks.describe(), faults.lines())


def onsets(sound: np.ndarray) -> tuple[float, ...]:
    """Beginnings of beeps: where half of the greatest level is first passed after a silence."""
    loud = np.flatnonzero(np.abs(sound) > 0.5 * np.abs(sound).max())
    first = np.concatenate([[True], np.diff(loud) > SAMPLE_RATE // 10])
    return tuple((loud[first] / SAMPLE_RATE).tolist())
