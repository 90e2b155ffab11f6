"""Media file -> tracks -> clips: one face track and the sound under it, cut on one clock."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from avdetect.faces.tracker import FaceTracker
from avdetect.media.limits import Limits
from avdetect.media.reader import open_media
from avdetect.types import SAMPLES_PER_TICK, Clip, FaceTrack, MediaInfo, Quality

PER_TICK = ("faces", "mouths", "landmarks", "visible", "boxes", "matrices", "mouth_centres")
"""Arrays of a track with one row a tick."""


def join_pieces(pieces: list[FaceTrack]) -> FaceTrack:
    """Consecutive pieces of one track as one.

    Raises:
        ValueError: the pieces are of different tracks or do not follow each other.
    """
    first, tick = pieces[0], pieces[0].start_tick
    for piece in pieces:
        if piece.track_id != first.track_id or piece.start_tick != tick:
            raise ValueError(f"pieces of track {first.track_id} do not follow each other at tick {tick}")
        tick += piece.n_ticks
    if len(pieces) == 1:
        return first

    def joined(name: str) -> np.ndarray | None:
        parts = [getattr(p, name) for p in pieces]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    quality = {
        f.name: np.concatenate([getattr(p.quality, f.name) for p in pieces]) for f in dataclasses.fields(Quality)
    }
    arrays: dict[str, Any] = {name: joined(name) for name in PER_TICK}
    return dataclasses.replace(first, quality=Quality(**quality), ended=pieces[-1].ended, **arrays)


def cut_track(track: FaceTrack, start: int, stop: int) -> FaceTrack:
    """Ticks ``start`` to ``stop`` of a track, counted from its own beginning."""
    part = slice(start, stop)
    quality = Quality(**{f.name: getattr(track.quality, f.name)[part] for f in dataclasses.fields(Quality)})
    arrays = {n: None if getattr(track, n) is None else getattr(track, n)[part] for n in PER_TICK}
    ended = track.ended and stop >= track.n_ticks
    return dataclasses.replace(track, start_tick=track.start_tick + start, quality=quality, ended=ended, **arrays)


def cut_clip(clip: Clip, start: int, stop: int) -> Clip:
    """Ticks ``start`` to ``stop`` of a clip; its label stays as it is."""
    return dataclasses.replace(
        clip,
        track=None if clip.track is None else cut_track(clip.track, start, stop),
        audio=None if clip.audio is None else clip.audio[start * SAMPLES_PER_TICK : stop * SAMPLES_PER_TICK],
        audio_valid=clip.audio_valid[start:stop],
    )


def read_clips(path: str | Path, *, limits: Limits | None = None) -> tuple[MediaInfo, list[Clip]]:
    """Every clip of a media file, in memory: for short files; `avdetect.inference` streams long ones.

    Args:
        path: the file.
        limits: decoding limits.

    Returns:
        What probing found, and one clip for each face track in order of appearance; one clip without a track when
        there is sound but no face; none when there is neither.

    Raises:
        MediaError: the file cannot be read.
    """
    tracker = FaceTracker()
    pieces: dict[int, list[FaceTrack]] = {}
    sound: list[np.ndarray] = []
    covered: list[np.ndarray] = []
    with open_media(path, limits=limits or Limits()) as reader:
        for block in reader.blocks():
            if block.audio is not None:
                sound.append(block.audio)
                covered.append(block.audio_valid)
            if block.frames is not None:
                found = tracker.push(
                    block.frames, block.frame_valid, block.frame_index, block.frame_pts_s, block.start_tick
                )
                _collect(pieces, found)
        _collect(pieces, tracker.finish())
        info = reader.info
    audio = np.concatenate(sound) if sound else None
    valid = np.concatenate(covered) if covered else None
    tracks = [join_pieces(pieces[i]) for i in sorted(pieces)]
    clips = [clip_of(track, audio, valid) for track in tracks]
    if not clips and audio is not None and valid is not None:
        clips = [Clip(track=None, audio=audio, audio_valid=valid)]
    return info, clips


def _collect(pieces: dict[int, list[FaceTrack]], found: list[FaceTrack]) -> None:
    for piece in found:
        pieces.setdefault(piece.track_id, []).append(piece)


def clip_of(track: FaceTrack, audio: np.ndarray | None, valid: np.ndarray | None) -> Clip:
    """A track with the sound of its own ticks; where the sound has ended, zeros that are marked as not covered."""
    n = track.n_ticks
    if audio is None or valid is None:
        return Clip(track=track, audio=None, audio_valid=np.zeros(n, bool))
    samples = np.zeros(n * SAMPLES_PER_TICK, np.float32)
    mask = np.zeros(n, bool)
    piece = audio[track.start_tick * SAMPLES_PER_TICK : (track.start_tick + n) * SAMPLES_PER_TICK]
    samples[: len(piece)] = piece
    ticks = valid[track.start_tick : track.start_tick + n]
    mask[: len(ticks)] = ticks
    return Clip(track=track, audio=samples, audio_valid=mask)


def split_long(clip: Clip, max_ticks: int) -> Iterator[Clip]:
    """A clip in consecutive pieces of at most ``max_ticks`` (the last two share what is left evenly)."""
    n = clip.n_ticks
    parts = max(1, -(-n // max_ticks))
    edges = [round(i * n / parts) for i in range(parts + 1)]
    for start, stop in itertools.pairwise(edges):
        yield cut_clip(clip, start, stop)
