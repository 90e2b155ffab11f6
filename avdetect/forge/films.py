"""Whole films: read with the face that speaks in them, forged by any family, written with what is true of them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avdetect.clips import clip_of, cut_clip, join_pieces
from avdetect.faces.tracker import FaceTracker
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.frames import Frames, Patch, draw_on_frames, paste_crops, patched
from avdetect.forge.views import PictureForge, apply
from avdetect.media.reader import open_media
from avdetect.media.write import write_clip
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK, TICK_RATE, Clip, FaceTrack, Label

FADE = SAMPLE_RATE // 200
"""Samples over which forged sound fades in and out at the ends of a stretch (5 ms), inside of it."""
SHORTEST_TICKS = 20
MAX_BYTES = 4 * 10**9
"""Most memory that the frames of one film may take."""


@dataclass(frozen=True)
class Film:
    """A film cut to the ticks of one clip.

    Attributes:
        clip: the most prominent face and the sound under it; ``track`` is ``None`` where no face was found.
        frames: pictures of the same ticks, or ``None`` without a picture stream. Patched and restored while writing.
    """

    clip: Clip
    frames: Frames | None


@dataclass(frozen=True)
class Forged:
    """What was done to a film.

    Attributes:
        patches: changes of its frames.
        audio: its sound now.
        label: what is true of it, seconds from its start.
    """

    patches: list[Patch]
    audio: np.ndarray | None
    label: Label


def read_film(path: Path, max_s: float, *, keep_frames: bool = True) -> Film:
    """The most prominent face of the first ``max_s`` seconds of a file, that is the largest that is seen longest.

    Args:
        path: the file.
        max_s: no more is read.
        keep_frames: also keep the frames of that face's ticks.

    Raises:
        CannotForge: there is neither a face nor sound, less than 0.8 s of them, or more than fits in memory.
        MediaError: the file cannot be read.
    """
    tracker, limit = FaceTracker(), round(max_s * TICK_RATE)
    found: dict[int, list[FaceTrack]] = {}
    sound: list[np.ndarray] = []
    covered: list[np.ndarray] = []
    frames: Frames | None = None
    with open_media(path) as reader:
        for block in reader.blocks():
            tick, n = block.start_tick, min(block.n_ticks, limit - block.start_tick)
            if block.audio is not None:
                sound.append(block.audio[: n * SAMPLES_PER_TICK])
                covered.append(block.audio_valid[:n])
            if block.frames is not None:
                valid = block.frame_valid[:n]
                pieces = tracker.push(block.frames[:n], valid, block.frame_index[:n], block.frame_pts_s[:n], tick)
                for piece in pieces:
                    found.setdefault(piece.track_id, []).append(piece)
                if keep_frames:
                    frames = _room(frames, limit, block.frames.shape[1:])
                    for i in range(n):
                        # A tick without a picture shows the one before it, as a player does.
                        frames[tick + i] = block.frames[i] if valid[i] else frames[max(tick + i - 1, 0)]
            if tick + n >= limit:
                break
        for piece in tracker.finish():
            found.setdefault(piece.track_id, []).append(piece)
    clip = _main_clip(found, sound, covered)
    start = clip.start_tick
    return Film(clip, None if frames is None else frames[start : start + clip.n_ticks])


def _room(frames: Frames | None, limit: int, shape: tuple[int, ...]) -> Frames:
    """Room for the frames; the system gives memory only to those that are written."""
    if frames is not None:
        return frames
    size = limit * int(np.prod(shape))
    if size > MAX_BYTES:
        raise CannotForge(
            f"{limit} frames of {shape[1]} x {shape[0]} take {size / 1e9:.1f} GB of {MAX_BYTES / 1e9:.0f} GB allowed; "
            "take fewer seconds (--max-s) or make the film smaller first"
        )
    return np.zeros((limit, *shape), np.uint8)


def _main_clip(found: dict[int, list[FaceTrack]], sound: list[np.ndarray], covered: list[np.ndarray]) -> Clip:
    audio = np.concatenate(sound) if sound else None
    valid = np.concatenate(covered) if covered else None
    tracks = [join_pieces(found[i]) for i in sorted(found)]
    if tracks:
        clip = clip_of(max(tracks, key=lambda t: float(np.nansum(t.quality.size_px))), audio, valid)
    elif audio is not None and valid is not None:
        clip = Clip(track=None, audio=audio, audio_valid=valid)
    else:
        raise CannotForge("there is neither a face nor sound")
    if clip.n_ticks < SHORTEST_TICKS:
        raise CannotForge(f"the clip has {clip.n_ticks} ticks of 40 ms; at least {SHORTEST_TICKS} are needed")
    return clip


def key_rng(*parts: str | int) -> np.random.Generator:
    """A generator that depends on all parts and nothing else."""
    digest = hashlib.sha256("\0".join(str(p) for p in parts).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


def forge_film(
    film: Film, family: Family, rng: np.random.Generator, others: Sequence[Clip], *, stretch: bool = False
) -> Forged:
    """Forge a film, or a random stretch of it.

    Args:
        film: genuine.
        family: how.
        rng: all that is random.
        others: further clips, see `avdetect.forge.contract.Forge`.
        stretch: only between 0.8 s and half of it.

    Raises:
        CannotForge: the family cannot forge this film.
    """
    clip = film.clip
    start, stop = choose_stretch(clip.n_ticks, rng) if stretch else (0, clip.n_ticks)
    piece = cut_clip(clip, start, stop)
    patches: list[Patch] = []
    if isinstance(family.forge, PictureForge):
        plan = family.forge.plan(piece, rng, others)
        made = apply(piece, plan)
        if film.frames is not None and piece.track is not None:
            patches = draw_on_frames(film.frames[start:stop], piece.track, plan)
    else:
        made = family.forge(piece, rng, others)
        if film.frames is not None and piece.track is not None and made.track is not None:
            patches = paste_crops(film.frames[start:stop], piece.track, made.track)
    patches = [dataclasses.replace(p, tick=p.tick + start) for p in patches]
    if made.label.visual_fake and not patches:
        raise CannotForge("the face lies outside of the frames, so nothing of the edit would be seen")
    shift = start / TICK_RATE
    segments = tuple(
        dataclasses.replace(s, start_s=s.start_s + shift, end_s=s.end_s + shift) for s in made.label.segments
    )
    # An offset holds for a whole film only.
    offset = made.label.offset_ms if (start, stop) == (0, clip.n_ticks) else None
    return Forged(
        patches,
        put_back(clip.audio, made.audio, start),
        dataclasses.replace(made.label, segments=segments, offset_ms=offset),
    )


def choose_stretch(n_ticks: int, rng: np.random.Generator) -> tuple[int, int]:
    """First and one past the last tick: between 0.8 s and half of all, with a little left on either side."""
    longest = max(n_ticks // 2, SHORTEST_TICKS)
    length = int(rng.integers(min(SHORTEST_TICKS, longest), longest + 1))
    if length + 2 > n_ticks:
        raise CannotForge(f"the clip has {n_ticks} ticks; a stretch of it needs {SHORTEST_TICKS + 2}")
    start = int(rng.integers(1, n_ticks - length))
    return start, start + length


def put_back(whole: np.ndarray | None, piece: np.ndarray | None, start_tick: int) -> np.ndarray | None:
    """The sound with a piece of it replaced, faded in and out inside of the piece; bit-equal where nothing changed."""
    if whole is None or piece is None:
        return whole
    at = start_tick * SAMPLES_PER_TICK
    old = whole[at : at + len(piece)]
    if np.array_equal(old, piece):
        return whole
    if len(piece) == len(whole):
        return piece
    weight = np.ones(len(piece), np.float32)
    weight[:FADE] = np.linspace(0, 1, FADE)
    weight[-FADE:] = np.linspace(1, 0, FADE)
    out = whole.copy()
    out[at : at + len(piece)] = old + weight * (piece - old)
    return out


def write_film(film: Film, forged: Forged | None, path: Path, *, crf: int = 18) -> None:
    """Write a film, forged or, through the same chain, as it is.

    Raises:
        CannotForge: the film has no pictures.
        MediaError: it cannot be written.
    """
    if film.frames is None:
        raise CannotForge("the file has no pictures, and a film without pictures is not written")
    with patched(film.frames, forged.patches if forged else []) as frames:
        write_clip(frames, forged.audio if forged else film.clip.audio, path, crf=crf)
