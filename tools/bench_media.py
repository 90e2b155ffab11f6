"""The files that `make bench` measures with: one face, 1280x720, 25 pictures a second, H.264 and AAC."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tools.demo_media import DemoMediaError, demo_media

WIDTH, HEIGHT, FPS, RATE = 1280, 720, 25, 48_000


def bench_files(folder: Path) -> tuple[Path, Path, str]:
    """A minute and six seconds of one speaker; made on the first call.

    Returns:
        The two paths and, in words, what they show.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        source, _ = demo_media()
        kind, shows = "real", "the demonstration's talking head, played forwards and backwards"
    except DemoMediaError as error:
        source, kind, shows = None, "drawn", f"a drawn face ({error})"
    minute, short = folder / f"{kind}_60s.mp4", folder / f"{kind}_6s.mp4"
    for path, seconds in ((minute, 60), (short, 6)):
        if not path.exists():
            part = path.with_suffix(".part.mp4")
            if source is None:
                _draw(part, seconds)
            else:
                _boomerang(source, part, seconds)
            part.replace(path)
    return minute, short, shows


def repeated(source: Path, times: int) -> Path:
    """A file in which another is played ``times`` times, by copying its packets."""
    path = source.with_name(f"{source.stem}_x{times}.mp4")
    if path.exists():
        return path
    part = path.with_suffix(".part.mp4")
    with av.open(str(source)) as reader, av.open(str(part), "w") as writer:
        picture = reader.streams.video[0]
        length_s = Fraction(picture.duration or 0) * (picture.time_base or 1)
        streams = {s.index: writer.add_stream_from_template(s) for s in reader.streams}
        last: dict[int, Fraction] = {}
        for k in range(times):
            reader.seek(0)
            for packet in reader.demux():
                if packet.dts is None or packet.pts is None:
                    continue
                shift = round(k * length_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                # The encoder's lead-in of each round would lie before the end of the last one.
                when, index = packet.dts * packet.time_base, packet.stream.index
                if when <= last.get(index, when - 1):
                    continue
                last[index] = when
                packet.stream = streams[index]
                writer.mux(packet)
    part.replace(path)
    return path


def _draw(path: Path, seconds: int) -> None:
    from avdetect.testing import write_synthetic_video

    write_synthetic_video(path, seconds=seconds, width=WIDTH, height=HEIGHT, fps=FPS, crf=23)


def _boomerang(source: Path, path: Path, seconds: int) -> None:
    """The film forwards, then backwards, and so on: no cuts, so that one face is followed all the way."""
    pictures, sound = _decode(source)
    there_and_back = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    order = itertools.islice(itertools.cycle(there_and_back), seconds * FPS)
    both = np.concatenate([sound, sound[::-1]])
    samples = np.resize(both, seconds * RATE)
    with av.open(str(path), "w") as writer:
        video = writer.add_stream("libx264", rate=FPS, options={"crf": "23", "preset": "medium"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = writer.add_stream("aac", rate=RATE, layout="mono")
        for i, number in enumerate(order):
            frame = av.VideoFrame.from_ndarray(pictures[number], format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            writer.mux(video.encode(frame))
        writer.mux(video.encode(None))
        for frame in _frames_of_sound(samples):
            writer.mux(audio.encode(frame))
        writer.mux(audio.encode(None))


def _decode(source: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures enlarged to 720 lines with their edges drawn out to 1280 columns, and mono sound at 48 kHz."""
    pictures: list[np.ndarray] = []
    with av.open(str(source)) as reader:
        for frame in reader.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            scale = HEIGHT / image.shape[0]
            image = cv2.resize(image, (round(image.shape[1] * scale), HEIGHT), interpolation=cv2.INTER_CUBIC)
            side = (WIDTH - image.shape[1]) // 2
            pictures.append(cv2.copyMakeBorder(image, 0, 0, side, WIDTH - image.shape[1] - side, cv2.BORDER_REPLICATE))
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    with av.open(str(source)) as reader:
        pieces = [f.to_ndarray()[0] for raw in reader.decode(audio=0) for f in resampler.resample(raw)]
    return pictures, np.concatenate(pieces)


def _frames_of_sound(samples: np.ndarray) -> Iterator[av.AudioFrame]:
    for start in range(0, len(samples), 1024):
        piece = np.ascontiguousarray(samples[None, start : start + 1024], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        yield frame
