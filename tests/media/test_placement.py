"""Flashes and beeps of known times, in every container, codec, start and frame rate, must be found at these times."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from avdetect.media.reader import open_media
from tests.media.flash_beep import Found, Truth, find, make_film, shift_ms, worst_error_ms

TOLERANCE_MS = 10.0
ENCODER_DELAY_MS = 26.0
"""The longest delay of the encoders used: LAME's, at 44.1 kHz."""
CONTAINERS = {
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "aac"),
    "mkv": ("libx264", "aac"),
    "webm": ("libvpx", "libopus"),
    "avi": ("mpeg4", "libmp3lame"),
    "mpg": ("mpeg2video", "mp2"),
    "ts": ("libx264", "aac"),
}
RATES = {
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "60": Fraction(60),
    "vfr": None,
}
HAS_DELAY_IN_TIMELINE = {"mpg", "ts", "flv", "nut"}
"""Containers whose timestamps count the encoder's delay as sound: their clock may start that much before the truth."""


def _check(found: Found, truth: Truth, container: str) -> None:
    assert worst_error_ms(found, truth) <= TOLERANCE_MS
    slack = ENCODER_DELAY_MS if container in HAS_DELAY_IN_TIMELINE else 0.0
    assert -TOLERANCE_MS <= shift_ms(found, truth) <= TOLERANCE_MS + slack
    assert found.warnings == []


def _delay_avi_stream(path: Path, kind: bytes, delay_s: float) -> float:
    """Set ``dwStart`` of a stream header: the means of AVI for a late stream. Returns the delay, in whole units."""
    data = bytearray(path.read_bytes())
    at = -1
    while data[at + 8 : at + 12] != kind:
        at = data.index(b"strh", at + 1)
    scale, rate = struct.unpack_from("<II", data, at + 28)
    units = round(delay_s * rate / scale)
    struct.pack_into("<I", data, at + 36, units)
    path.write_bytes(data)
    return units * scale / rate


def _avi_film(path: Path, video_codec: str, audio_codec: str, rate: Fraction | None, sound_start_ms: int) -> Truth:
    truth = make_film(path, video_codec=video_codec, audio_codec=audio_codec, rate=rate)
    picture = sound = 0.0
    if sound_start_ms > 0:
        sound = _delay_avi_stream(path, b"auds", sound_start_ms / 1000)
    elif sound_start_ms < 0:
        picture = _delay_avi_stream(path, b"vids", -sound_start_ms / 1000)
    return Truth(tuple(t + picture for t in truth.frames), truth.bright, tuple(t + sound for t in truth.beeps))


@pytest.mark.parametrize("sound_start_ms", [-200, 0, 200])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_flash_and_beep(tmp_path: Path, container: str, rate: str, sound_start_ms: int) -> None:
    if (container, rate) == ("mpg", "vfr"):
        pytest.skip("MPEG-2 video has a fixed rate, and a program stream has no timestamp for each frame")
    path = tmp_path / f"film.{container}"
    video, audio = CONTAINERS[container]
    if container == "avi":
        truth = _avi_film(path, video, audio, RATES[rate], sound_start_ms)
    else:
        truth = make_film(path, video_codec=video, audio_codec=audio, rate=RATES[rate], sound_start_ms=sound_start_ms)
    _check(find(path), truth, container)


@pytest.mark.parametrize("sound_start_ms", [-200, 0, 200])
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "webm"])  # the others cannot say that they are turned
def test_turned_flash_and_beep(tmp_path: Path, container: str, sound_start_ms: int) -> None:
    path = tmp_path / f"film.{container}"
    video, audio = CONTAINERS[container]
    truth = make_film(path, video_codec=video, audio_codec=audio, sound_start_ms=sound_start_ms, rotation=90)
    found = find(path)
    _check(found, truth, container)
    assert (found.info["video"]["width"], found.info["video"]["height"]) == (48, 64)
    assert found.info["video"]["rotation_deg"] == 90


@pytest.mark.parametrize(
    ("container", "video", "audio"),
    [
        *(("mkv", "libx264", audio) for audio in ("libopus", "libmp3lame", "flac", "ac3", "mp2", "pcm_s16le")),
        *(("mp4", "libx264", audio) for audio in ("libmp3lame", "libopus", "ac3", "flac")),
        ("mov", "mjpeg", "pcm_s16le"),
        *(("ts", "libx264", audio) for audio in ("mp2", "libmp3lame", "ac3", "libopus")),
        ("mpg", "mpeg1video", "libmp3lame"),
        ("webm", "libvpx-vp9", "libopus"),
        ("flv", "libx264", "libmp3lame"),
        ("nut", "libx264", "aac"),
    ],
)
def test_codecs(tmp_path: Path, container: str, video: str, audio: str) -> None:
    path = tmp_path / f"film.{container}"
    rate = 48_000 if audio == "libopus" else 44_100
    truth = make_film(path, video_codec=video, audio_codec=audio, sound_start_ms=200, sample_rate=rate)
    _check(find(path), truth, container)


@pytest.mark.parametrize("start_ms", [-200, 0, 200])
@pytest.mark.parametrize("audio", ["pcm_s16le", "mp2", "ac3", "aac"])
def test_avi_sound_is_freed_of_its_encoders_delay(tmp_path: Path, audio: str, start_ms: int) -> None:
    path = tmp_path / "film.avi"
    truth = _avi_film(path, "mpeg4", audio, Fraction(25), start_ms)
    _check(find(path), truth, "avi")


@pytest.mark.parametrize(
    "time_base", [Fraction(1001, 30000), Fraction(1, 90_000), Fraction(7, 3000), Fraction(1, 1_000_003)]
)
def test_odd_time_bases(tmp_path: Path, time_base: Fraction) -> None:
    path = tmp_path / "film.mp4"
    truth = make_film(
        path,
        video_codec="libx264",
        audio_codec="aac",
        rate=Fraction(30000, 1001),
        sound_start_ms=-100,
        time_base=time_base,
    )
    half_a_unit_ms = 500 * float(time_base)
    assert worst_error_ms(find(path), truth) <= 1.0 + half_a_unit_ms


@pytest.mark.parametrize("before_wrap_s", [1, -3])
def test_transport_stream_over_the_wrap_of_its_33_bit_clock(tmp_path: Path, before_wrap_s: int) -> None:
    path = tmp_path / "film.ts"
    wrap = Fraction(2**33, 90_000)
    truth = make_film(
        path,
        video_codec="libx264",
        audio_codec="mp2",
        sound_start_ms=200,
        shift_s=wrap - before_wrap_s,
        options={"mpegts_copyts": "1", "avoid_negative_ts": "disabled"},
    )
    found = find(path)
    _check(found, truth, "ts")
    assert found.info["start_s"] == pytest.approx(-before_wrap_s, abs=0.05)


@pytest.mark.parametrize("second_start_s", [0, 5000])
def test_transport_streams_cut_together_stay_in_step(tmp_path: Path, second_start_s: int) -> None:
    """Two films one after the other, with a leap of the time base back or ahead between them."""
    pieces = []
    for start in (1000, second_start_s):
        piece = tmp_path / f"{start}.ts"
        truth = make_film(
            piece,
            video_codec="libx264",
            audio_codec="mp2",
            shift_s=Fraction(start),
            options={"mpegts_copyts": "1", "avoid_negative_ts": "disabled"},
        )
        pieces.append(piece.read_bytes())
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(pieces))
    found = find(path)
    assert len(found.beeps) == 2 * len(truth.beeps)
    bright = [time for _, (time, level) in sorted(found.frames.items()) if level]
    flashes = [time for before, time in zip([-1.0, *bright], bright, strict=False) if time - before > 0.2]
    offset = [beep - flash for beep, flash in zip(found.beeps, flashes, strict=True)]
    # A decoder that starts anew in the middle loses a few frames; in-step means one offset before and after the cut.
    assert offset[3:] == pytest.approx(offset[:3], abs=0.045)
    assert found.beeps[-1] < 5.0


def test_late_start_of_the_container(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    truth = make_film(path, video_codec="libx264", audio_codec="flac", shift_s=Fraction(3600))
    found = find(path)
    _check(found, truth, "mkv")
    assert found.info["start_s"] == pytest.approx(3600, abs=0.001)
    assert found.info["duration_s"] == pytest.approx(2.2, abs=0.05)


def test_both_ways_of_reading_agree_on_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    make_film(path, video_codec="libx264", audio_codec="aac", sound_start_ms=200)
    with open_media(path, picture=False) as media:
        blocks = list(media.blocks())
    assert media.info.start_s == pytest.approx(0.0, abs=1e-6)
    # Five whole ticks of 40 ms before the sound starts, though only the sound is read.
    assert blocks[0].audio_valid[:6].tolist() == [False] * 5 + [True]
    assert blocks[0].frames is None
    assert not blocks[0].frame_valid.any()
