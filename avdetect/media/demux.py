"""Opening a container inside the decoder process: which formats are let in, and which streams are read.

Only demuxers of plain media files are allowed, by name and whatever the file's extension says; formats that name
other files or addresses (HLS, DASH, concat, image sequences, SDP and the like) are not. FFmpeg checks the list
before the demuxer reads a byte, and opens nothing but files; the process's own limit on open files stands behind it.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
from av.error import FFmpegError, InvalidDataError
from av.stream import Discard, Disposition

from avdetect.media.limits import Limits

if TYPE_CHECKING:
    from av.container import InputContainer

STILL_DEMUXERS = frozenset(
    "bmp_pipe gif_pipe jpeg_pipe jpegxl_pipe png_pipe ppm_pipe pgm_pipe tiff_pipe webp_pipe".split()
)
"""Demuxers of single pictures."""
_VIDEO_DEMUXERS = (
    "mov matroska avi mpeg mpegts mpegvideo h264 hevc av1 obu ivf m4v flv asf ogg gif apng mjpeg dv mxf nut rm "
    "yuv4mpegpipe vc1 h263 h261 nsv wtv"
)
_SOUND_DEMUXERS = "wav w64 flac mp3 aac ac3 eac3 aiff au caf amr amrnb amrwb ape wv tta dts truehd mlp voc g722 tak"
ALLOWED_DEMUXERS = (*_VIDEO_DEMUXERS.split(), *_SOUND_DEMUXERS.split(), *sorted(STILL_DEMUXERS))
"""FFmpeg's names of the formats that are read."""
_LEAPING = frozenset({"mpegts", "mpeg"})


class Refused(Exception):
    """The file cannot be read; ``args`` are the cause and the hint of the ``MediaError`` to raise."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause, hint)


@dataclass(frozen=True)
class Opened:
    """A container and the streams chosen in it (either may be ``None``, not both)."""

    container: InputContainer
    video: Any
    audio: Any
    complaints: tuple[str, ...]

    @property
    def name(self) -> str:
        """FFmpeg's name of the demuxer, as ``mov,mp4,m4a,3gp,3g2,mj2``."""
        return self.container.format.name

    @property
    def is_still(self) -> bool:
        """Whether the format holds a single picture."""
        return self.name in STILL_DEMUXERS

    @property
    def leaps(self) -> bool:
        """Whether the time base of the format may leap."""
        return self.name in _LEAPING


def open_container(descriptor: int, limits: Limits) -> Opened:
    """Open the file behind a descriptor and choose its streams.

    The file is opened through its descriptor, so its name cannot be taken for an address or a pattern.

    Raises:
        Refused: if FFmpeg cannot open it, its format is not allowed, or nothing in it can be decoded.
    """
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(ALLOWED_DEMUXERS),
        "max_streams": str(limits.streams),
        "max_pixels": str(limits.frame_pixels),
    }
    try:
        container = av.open(f"/dev/fd/{descriptor}", "r", options=options, metadata_errors="replace")
    except MemoryError:
        if any("max_streams" in line for line in _complaints()):  # FFmpeg's code for this is that of a lack of memory
            raise Refused(f"more than {limits.streams} streams", "raise Limits.streams") from None
        raise
    except (FFmpegError, ValueError) as error:
        raise _refusal(error) from error
    if len(container.streams) > limits.streams:
        raise Refused(f"{len(container.streams)} streams are over the limit of {limits.streams}")
    complaints: list[str] = []
    video = _choose(container.streams.video, "picture", complaints)
    audio = _choose(container.streams.audio, "sound", complaints)
    if video is None and audio is None:
        container.close()
        raise Refused("; ".join(complaints) or "no picture and no sound in it", "give a video, sound or image file")
    if video is not None:
        check_pixels(video.codec_context.width, video.codec_context.height, limits)
    for stream in container.streams:
        if stream is not video and stream is not audio:
            _discard(stream)
    return Opened(container, video, audio, tuple(complaints))


def read_only(opened: Opened, stream: Any) -> None:
    """Let the demuxer pass over every stream but one."""
    for other in (opened.video, opened.audio):
        if other is not None and other is not stream:
            _discard(other)


def codec_name(stream: Any) -> str:
    """FFmpeg's name of a stream's codec, as ``mp3`` or ``av1``, whichever decoder is used for it."""
    context = stream.codec_context
    return getattr(context.codec, "canonical_name", None) or context.name


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuse a picture that is too large.

    Raises:
        Refused: if ``width * height`` is over ``limits.frame_pixels``.
    """
    if width * height > limits.frame_pixels:
        raise _too_large(width, height, limits)


def nothing_decoded(limits: Limits, hint: str) -> Refused:
    """Why a file gave neither a picture nor a sound: a picture that FFmpeg found too large, or damage."""
    for line in reversed(_complaints()):
        if size := re.search(r"Picture size (\d+)x(\d+) (is invalid|exceeds)", line):
            return _too_large(int(size[1]), int(size[2]), limits)
    return Refused("nothing in it can be decoded", hint)


def count_complaints(since: int) -> tuple[int, int]:
    """Lines that FFmpeg wrote to standard error after byte ``since`` of it, and the byte to count from next time."""
    with contextlib.suppress(OSError):
        end = os.fstat(2).st_size
        return os.pread(2, max(0, end - since), since).count(b"\n"), end
    return 0, since


def last_complaint() -> str:
    """The last line that FFmpeg wrote to standard error, or an empty string."""
    lines = _complaints()
    return lines[-1].split("] ", 1)[-1].strip() if lines else ""


def _complaints() -> list[str]:
    with contextlib.suppress(OSError):
        size = os.fstat(2).st_size
        return os.pread(2, 4096, max(0, size - 4096)).decode(errors="replace").strip().splitlines()
    return []


def _too_large(width: int, height: int, limits: Limits) -> Refused:
    return Refused(
        f"picture of {width}x{height} px is over the limit of {limits.frame_pixels} px",
        "raise Limits.frame_pixels if the file is to be trusted",
    )


def _refusal(error: Exception) -> Refused:
    said = last_complaint()
    if "not on whitelist" in said:
        return Refused(
            "its format is not read (playlists, image sequences and rare formats are refused)",
            "convert it to mp4 or mkv",
        )
    text = getattr(error, "strerror", None) or str(error)
    if isinstance(error, EOFError):
        text = "it ends before its first picture or sound"
    elif isinstance(error, InvalidDataError):
        text = "not a media file, or damaged beyond reading"
    return Refused(text + (f" ({said})" if said else ""), "check that it plays elsewhere")


def _choose(streams: Any, what: str, complaints: list[str]) -> Any:
    """The default stream of a kind, else the largest; cover art and thumbnails do not count.

    That there are others is a complaint: a film of which only one sound was judged says nothing of the rest.
    """
    best, best_rank = None, None
    numbers: list[int] = []
    for stream in streams:
        if stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            continue
        numbers.append(stream.index)
        context = stream.codec_context
        if context is None:
            complaints.append(f"{what} stream {stream.index} has a codec that cannot be decoded")
            continue
        size = context.width * context.height if what == "picture" else min(context.channels, 2)
        rank = (size > 0, bool(stream.disposition & Disposition.default), size, -stream.index)
        if best_rank is None or rank > best_rank:
            best, best_rank = stream, rank
    if best is not None and len(numbers) > 1:
        which = f"number {numbers.index(best.index) + 1}"
        which += " (the default)" if best.disposition & Disposition.default else ""
        complaints.append(f"There are {len(numbers)} {what} tracks, and only {which} was judged.")
    return best


def _discard(stream: Any) -> None:
    stream.discard = Discard.all
