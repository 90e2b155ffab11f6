"""Copies of films as people share them: smaller pictures, H.264 at a high rate factor, thin AAC.

Faces are found anew in them, at the size that is left. That is what no change of finished crops imitates: on a small
face the mesh itself trembles.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import imageio_ffmpeg
import numpy as np

from avdetect.data.sample import read_segments, write_segments
from avdetect.media.errors import MediaError
from avdetect.types import TICK_RATE, Segment

TIMEOUT_S = 300
SHARED = ("source", "source_video", "group", "split", "split_reason", "fold")
"""Columns that are as true of a copy as of every clip of its original."""


@dataclass(frozen=True)
class Sharing:
    """How a film is coded again.

    Attributes:
        crf: rate factor of H.264, 0 to 51, higher = worse.
        share: of each side that is left.
        kbps: of the sound, mono AAC.
    """

    crf: int
    share: float
    kbps: int


def drawn_sharing(name: str, number: int, *, seed: int) -> Sharing:
    """From hardly changed to hardly to be followed; fixed by the file's name, the number of the copy and the seed."""
    digest = hashlib.sha256(f"share/{seed}/{number}/{name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    return Sharing(
        crf=int(rng.integers(24, 43)),
        share=round(float(np.exp(rng.uniform(np.log(0.4), 0.0))), 3),
        kbps=int(rng.choice([12, 16, 24, 32, 48, 64])),
    )


def compress(source: Path, target: Path, how: Sharing) -> None:
    """Code a film again.

    Args:
        source: any video.
        target: ends in ``.mp4``.
        how: with which loss.

    Raises:
        MediaError: it cannot be coded.
    """
    even = f"trunc(iw*{how.share}/2)*2:trunc(ih*{how.share}/2)*2"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", "-protocol_whitelist", "file",
        "-i", str(source.resolve()), "-vf", f"scale={even}", "-c:v", "libx264", "-crf", str(how.crf),
        "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "1", "-b:a", f"{how.kbps}k", str(target),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise MediaError(source, f"coding it again takes more than {TIMEOUT_S} s") from None
    if done.returncode:
        raise MediaError(source, f"it cannot be coded again ({done.stderr.strip()[-300:]})")


def copy_name(name: str, how: Sharing) -> str:
    """``talks/a.mkv`` -> ``talks/a.mkv.crf31-x0.62-24k.mp4``: in the same folder, so that conditions on names hold."""
    film = PurePosixPath(name)
    return str(film.with_name(f"{film.name}.crf{how.crf}-x{how.share:g}-{how.kbps}k.mp4"))


def copy_row(clips: Sequence[Mapping[str, Any]], how: Sharing) -> dict[str, Any]:
    """Row of the manifest of copies.

    Args:
        clips: rows of an index: all clips of the original.
        how: it was coded.
    """
    first = clips[0]
    visual, audio = (_any_forged([row.get(name) for row in clips]) for name in ("visual_fake", "audio_fake"))
    stretches = tuple(s for row in clips for s in _in_the_film(row))
    return {
        "path": copy_name(first["path"], how),
        "label": first.get("label") if visual is audio is None else None,
        "visual_fake": visual,
        "audio_fake": audio,
        "generator": next((row["generator"] for row in clips if row.get("generator")), None),
        "segments": write_segments(stretches) or None,
        "identity": first.get("identity") or first["path"],
        **{name: first.get(name) for name in SHARED},
        "copy_of": first["path"],
        **asdict(how),
    }


def _any_forged(flags: Sequence[Any]) -> str | None:
    return next((flag for flag in ("1", "0") if flag in map(str, flags)), None)


def _in_the_film(row: Mapping[str, Any]) -> list[Segment]:
    """Forged stretches of a clip, in seconds of its film."""
    start = (row.get("start_tick") or 0) / TICK_RATE
    return [replace(s, start_s=start + s.start_s, end_s=start + s.end_s) for s in read_segments(row.get("segments"))]
