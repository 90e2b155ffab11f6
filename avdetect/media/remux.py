"""Copies of media files with the sound moved or replaced; the picture is never encoded again."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

from avdetect.media.errors import MediaError
from avdetect.media.limits import Limits
from avdetect.media.process import ConfinedProcess, open_regular

FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}
"""Containers written, by the extension of the destination: those that can express any offset of their streams."""


def remux_shifted(
    src: str | os.PathLike[str], dst: str | os.PathLike[str], shift_ms: float, *, limits: Limits | None = None
) -> list[str]:
    """Copy a file with its sound moved against its picture, by container timestamps only.

    Nothing is encoded again: the packets are copied. Further sound is moved alike, subtitles stay with the picture, and
    tags are kept, as far as the container of ``dst`` can hold them. For a positive shift the sound's timestamps grow,
    for a negative one the picture's do, because a timestamp below zero is cut off by players. MP4 and MOV express
    either as an edit list. The shift is exact to the time base of the container (1 ms in Matroska and WebM).

    Args:
        src: a file with a picture and a sound.
        dst: where to write; its extension names the container. It is replaced if it exists, but only once the copy
            is complete.
        shift_ms: milliseconds, positive = the sound comes later.
        limits: what reading ``src`` may cost.

    Returns:
        What ``src`` has and ``dst`` has not, in words ("its subtitles 2 (subrip, eng)").

    Raises:
        MediaError: if ``src`` cannot be read or lacks a stream, ``dst`` is ``src``, or the container of ``dst`` cannot
            hold the streams.
    """
    job = {"kind": "shift", "shift_s": shift_ms / 1000.0}
    try:
        return _run(job, [src], dst, limits or Limits())
    except MediaError as error:
        if not error.cause.startswith("cannot be written"):
            raise
    # It may be one of the further streams that the container cannot hold after all.
    return _run({**job, "bare": True}, [src], dst, limits or Limits())


def remux_replace_audio(
    video_src: str | os.PathLike[str],
    audio_src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    limits: Limits | None = None,
) -> None:
    """Copy a file with the sound of another one under its picture.

    The picture's packets are copied. The sound's are copied too if the container can hold them, and are otherwise
    encoded anew (Opus in WebM, AAC elsewhere). The starts of the two files are laid on each other; the
    sound ends with the picture.

    Args:
        video_src: the file that gives the picture.
        audio_src: the file that gives the sound.
        dst: where to write; its extension names the container.
        limits: what reading each file may cost.

    Raises:
        MediaError: if a file cannot be read or lacks its stream, ``dst`` is one of them, or the container of ``dst``
            cannot hold the picture.
    """
    _run({"kind": "replace"}, [video_src, audio_src], dst, limits or Limits())


def _run(
    job: dict[str, Any], sources: list[str | os.PathLike[str]], dst: str | os.PathLike[str], limits: Limits
) -> list[str]:
    target = Path(dst)
    form = FORMATS.get(target.suffix.lower())
    if form is None:
        raise MediaError(dst, f"no container is known for {target.suffix!r}", f"use one of {', '.join(FORMATS)}")
    for src in sources:
        if target.exists() and Path(src).exists() and target.samefile(src):
            raise MediaError(dst, "it is the source itself", "name another file to write")
    if not target.parent.is_dir():
        raise MediaError(dst, f"there is no folder {target.parent}", "make it first")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    descriptors: dict[str, int] = {}
    process: ConfinedProcess | None = None
    try:
        for number, src in enumerate(sources):
            descriptors[f"source{number}"] = open_regular(src)
        descriptors["target"] = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        process = ConfinedProcess("avdetect.media.remux_worker", sources[0], descriptors=descriptors, limits=limits)
        settings = {name: getattr(limits, name) for name in limits.__dataclass_fields__}
        process.send({**job, "limits": settings, "format": form, "names": [os.fspath(src) for src in sources]})
        while "done" not in (answer := process.receive()):
            pass
        os.replace(part, target)
        return [str(each) for each in answer.get("left_out", ())]
    except OSError as error:
        raise MediaError(dst, error.strerror or str(error), "check the folder and the space on the disk") from error
    finally:
        if process is not None:
            process.close()
        for descriptor in descriptors.values():
            os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
