"""The sound of another recording under the picture: a true voice that does not belong to these lips.

The four-way label stays RVRA; a segment of kind "sync" over the whole clip says that lips and sound are strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avdetect.augment.sound import level
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.voice import FADE_S, matched, sound_of
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK, TICK_RATE, Clip, Segment

LEAST_AWAY_S = 1.5
"""Sound of the same clip must be at least this far away in time."""


def swap_same(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """Sound of another clip of the same person, or of another time of the clip itself where there is none."""
    usable = _usable(others)
    return _with_sound(clip, rng, usable) if usable else _turned(clip, rng)


def swap_other(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """Sound of another person's clip."""
    usable = _usable(others)
    if not usable:
        raise CannotForge("no other clip has a genuine sound")
    return _with_sound(clip, rng, usable)


def _usable(others: Sequence[Clip]) -> list[Clip]:
    """Those with sound that is not known to be false: the label promises a true voice."""
    return [o for o in others if o.audio is not None and level(o.audio) > 1e-3 and not o.label.audio_fake]


def _with_sound(clip: Clip, rng: np.random.Generator, usable: Sequence[Clip]) -> Clip:
    audio = sound_of(clip)
    other = usable[int(rng.integers(len(usable)))]
    assert other.audio is not None
    if len(other.audio) == len(audio) and np.array_equal(other.audio, audio):
        return _turned(clip, rng)  # the very same recording
    return _labelled(clip, *_stretch(other.audio, other.audio_valid, clip.n_ticks, rng))


def _labelled(clip: Clip, made: np.ndarray, covered: np.ndarray) -> Clip:
    assert clip.audio is not None
    whole = Segment(0.0, clip.n_ticks / TICK_RATE, "sync")
    label = replace(clip.label, offset_ms=None, segments=(*clip.label.segments, whole))
    return replace(clip, audio=matched(made, clip.audio), audio_valid=clip.audio_valid & covered, label=label)


def _stretch(
    audio: np.ndarray, valid: np.ndarray, ticks: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``ticks`` ticks of another sound from a random start, gone through again and again where it is shorter."""
    start = int(rng.integers(0, max(1, len(valid) - ticks + 1)))
    at = (start + np.arange(ticks)) % len(valid)
    made = audio.reshape(-1, SAMPLES_PER_TICK)[at].reshape(-1).copy()
    for tick in np.flatnonzero(np.diff(at) != 1) + 1:
        made = _softened(made, int(tick) * SAMPLES_PER_TICK)
    return made, valid[at]


def _turned(clip: Clip, rng: np.random.Generator) -> Clip:
    """The clip's own sound, turned around by at least ``LEAST_AWAY_S`` either way."""
    audio = sound_of(clip)
    least = round(LEAST_AWAY_S * TICK_RATE)
    if clip.n_ticks < 2 * least + 1:
        raise CannotForge(f"no other sound, and the clip is shorter than {2 * LEAST_AWAY_S:g} s")
    by = int(rng.integers(least, clip.n_ticks - least + 1))
    made = _softened(np.roll(audio, by * SAMPLES_PER_TICK), by * SAMPLES_PER_TICK)
    return _labelled(clip, made, np.roll(clip.audio_valid, by))


def _softened(audio: np.ndarray, seam: int) -> np.ndarray:
    """A seam faded out and in: a jump would be a trace that no genuine sound has."""
    n = int(FADE_S * SAMPLE_RATE)
    ramp = np.abs(np.linspace(-1, 1, 2 * n, dtype=np.float32))
    low, high = max(0, seam - n), min(len(audio), seam + n)
    audio[low:high] *= ramp[low - seam + n : high - seam + n]
    return audio


SAME_PERSON = Family(
    swap_same,
    changes=("timing",),
    about="sound of another clip of the same person",
    needs_others=1,
    same_person=True,
    api_version=1,
)
OTHER_PERSON = Family(
    swap_other, changes=("timing",), about="sound of another person's clip", needs_others=1, api_version=1
)
