"""Which streams of a file are read, and how long it is where its container does not say."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from avdetect.media.probe import probe
from avdetect.media.reader import open_media
from tests.media.flash_beep import make_film


def read(path: Path) -> tuple[int, float, list[str]]:
    """Ticks, length after reading, warnings."""
    with open_media(path) as media:
        ticks = sum(block.n_ticks for block in media.blocks())
        return ticks, media.info.duration_s, media.warnings


def write_tracks(path: Path, pictures: tuple[bool, ...], sounds: tuple[bool, ...]) -> None:
    """A second of grey and of quiet in as many streams, each marked as default or not."""
    with av.open(str(path), "w") as out:
        streams: list[Any] = []
        for default in pictures:
            streams.append(picture := out.add_stream("mjpeg", rate=25))
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuvj420p"
            picture.disposition = Disposition.default if default else Disposition(0)
        for default in sounds:
            streams.append(sound := out.add_stream("pcm_s16le", rate=16_000, layout="mono"))
            sound.disposition = Disposition.default if default else Disposition(0)
        for number in range(25):
            for stream in streams:
                if stream.type == "video":
                    frame: Any = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8))
                else:
                    frame = av.AudioFrame.from_ndarray(np.full((1, 640), 500, np.int16), "s16", "mono")
                    frame.sample_rate, frame.time_base, frame.pts = 16_000, Fraction(1, 16_000), 640 * number
                out.mux(stream.encode(frame))


@pytest.mark.parametrize("name", ["live.mkv", "live.webm"])
def test_a_length_that_is_not_stated_is_the_one_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    codecs = ("libvpx", "libopus") if name.endswith("webm") else ("libx264", "aac")
    make_film(path, video_codec=codecs[0], audio_codec=codecs[1], options={"live": "1"})
    assert probe(path).duration_s == 0.0
    ticks, length, _ = read(path)
    assert ticks >= 55 and length == ticks / 25


def test_a_length_that_is_stated_stays(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    make_film(path, video_codec="libx264", audio_codec="aac")
    assert read(path)[1] == probe(path).duration_s > 0


@pytest.mark.parametrize(
    ("pictures", "sounds", "said"),
    [
        ((True,), (True,), []),
        ((True,), (True, False), ["There are 2 sound tracks, and only number 1 (the default) was judged."]),
        ((True,), (False, False, True), ["There are 3 sound tracks, and only number 3 (the default) was judged."]),
        ((True,), (False, False), ["There are 2 sound tracks, and only number 1 was judged."]),
        ((False, True), (True,), ["There are 2 picture tracks, and only number 2 (the default) was judged."]),
    ],
)
def test_tracks_that_are_not_judged_are_told(
    tmp_path: Path, pictures: tuple[bool, ...], sounds: tuple[bool, ...], said: list[str]
) -> None:
    path = tmp_path / "film.mkv"
    write_tracks(path, pictures, sounds)
    assert read(path)[2] == said
