"""The sound of another recording under the picture: a true voice that does not belong to these lips.

The four-way label stays RVRA; a segment of kind "sync" over the whole clip says that lips and sound are strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.voice import level, matched, sound_of
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE, Clip, Segment

LEAST_AWAY_S = 1.5
"""Sound of the same clip must be at least this far away in time."""


def swap(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """Sound of one of ``others``, or of another time of the clip itself where there is none."""
    audio = sound_of(clip)
    usable = [o for o in others if o.audio is not None and level(o.audio) > 1e-3]
    if usable:
        other = usable[int(rng.integers(len(usable)))]
        assert other.audio is not None
        made, covered = _stretch(other.audio, other.audio_valid, clip.n_ticks, rng)
    else:
        made, covered = _away(clip, audio, rng)
    made = matched(made, audio)
    whole = Segment(0.0, clip.n_ticks / TICK_RATE, "sync")
    label = replace(clip.label, offset_ms=None, segments=(*clip.label.segments, whole))
    return replace(clip, audio=made, audio_valid=clip.audio_valid & covered, label=label)


def _stretch(
    audio: np.ndarray, valid: np.ndarray, ticks: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``ticks`` ticks of another sound from a random start, gone through again and again where it is shorter."""
    start = int(rng.integers(0, max(1, len(valid) - ticks + 1)))
    at = (start + np.arange(ticks)) % len(valid)
    return audio.reshape(-1, SAMPLES_PER_TICK)[at].reshape(-1), valid[at]


def _away(clip: Clip, audio: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The clip's own sound, turned around by at least ``LEAST_AWAY_S`` either way."""
    least = round(LEAST_AWAY_S * TICK_RATE)
    if clip.n_ticks < 2 * least + 1:
        raise CannotForge(f"no other sound, and the clip is shorter than {2 * LEAST_AWAY_S:g} s")
    by = int(rng.integers(least, clip.n_ticks - least + 1))
    return np.roll(audio, by * SAMPLES_PER_TICK), np.roll(clip.audio_valid, by)


SAME_PERSON = Family(
    swap, changes=("timing",), about="sound of another clip of the same person", needs_others=1, same_person=True
)
OTHER_PERSON = Family(swap, changes=("timing",), about="sound of another person's clip", needs_others=1)
