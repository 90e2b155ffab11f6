"""Damaged, mislabelled and malicious files: one clear error about that file, and the caller lives."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avdetect.media.demux import ALLOWED_DEMUXERS
from avdetect.media.errors import MediaError
from avdetect.media.limits import Limits
from avdetect.media.probe import probe
from avdetect.media.reader import open_media
from tests.media.flash_beep import make_film


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_film(path, video_codec="libx264", audio_codec="aac")
    return path


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that does not fit into the slots of the ring: a minute of noise in small pictures."""
    path = tmp_path_factory.mktemp("film") / "long.mkv"
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "25"})
        stream.width = stream.height = 64
        for _ in range(1500):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        out.mux(stream.encode(None))
    return path


def read(path: Path, **kwargs) -> tuple[int, list[str]]:
    with open_media(path, **kwargs) as media:
        ticks = sum(block.n_ticks for block in media.blocks())
    return ticks, media.warnings


def failure(path: Path | str, **kwargs) -> MediaError:
    with pytest.raises(MediaError) as caught:
        read(Path(path), **kwargs)
    assert str(path) in str(caught.value)
    assert caught.value.cause
    return caught.value


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_missing(tmp_path: Path) -> None:
    assert "no such file" in failure(tmp_path / "none.mp4").cause


def test_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert failure(path).cause == "the file is empty"


def test_folder(tmp_path: Path) -> None:
    assert failure(tmp_path).cause == "it is a folder"


def test_fifo_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo.mp4"
    os.mkfifo(path)
    started = time.monotonic()
    assert failure(path).cause == "it is not a regular file"
    assert time.monotonic() - started < 5


def test_device() -> None:
    assert failure("/dev/zero").cause == "it is not a regular file"


def test_path_with_a_null_byte() -> None:
    with pytest.raises(MediaError):
        probe("film\0.mp4")


def test_name_that_looks_like_an_address_is_a_name(tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "concat:film%03d.mp4|other"
    Path(name).write_bytes(film.read_bytes())
    assert probe(name).video is not None


def test_text_named_mp4(tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("To be, or not to be, that is the question.\n" * 200)
    assert "not a media file" in failure(path).cause


def test_video_named_as_a_picture(tmp_path: Path, film: Path) -> None:
    path = tmp_path / "film.jpg"
    path.write_bytes(film.read_bytes())
    info = probe(path)
    assert info.video is not None and not info.video.is_still
    assert info.audio is not None
    assert read(path)[0] == 55


def test_picture_named_as_a_video(tmp_path: Path) -> None:
    path = tmp_path / "picture.mp4"
    write_picture(path, "mjpeg", "yuvj420p")
    info = probe(path)
    assert info.video is not None and info.video.is_still
    assert read(path)[0] == 1


def write_picture(path: Path, codec: str, pixels: str, width: int = 32, height: int = 24) -> None:
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = width, height, pixels
    context.time_base = Fraction(1)
    frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 200, np.uint8)).reformat(format=pixels)
    frame.pts = 0
    data = b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
    path.write_bytes(data)


def test_truncated_without_its_index(tmp_path: Path, film: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(film.read_bytes()[:2000])
    assert "not a media file" in failure(path).cause


def test_truncated_with_its_index_gives_what_is_there(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    make_film(whole, video_codec="mjpeg", audio_codec="aac", options={"movflags": "faststart"})
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    ticks, warnings = read(path)
    assert 20 <= ticks <= 54
    assert ticks < read(whole)[0]
    assert warnings


def test_damage_in_the_middle_does_not_lose_the_rest(tmp_path: Path, long_film: Path) -> None:
    data = bytearray(long_film.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = os.urandom(3000)
    path = tmp_path / "damaged.mkv"
    path.write_bytes(data)
    with open_media(path) as media:
        blocks = list(media.blocks())
    assert sum(block.n_ticks for block in blocks) == 1500
    assert blocks[-1].frame_valid.all()
    assert media.warnings


@pytest.mark.parametrize("extension", ["mp4", "mkv", "avi"])
def test_streams_of_no_length(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"nothing.{extension}"
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        out.add_stream("mp2", rate=48_000)
        out.start_encoding()
    cause = failure(path).cause
    assert any(
        words in cause for words in ("nothing in it can be decoded", "it ends before", "no picture and no sound")
    )


def test_sound_of_no_length(tmp_path: Path) -> None:
    path = tmp_path / "nothing.wav"
    with av.open(str(path), "w") as out:
        out.add_stream("pcm_s16le", rate=16_000)
        out.start_encoding()
    assert failure(path).cause == "nothing in it can be decoded"


def test_one_pixel(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    write_picture(path, "png", "rgb24", 1, 1)
    with open_media(path) as media:
        (block,) = media.blocks()
    assert block.frames is not None
    assert block.frames.shape == (1, 1, 1, 3)
    assert block.frames[0, 0, 0].tolist() == [200, 200, 200]


def test_eight_channels(tmp_path: Path) -> None:
    path = tmp_path / "eight.mkv"
    make_film(path, video_codec="libx264", audio_codec="flac", layout="7.1")
    info = probe(path)
    assert info.audio is not None and info.audio.channels == 8
    assert read(path)[0] == 55


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (20_000, 20_000)])
def test_picture_bomb(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(width, height))
    assert f"picture of {width}x{height} px is over the limit" in failure(path).cause


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.2,\n{0}\n#EXT-X-ENDLIST\n",
    "hls_file": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.2,\nfile://{0}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{0}'\n",
    "dash": """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
      profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" mediaPresentationDuration="PT2S"><Period>
      <AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>{0}</BaseURL>
      </Representation></AdaptationSet></Period></MPD>""",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("extension", ["mp4", "m3u8"])
def test_playlist_opens_no_other_file(tmp_path: Path, kind: str, extension: str) -> None:
    other = tmp_path / "secret.ts"
    make_film(other, video_codec="libx264", audio_codec="aac")
    os.utime(other, ns=(0, 0))
    path = tmp_path / f"list.{extension}"
    path.write_text(PLAYLISTS[kind].format(other))
    error = failure(path)
    assert "refused" in error.cause or "not a media file" in error.cause
    # The other file was not read: reading sets the time of access, which lies before that of the last change.
    assert other.stat().st_atime_ns == 0


def test_access_times_would_show_a_read(tmp_path: Path) -> None:
    """The proof above needs a file system that keeps access times."""
    path = tmp_path / "read.ts"
    path.write_bytes(b"x")
    os.utime(path, ns=(0, 0))
    path.read_bytes()
    if path.stat().st_atime_ns == 0:
        pytest.skip("this file system keeps no access times: the test of playlists proves less")


def test_no_demuxer_that_opens_other_files_is_allowed() -> None:
    opens_others = {"hls", "applehttp", "concat", "dash", "image2", "image2pipe", "sdp", "rtsp", "imf", "lavfi", "tee"}
    assert not opens_others & set(ALLOWED_DEMUXERS)
    assert all(av.ContainerFormat(name, "r").is_input for name in ALLOWED_DEMUXERS)


def test_the_decoder_can_open_nothing_more(film: Path, tmp_path: Path) -> None:
    """The limit on open files holds by itself, whatever a demuxer tries."""
    code = (
        "import sys\n"
        "from avdetect.media.confine import allow_opens, confine, forbid_opens\n"
        "from avdetect.media.limits import Limits\n"
        "confine(Limits())\n"
        "with allow_opens(2):\n"
        "    kept = [open(sys.argv[1]), open(sys.argv[1])]\n"
        "    try: open(sys.argv[1]); sys.exit('third')\n"
        "    except OSError: pass\n"
        "forbid_opens()\n"
        "try: open(sys.argv[1]); sys.exit('after')\n"
        "except OSError: pass\n"
        "try:\n"
        "    with allow_opens(1): sys.exit('reopened')\n"
        "except (OSError, ValueError): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(film)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_is_imported_from_the_current_folder(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("av", "numpy", "soxr", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('code of the current folder was run')")
    monkeypatch.chdir(tmp_path)
    assert read(film)[0] == 55


def test_too_many_streams(tmp_path: Path, film: Path) -> None:
    assert "streams" in failure(film, limits=Limits(streams=1)).cause


def test_too_many_frames(film: Path) -> None:
    assert failure(film, limits=Limits(frames=20)).cause == "more than 20 pictures"


def test_too_long(film: Path) -> None:
    assert "longer than the limit of 1 s" in failure(film, limits=Limits(duration_s=1.0), block_ticks=4).cause


def test_too_many_pixels(film: Path) -> None:
    assert failure(film, limits=Limits(frame_pixels=1000)).cause == "picture of 64x48 px is over the limit of 1000 px"


def test_too_little_memory(film: Path) -> None:
    error = failure(film, limits=Limits(memory_bytes=1 << 20))
    assert "memory" in error.cause.lower() or "limit of 1 MiB" in f"{error.cause} {error.hint}"


def test_killed_decoder(long_film: Path) -> None:
    with open_media(long_film) as media:
        blocks = media.blocks()
        next(blocks)
        os.kill(media.decoder_pid, signal.SIGKILL)
        with pytest.raises(MediaError, match=r"long\.mkv: the decoder was killed by signal 9 \(SIGKILL\)"):
            for _ in blocks:
                pass


def test_crashed_decoder(long_film: Path) -> None:
    with open_media(long_film) as media:
        blocks = media.blocks()
        next(blocks)
        os.kill(media.decoder_pid, signal.SIGSEGV)
        with pytest.raises(MediaError, match=r"killed by signal 11 \(SIGSEGV\)"):
            for _ in blocks:
                pass


def test_hanging_decoder(long_film: Path) -> None:
    with open_media(long_film) as media:
        blocks = media.blocks()
        next(blocks)
        media._process._limits = Limits(stall_s=1.5)  # shorter than a start on a busy machine
        pid = media.decoder_pid
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(MediaError, match=r"no data for 1\.5 s"):
            for _ in blocks:
                pass
    assert time.monotonic() - started < 30
    assert not Path(f"/proc/{pid}").exists()


def test_wall_clock(long_film: Path) -> None:
    assert "longer than the limit of 0.01 s" in failure(long_film, limits=Limits(wall_s=0.01)).cause


def test_processor_time(long_film: Path) -> None:
    """A decoder that spins is killed by the system; here it is told to spin by a limit of one second."""
    with open_media(long_film, limits=Limits(cpu_s=1.0)) as media:
        os.kill(media.decoder_pid, signal.SIGXCPU)
        with pytest.raises(MediaError, match="more than 1 s of processor time"):
            list(media.blocks())


def test_slow_caller_is_not_a_stall(long_film: Path) -> None:
    with open_media(long_film, limits=Limits(stall_s=8.0, wall_s=20.0)) as media:
        blocks = media.blocks()
        next(blocks)
        media._process._waited = 0.0
        time.sleep(0.5)
        assert sum(block.n_ticks for block in blocks) == 1500 - 16
        assert media._process._waited < 20.0


def test_the_batch_goes_on(tmp_path: Path, film: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(os.urandom(5000))
    got = []
    for path in (film, bad, film):
        try:
            got.append(read(path)[0])
        except MediaError as error:
            got.append(error.path)
    assert got == [55, str(bad), 55]


def test_fuzzed_files_never_hurt_the_caller(tmp_path: Path, film: Path) -> None:
    original = film.read_bytes()
    rng = np.random.default_rng(7)
    for number in range(6):
        data = bytearray(original)
        for at in rng.integers(0, len(data), 40):
            data[at] = rng.integers(0, 256)
        path = tmp_path / f"fuzz{number}.mp4"
        path.write_bytes(data)
        try:
            assert read(path)[0] > 0
        except MediaError as error:
            assert "makes no sense" not in str(error)
            assert "status" not in error.cause
