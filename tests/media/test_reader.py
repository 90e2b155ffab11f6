"""The reader as its users meet it: blocks, kinds of files, and nothing left behind."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from avdetect.media.errors import MediaError
from avdetect.media.probe import probe
from avdetect.media.reader import open_media
from avdetect.types import MediaBlock, MediaInfo
from tests.media.flash_beep import BEEPS_S, beeps, make_film, onsets


def read(path: Path, **kwargs: Any) -> tuple[list[MediaBlock], MediaInfo]:
    with open_media(path, **kwargs) as media:
        return list(media.blocks()), media.info


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_film(path, video_codec="libx264", audio_codec="aac", rate=Fraction(12))
    return path


def write_numbered(path: Path, count: int, rate: int, *, size: int = 64, sound: bool = False) -> None:
    """Frames whose grey level is twice their number, modulo 250."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "10"})
        stream.width = stream.height = size
        voice: Any = out.add_stream("flac", rate=16_000, layout="mono") if sound else None
        for number in range(count):
            picture = np.full((size, size, 3), number * 2 % 250, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
            if voice is not None:
                samples = np.full((1, 16_000 // rate), number % 100 * 300, np.int16)
                frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
                frame.sample_rate, frame.time_base, frame.pts = 16_000, Fraction(1, 16_000), number * (16_000 // rate)
                out.mux(voice.encode(frame))
        out.mux(stream.encode(None))
        if voice is not None:
            out.mux(voice.encode(None))


def test_blocks_follow_each_other_and_have_the_shapes_promised(film: Path) -> None:
    blocks, info = read(film)
    tick = 0
    for block in blocks:
        assert block.start_tick == tick
        n = block.n_ticks
        assert block.frames is not None and block.audio is not None
        assert block.frames.shape == (n, 48, 64, 3) and block.frames.dtype == np.uint8
        assert block.audio.shape == (640 * n,) and block.audio.dtype == np.float32
        assert block.frame_pts_s.shape == block.frame_index.shape == block.audio_valid.shape == (n,)
        assert (block.frame_pts_s.dtype, block.frame_index.dtype) == (np.float64, np.int32)
        tick += n
    assert [block.n_ticks for block in blocks[:-1]] == [16] * (len(blocks) - 1)
    assert tick == 55
    assert info.video is not None and info.audio is not None
    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 64, 48)
    assert info.video.fps == pytest.approx(12)
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", 48_000, 2)
    assert info.duration_s == pytest.approx(2.2, abs=0.05)
    assert info == probe(film)


def test_a_low_rate_shows_the_nearest_picture_again(film: Path) -> None:
    blocks, _ = read(film)
    index = np.concatenate([block.frame_index for block in blocks])
    pts = np.concatenate([block.frame_pts_s for block in blocks])
    ticks = np.arange(len(index)) / 25
    times = np.arange(26) / 12
    nearest = np.abs(ticks[:, None] - times[None]).argmin(axis=1)
    np.testing.assert_array_equal(index, nearest)
    np.testing.assert_allclose(pts, times[nearest], atol=1e-4)


@pytest.mark.parametrize("rate", [10, 25, 50])
def test_pixels_belong_to_their_frame_number(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "numbered.mkv"
    write_numbered(path, 3 * rate, rate, sound=True)
    blocks, _ = read(path)
    for block in blocks:
        assert block.frames is not None and block.audio is not None
        levels = block.frames[:, 32, 32, 0].astype(int)
        assert (np.abs(levels - block.frame_index * 2 % 250) <= 3).all()
        numbers = np.round((block.start_tick + np.arange(block.n_ticks)) / 25 * rate + 0.25).astype(int)
        assert (np.abs(block.frame_index - numbers) <= 1).all()


def test_the_size_of_blocks_does_not_matter(film: Path) -> None:
    whole, _ = read(film, block_ticks=64)
    small, _ = read(film, block_ticks=7)
    for name in ("frames", "audio", "frame_pts_s", "frame_index", "frame_valid", "audio_valid"):
        joined = np.concatenate([getattr(block, name) for block in small])
        np.testing.assert_array_equal(joined, np.concatenate([getattr(block, name) for block in whole]))


def test_reading_twice_gives_the_same_bits(film: Path) -> None:
    first, _ = read(film)
    second, _ = read(film)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
        np.testing.assert_array_equal(one.audio, other.audio)


def test_blocks_are_the_callers_own(film: Path) -> None:
    with open_media(film) as media:
        blocks = []
        for block in media.blocks():
            blocks.append(block)
            time.sleep(0.01)
    again, _ = read(film)
    for kept, fresh in zip(blocks, again, strict=True):
        np.testing.assert_array_equal(kept.frames, fresh.frames)


def test_picture_ends_before_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "short.mkv"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        voice: Any = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for _ in range(25):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8))))
        frame = av.AudioFrame.from_ndarray(np.full((1, 48_000), 1000, np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        out.mux(voice.encode(frame))
    blocks, _ = read(path)
    valid = np.concatenate([block.frame_valid for block in blocks])
    pts = np.concatenate([block.frame_pts_s for block in blocks])
    assert len(valid) == 75
    # The last picture ends at 1 s; it stands for the one tick that starts there, since sound is padded by about that.
    assert valid.tolist() == [True] * 26 + [False] * 49
    assert np.isnan(pts[26:]).all() and (np.concatenate([b.frame_index for b in blocks])[26:] == -1).all()
    assert np.concatenate([block.audio_valid for block in blocks]).all()


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [("a.png", "png", "rgb24"), ("a.jpg", "mjpeg", "yuvj420p"), ("a.webp", "libwebp", "bgra")],
)
def test_still_images(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    path = tmp_path / name
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = 40, 30, pixels, Fraction(1, 25)
    source = av.VideoFrame.from_ndarray(np.full((30, 40, 3), (200, 100, 50), np.uint8)).reformat(format=pixels)
    source.pts = 0
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(source), *context.encode(None)]))
    (block,), info = read(path)
    assert info.video is not None and info.video.is_still and info.audio is None
    assert block.n_ticks == 1 and block.audio is None
    assert block.frame_valid[0] and block.frame_pts_s[0] == 0.0
    assert not block.audio_valid.any()
    assert block.frames is not None
    np.testing.assert_allclose(block.frames[0, 15, 20].astype(int), (200, 100, 50), atol=6)


def test_silent_video(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    write_numbered(path, 30, 25)
    blocks, info = read(path)
    assert info.audio is None
    assert all(block.audio is None and not block.audio_valid.any() for block in blocks)
    assert sum(block.n_ticks for block in blocks) == 30


def write_sound(path: Path, codec: str, rate: int, cover: bool = False) -> None:
    with av.open(str(path), "w", format="mp4" if path.suffix == ".m4a" else None) as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="mono")
        picture: Any = None
        if cover:
            picture = out.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = Disposition.attached_pic
        sound = beeps(rate)
        resampler = av.AudioResampler(stream.codec_context.format.name, "mono", rate)
        packets = []
        for at in range(0, len(sound), 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, at : at + 1024], "flt", "mono")
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), at
            for ready in resampler.resample(frame):
                packets += stream.encode(ready)
        packets += stream.encode(None)
        if picture is not None:
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8))
            packets = [*picture.encode(frame), *picture.encode(None), *packets]
        for packet in packets:
            out.mux(packet)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 44_100),
        ("a.flac", "flac", 44_100),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.ogg", "libopus", 48_000),
        ("a.opus", "libopus", 48_000),
        ("a.m4a", "aac", 44_100),
        ("a.wav", "pcm_f32le", 8_000),
    ],
)
def test_sound_files(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = tmp_path / name
    write_sound(path, codec, rate)
    blocks, info = read(path)
    assert info.video is None and info.audio is not None
    assert info.audio.sample_rate == rate
    assert all(block.frames is None and not block.frame_valid.any() for block in blocks)
    assert np.isnan(blocks[0].frame_pts_s).all()
    found = onsets(np.concatenate([block.audio for block in blocks if block.audio is not None]))
    np.testing.assert_allclose(found, BEEPS_S, atol=0.002)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.flac", "flac")])
def test_cover_art_is_not_a_video(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    write_sound(path, codec, 44_100, cover=True)
    with av.open(str(path)) as raw:
        assert raw.streams.video, "the film was made without its cover"
    blocks, info = read(path)
    assert info.video is None
    assert blocks[0].frames is None


def test_badly_interleaved_file_is_read_in_flat_memory(tmp_path: Path) -> None:
    """All of the picture before all of the sound."""
    path = tmp_path / "apart.mkv"
    with av.open(str(path), "w", options={"max_interleave_delta": "1"}) as out:
        stream: Any = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        voice: Any = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        late = []
        for number in range(500):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((240, 320, 3), number % 250, np.uint8))))
            frame = av.AudioFrame.from_ndarray(np.full((1, 640), number % 100 * 300, np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, number * 640
            late += voice.encode(frame)
        for packet in late:
            out.mux(packet)
    for block in read(path)[0]:
        assert block.audio is not None and block.frame_valid.all() and block.audio_valid.all()
        numbers = block.start_tick + np.arange(block.n_ticks)
        np.testing.assert_array_equal(block.frame_index, numbers)
        np.testing.assert_allclose(block.audio[::640][: block.n_ticks], numbers % 100 * 300 / 32768, atol=1e-4)


def _open_descriptors() -> set[str]:
    return {
        os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")
    }


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_nothing_is_left_behind(film: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing of value" * 100)
    read(film)
    gc.collect()
    before, children, count = _open_descriptors(), _children(), len(os.listdir("/proc/self/fd"))
    shared = set(os.listdir("/dev/shm")) if Path("/dev/shm").exists() else set()
    for _ in range(2):
        read(film)
        with open_media(film) as media:
            next(media.blocks())
        forgotten = open_media(film)
        next(iter(forgotten.blocks()))
        del forgotten
        with pytest.raises(MediaError):
            open_media(bad)
    gc.collect()
    assert _children() == children
    assert len(os.listdir("/proc/self/fd")) == count, _open_descriptors() - before
    if shared or Path("/dev/shm").exists():
        assert not {name for name in os.listdir("/dev/shm") if "avdetect" in name} - shared


def test_decoder_ends_with_its_parent(film: Path) -> None:
    code = (
        "import os, sys\n"
        "from avdetect.media.reader import open_media\n"
        "media = open_media(sys.argv[1])\n"
        "print(media.decoder_pid, flush=True)\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(film)], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
            return
        time.sleep(0.05)
    pytest.fail("the decoder outlived its parent")


def test_decoder_stays_small_and_starts_fast() -> None:
    code = (
        "import sys, time; t = time.process_time(); import avdetect.media.worker; used = time.process_time() - t\n"
        "import json; print(json.dumps([used, sorted(m for m in sys.modules if '.' not in m)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    used, modules = json.loads(done.stdout)
    assert not {"jax", "jaxlib", "flax", "scipy", "librosa", "numba", "cv2", "jaxtyping", "moviepy"} & set(modules)
    assert used < 1.0


def test_memory_is_flat_in_the_length_of_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (500, 4000):
        path = tmp_path / f"{count}.mkv"
        write_numbered(path, count, 25, size=256, sound=True)
        with open_media(path) as media:
            peak = 0
            for block in media.blocks():
                assert block.n_ticks
                if block.start_tick % 160 == 0:
                    status = Path(f"/proc/{media.decoder_pid}/status").read_text()
                    peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
        peaks.append(peak / 1024)
    assert peaks[1] < peaks[0] + 25
    assert peaks[1] < 300


@pytest.mark.slow
def test_two_hours_pass_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.mkv"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        voice: Any = out.add_stream("pcm_s16le", rate=8_000, layout="mono")
        for number in range(2 * 3600 * 5):
            if number % 5 == 0:
                frame = av.AudioFrame.from_ndarray(np.full((1, 8_000), number % 3000, np.int16), "s16", "mono")
                frame.sample_rate, frame.pts = 8_000, number // 5 * 8_000
                out.mux(voice.encode(frame))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), number % 250, np.uint8))))
        out.mux(stream.encode(None))
    ticks, early, late = 0, 0, 0
    with open_media(path) as media:
        for block in media.blocks():
            ticks += block.n_ticks
            assert block.audio_valid.all() and block.frame_valid.all()
            if block.start_tick % 16_000 == 0:
                late = int(Path(f"/proc/{media.decoder_pid}/status").read_text().split("VmHWM:")[1].split()[0])
                early = early or (late if block.start_tick else 0)
    assert ticks == 2 * 3600 * 25
    assert late < early + 20_000


def test_decoder_waits_for_a_slow_reader(film: Path) -> None:
    with open_media(film, block_ticks=2) as media:
        blocks = media.blocks()
        next(blocks)
        time.sleep(1.0)
        used = _processor_seconds(media.decoder_pid)
        time.sleep(0.5)
        assert _processor_seconds(media.decoder_pid) - used <= 0.05
        assert sum(block.n_ticks for block in blocks) == 53


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_wrong_use(film: Path) -> None:
    with pytest.raises(ValueError, match="block_ticks is 0"):
        open_media(film, block_ticks=0)
    with pytest.raises(ValueError, match="both off"):
        open_media(film, picture=False, sound=False)
    with open_media(film) as media:
        list(media.blocks())
        with pytest.raises(RuntimeError, match="can be read once"):
            next(media.blocks())


def test_nothing_of_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    write_numbered(path, 5, 25)
    with pytest.raises(MediaError, match="nothing of what was asked for"):
        open_media(path, picture=False)
