"""What a file has beside the picture and the sound that are moved: further sound, subtitles, tags.

A container takes of it what it can hold; the rest is named, so that nothing is lost in silence.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.error import FFmpegError
from av.stream import Discard, Disposition

from avdetect.media.demux import Opened, codec_name

_OF_THE_CONTAINER = frozenset("major_brand minor_version compatible_brands encoder duration".split())
"""Tags that describe the old container; the new one writes its own."""
_CARRIED = ("audio", "subtitle")
_WORDS = {"audio": "sound track", "video": "picture track", "subtitle": "subtitles", "attachment": "attachment"}


def carry_file_tags(opened: Opened, target: Any) -> None:
    """Copy the tags of a file and of its chosen picture and sound: title, language, date.

    Args:
        opened: the source.
        target: the container to write, whose first two streams are the picture and the sound.
    """
    _copy_tags(opened.container, target)
    for source, out in zip((opened.video, opened.audio), target.streams, strict=True):
        _copy_tags(source, out)
        out.disposition = source.disposition


def carry_streams(
    opened: Opened, target: Any, shift: Fraction, *, bare: bool
) -> tuple[dict[int, tuple[Any, Fraction]], list[str]]:
    """Add the streams of a source that were not chosen to a target.

    Args:
        opened: the source.
        target: the container to write; nothing may have been written yet.
        shift: seconds by which sound is moved against the picture; all sound is moved alike, subtitles stay with the
            picture.
        bare: carry none of them.

    Returns:
        For each stream carried, by its number in the source, the stream to write and the seconds to add; and in words
        what is left out.
    """
    carried: dict[int, tuple[Any, Fraction]] = {}
    left_out: list[str] = []
    for stream in opened.container.streams:
        if stream in (opened.video, opened.audio):
            continue
        out = None if bare else _like(stream, target)
        if out is None:
            left_out.append(_in_words(stream))
            continue
        _copy_tags(stream, out)
        out.disposition = stream.disposition
        stream.discard = Discard.default
        carried[stream.index] = (out, max(shift if stream.type == "audio" else -shift, Fraction(0)))
    if opened.container.chapters():
        left_out.append("its chapters")
    return carried, left_out


def _like(stream: Any, target: Any) -> Any:
    """A stream of the target for the same packets; ``None`` if it cannot hold them."""
    if stream.type not in _CARRIED or stream.codec_context is None:
        return None
    if codec_name(stream) not in target.supported_codecs:
        return None
    try:
        return target.add_stream_from_template(stream, opaque=True)
    except (FFmpegError, ValueError):
        return None


def _copy_tags(source: Any, out: Any) -> None:
    out.metadata.update({k: v for k, v in source.metadata.items() if k.lower() not in _OF_THE_CONTAINER})


def _in_words(stream: Any) -> str:
    what = "cover picture" if stream.disposition & Disposition.attached_pic else _WORDS.get(stream.type, "data stream")
    codec = "" if stream.codec_context is None else codec_name(stream)
    tags = ", ".join(text for text in (codec, stream.metadata.get("language", "")) if text)
    return f"its {what} {stream.index}" + (f" ({tags})" if tags else "")
