"""The columns of ``index.parquet`` that this package writes, each with its type and what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from avdetect.data.sample import read_segments, write_segments
from avdetect.types import TICK_RATE, Segment

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "key": (_TEXT, "name of the clip: `path#track@first tick`"),
    "path": (_TEXT, "the file, as the manifest or data set names it"),
    "shard": (_WHOLE, "number of the ArrayRecord file"),
    "row": (_WHOLE, "number of the record in it"),
    "split": (_TEXT, "`train`, `val`, what the manifest fixes (`dev`, `test`), or `excluded`"),
    "split_reason": (_TEXT, "why a clip is excluded"),
    "fold": (_WHOLE, "0 to 9, fixed by the group"),
    "group": (_TEXT, "clips of one group are never on two sides of a split"),
    "identity": (_TEXT, "person, unique within the source"),
    "source": (_TEXT, "data set"),
    "source_video": (_TEXT, "genuine recording that it was made or cut from"),
    "pair": (_TEXT, "file of the same material: what it was made from"),
    "label": (_TEXT, "`RVRA`, `FVRA`, `RVFA`, `FVFA`, or one half; of this clip, not of the file"),
    "visual_fake": (_TEXT, "`1`, `0`, or nothing where it is not known; of this clip"),
    "audio_fake": (_TEXT, "the same for the sound"),
    "generator": (_TEXT, "method of the forgery; nothing for a genuine clip"),
    "segments": (_TEXT, "JSON list of `[start_s, end_s, kind]`: forged stretches, seconds from the clip's start"),
    "track_id": (_WHOLE, "number of the face in the file, -1 for sound alone"),
    "start_tick": (_WHOLE, "where the clip begins in the file, ticks of 40 ms"),
    "ticks": (_WHOLE, "length, ticks"),
    "duration_s": (_REAL, "length, seconds"),
    "visible": (_REAL, "share of ticks on which the face was found"),
    "size_px": (_REAL, "median distance of the outer eye corners, pixels"),
    "light": (_REAL, "median brightness of the face, 0 to 1"),
    "sharpness": (_REAL, "median variance of the Laplacian of the face, times 1e4"),
    "yaw_deg": (_REAL, "median turn of the head, degrees"),
    "presence": (_REAL, "median probability that there is a face, of the mesh network"),
    "speech": (_REAL, "share of ticks with speech (Silero)"),
    "raw_offset_ms": (_REAL, "sound minus picture as found in the file, milliseconds, positive = sound is late"),
    "raw_offset_confidence": (_REAL, "peak over median of the lag curve, similarity units"),
    "raw_offset_sharpness": (_REAL, "the same in standard errors; below 2 it is chance"),
    "container": (_TEXT, "format of the file"),
    "video_codec": (_TEXT, "of the picture stream"),
    "media_width": (_WHOLE, "pixels, as displayed"),
    "media_height": (_WHOLE, "pixels, as displayed"),
    "media_fps": (_REAL, "frames a second"),
    "audio_codec": (_TEXT, "of the sound stream"),
    "audio_rate": (_WHOLE, "samples a second in the file"),
    "audio_channels": (_WHOLE, "channels in the file"),
    "media_bytes": (_WHOLE, "size of the file"),
    "media_duration_s": (_REAL, "length that the container states, seconds"),
    "media_kbps": (_REAL, "size over length, kbit/s"),
    "loudness_dbfs": (_REAL, "root mean square of the sound, dB below full scale"),
    "loudness_lufs": (_REAL, "integrated loudness (BS.1770-4) of the 16 kHz mono sound"),
    "leading_silence_s": (_REAL, "seconds before the first sample above 5e-4"),
    "sha256": (_TEXT, "of the file"),
    "picture_hash": (_TEXT, "256 bits: perceptual hash of four face crops"),
    "sound_hash": (_TEXT, "256 bits: fingerprint of the sound"),
}
"""Manifest columns of other names are carried along; of these names, those that are measured are replaced."""

_LEAST_OVERLAP_S = 0.5 / TICK_RATE
_LEAST_OFFSET_MS = 1e-6
_YES, _NO = frozenset({"1", "true", "yes", "fake"}), frozenset({"0", "false", "no", "real"})


def flag(value: object) -> bool | None:
    """A manifest's yes or no; ``None`` for anything else."""
    word = str(value).strip().lower().removesuffix(".0")
    return True if word in _YES else False if word in _NO else None


def label_columns(columns: Mapping[str, Any], *, start_s: float, duration_s: float) -> dict[str, Any]:
    """Label, flags, generator and segments of a clip from what is known of its file.

    Where the file's forged stretches are known, a clip that none of them touches is genuine, in each of picture and
    sound for itself. A kind without a stretch of its own is forged as a whole, if it is forged.

    Args:
        columns: of the manifest.
        start_s: where the clip begins in the file.
        duration_s: its length.

    Raises:
        ValueError: the ``segments`` cannot be read.
    """
    label = str(columns.get("label") or "")
    given = columns.get("segments")
    whole = read_segments(given if given is None or isinstance(given, str) else json.dumps(given))
    here = tuple(_inside(whole, start_s, duration_s))
    out: dict[str, Any] = {"segments": write_segments(here) or None}
    known = False
    for name, kind, letter in (("visual_fake", "visual", "V"), ("audio_fake", "audio", "A")):
        fake = flag(columns.get(name))
        if fake is None:
            fake = True if f"F{letter}" in label else False if f"R{letter}" in label else None
        if fake and any(s.kind == kind for s in whole):
            fake = any(s.kind == kind for s in here)
        out[name] = None if fake is None else str(int(fake))
        known |= fake is not None
    four_way = "".join(("F" if out[n] == "1" else "R") + c for n, c in _HALVES if out[n] is not None)
    out["label"] = four_way if known else label or None
    forged = "1" in (out["visual_fake"], out["audio_fake"]) or bool(here) or not (known and whole)
    out["generator"] = columns.get("generator") if forged else None
    return out


def in_sync(row: Mapping[str, Any]) -> bool:
    """Whether nothing says that a clip's sound was moved, stretched or put in from elsewhere.

    A picture and a voice that are genuine each for itself may have been moved against each other on purpose
    (`avdetect.forge.timing`, `avdetect.forge.sound_swap`). What was measured of a file as it is (``raw_offset_ms``)
    says nothing of that.

    Args:
        row: of the index: its ``segments`` are of the clip, its ``offset_ms`` is what the manifest states.

    Raises:
        ValueError: either cannot be read.
    """
    stated = row.get("offset_ms") or 0.0
    try:
        moved = abs(float(stated)) > _LEAST_OFFSET_MS
    except ValueError:
        raise ValueError(f"{row.get('key')}: offset_ms must be a number of milliseconds, not {stated!r}") from None
    return not moved and not any(s.kind == "sync" for s in read_segments(row.get("segments")))


_HALVES = (("visual_fake", "V"), ("audio_fake", "A"))


def _inside(segments: tuple[Segment, ...], start_s: float, duration_s: float) -> list[Segment]:
    found = []
    for s in segments:
        low, high = max(0.0, s.start_s - start_s), min(duration_s, s.end_s - start_s)
        if high - low >= _LEAST_OVERLAP_S:
            found.append(Segment(low, high, s.kind))
    return found
