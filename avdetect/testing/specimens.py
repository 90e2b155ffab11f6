"""Clips for the kits: a drawn speaker as the tracker hands one over, whole and with parts missing."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Literal

import numpy as np

from avdetect.faces.align import Alignment
from avdetect.testing.clip import synthetic_clip
from avdetect.types import SAMPLES_PER_TICK, Clip, FaceTrack, Label

_MOUTH = (0.0, 0.86)
"""Middle of the drawn mouth crops in units of the face template."""
Filling = Literal["black", "again", "noise"]


@functools.lru_cache(maxsize=16)
def _drawn(seed: int, n_ticks: int) -> Clip:
    return synthetic_clip(seed, n_ticks)


def speaker(seed: int, n_ticks: int, *, hidden: Sequence[int] = (), start_tick: int = 0) -> Clip:
    """A drawn speaker with lips and sound together; its arrays are the caller's own.

    Args:
        seed: who it is, and what is said.
        n_ticks: length.
        hidden: ticks on which the face is not found.
        start_tick: where the track begins in its file.
    """
    clip = _drawn(seed, n_ticks)
    track = clip.track
    assert track is not None and clip.audio is not None
    a = Alignment()
    middle = ((np.array(_MOUTH) - a.face_centre) / a.face_side + 0.5).astype(np.float32)
    visible = track.visible.copy()
    visible[list(hidden)] = False
    shown = replace(
        _taken(track, np.arange(n_ticks)),
        start_tick=start_tick,
        visible=visible,
        landmarks=np.where(visible[:, None, None], track.landmarks, 0).astype(np.float32),
        mouth_centres=np.repeat(middle[None], n_ticks, axis=0),
    )
    return Clip(shown, clip.audio.copy(), clip.audio_valid.copy(), Label(visual_fake=False, audio_fake=False))


def silent(clip: Clip) -> Clip:
    """The face alone."""
    return replace(clip, audio=None, audio_valid=np.zeros(clip.n_ticks, bool))


def heard(clip: Clip) -> Clip:
    """The sound alone."""
    return replace(clip, track=None)


def looped(clip: Clip, n_ticks: int) -> Clip:
    """A clip of any length: the ticks of one again and again."""
    at = np.arange(n_ticks) % clip.n_ticks
    sound = None if clip.audio is None else clip.audio.reshape(-1, SAMPLES_PER_TICK)[at].ravel()
    track = None if clip.track is None else _taken(clip.track, at)
    return replace(clip, track=track, audio=sound, audio_valid=clip.audio_valid[at])


def followed(clip: Clip, n_ticks: int, *, crops: Filling = "black") -> Clip:
    """A clip and ``n_ticks`` more, on which neither a face is found nor the sound stream covers anything.

    Args:
        clip: what comes before.
        n_ticks: so many more.
        crops: what the crops hold there, which means nothing: ``black``, ``again`` the last one as the tracker leaves
            them, or ``noise``. Landmarks, boxes and sound are zero there, and measures of quality NaN, as always.
    """
    total = clip.n_ticks + n_ticks
    end = slice(clip.n_ticks, total)
    long = looped(clip, total)
    valid = long.audio_valid.copy()
    valid[end] = False
    audio = long.audio
    if audio is not None:
        audio[end.start * SAMPLES_PER_TICK :] = 0
    track = long.track
    if track is not None:
        track.visible[end] = False
        track.landmarks[end] = track.boxes[end] = 0
        for field in fields(track.quality):
            getattr(track.quality, field.name)[end] = np.nan
        for x in (track.faces, track.mouths):
            noise = np.random.default_rng(len(x)).integers(0, 256, x[end].shape, np.uint8)
            x[end] = {"black": np.zeros_like(noise), "again": x[end.start - 1][None], "noise": noise}[crops]
    return replace(long, audio=audio, audio_valid=valid)


def _taken(track: FaceTrack, at: np.ndarray) -> FaceTrack:
    """Ticks of a track by number, copied."""
    arrays = {f.name: x[at] for f in fields(track) if isinstance(x := getattr(track, f.name), np.ndarray)}
    quality = type(track.quality)(*(getattr(track.quality, f.name)[at] for f in fields(track.quality)))
    return replace(track, quality=quality, **arrays)
