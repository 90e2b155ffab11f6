"""Sound moved against its picture: as a whole, slower and slower, or stretched in one place.

The voice stays genuine: these clips are RVRA in the four-way label, with an offset or a segment of kind "sync".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import librosa
import numpy as np

from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.voice import faded_in, sound_of
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK, TICK_RATE, Clip, Segment

LEAST_SHIFT_MS, MOST_SHIFT_MS = 80.0, 600.0
DRIFT_PPM = (2_000.0, 40_000.0)
"""Rates of drift: over 10 s the lowest makes half a tick, and over 2 s the highest makes two."""


def shift(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The whole sound 80 to 600 ms late or early; what is moved in from outside is not covered by sound."""
    del others
    audio = sound_of(clip)
    most = min(MOST_SHIFT_MS, clip.n_ticks / TICK_RATE * 1000 / 2)
    if most < LEAST_SHIFT_MS:
        raise CannotForge("the clip is too short to move its sound by 80 ms")
    late_ms = float(rng.uniform(LEAST_SHIFT_MS, most) * rng.choice([-1, 1]))
    n = round(late_ms * SAMPLE_RATE / 1000)
    moved, covered = np.zeros_like(audio), clip.audio_valid
    valid = np.zeros_like(covered)
    # A tick is covered where both ticks that its moved sound comes from were.
    source = np.arange(len(covered)) * SAMPLES_PER_TICK - n
    first, last = source // SAMPLES_PER_TICK, (source + SAMPLES_PER_TICK - 1) // SAMPLES_PER_TICK
    inside = (first >= 0) & (last < len(covered))
    valid[inside] = covered[first[inside]] & covered[last[inside]]
    if n > 0:
        moved[n:] = audio[:-n]
    else:
        moved[:n] = audio[-n:]
    offset = (clip.label.offset_ms or 0.0) + n * 1000 / SAMPLE_RATE
    whole = Segment(0.0, clip.n_ticks / TICK_RATE, "sync")
    label = replace(clip.label, offset_ms=offset, segments=(*clip.label.segments, whole))
    return replace(clip, audio=moved, audio_valid=valid, label=label)


def drift(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """Sound that runs slower or faster than its picture, together at one random instant of the clip."""
    del others
    audio = sound_of(clip, seconds=1.0)
    rate = float(np.exp(rng.uniform(*np.log(DRIFT_PPM))) * 1e-6 * rng.choice([-1, 1]))
    seconds = len(audio) / SAMPLE_RATE
    # At least three ticks from end to end, so that it is more than one somewhere wherever they are together.
    if abs(rate) * seconds < 3 / TICK_RATE:
        rate = float(np.sign(rate)) * 3 / TICK_RATE / seconds
    anchor = float(rng.choice([0.0, rng.uniform(0, 1), 1.0])) * seconds
    at = np.arange(len(audio)) / SAMPLE_RATE
    late_s = rate * (at - anchor)  # the sound heard at `at` belongs to `at - late_s`
    source = (at - late_s) * SAMPLE_RATE
    moved = np.interp(source, np.arange(len(audio)), audio, left=0.0, right=0.0).astype(np.float32)
    tick = (np.arange(clip.n_ticks) + 0.5) / TICK_RATE
    late_ticks = rate * (tick - anchor) * TICK_RATE
    there = tick - late_ticks / TICK_RATE
    inside = (there > 0.5 / TICK_RATE) & (there < seconds - 0.5 / TICK_RATE)
    # Gaps of the sound move with it: a tick needs both ticks that its sound comes from.
    source_tick = there * TICK_RATE - 0.5
    before, after = (np.clip(f(source_tick), 0, clip.n_ticks - 1).astype(int) for f in (np.floor, np.ceil))
    valid = inside & clip.audio_valid[before] & clip.audio_valid[after]
    apart = np.abs(late_ticks) > 1
    label = replace(clip.label, offset_ms=None, segments=(*clip.label.segments, *_segments(apart, "sync")))
    return replace(clip, audio=moved, audio_valid=valid, label=label)


def stretch(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """A stretch of the sound played slower or faster with its pitch kept, cut off or filled up at its end.

    Before and after, lips and sound are together; inside, the sound runs away by up to a quarter of a second.
    """
    del others
    audio = sound_of(clip, seconds=1.0)
    n = clip.n_ticks
    length = int(rng.integers(min(15, n), min(75, n) + 1))
    start = int(rng.integers(0, n - length + 1))
    rate = float(np.exp(rng.uniform(0.12, 0.35) * rng.choice([-1, 1])))
    a, b = start * SAMPLES_PER_TICK, (start + length) * SAMPLES_PER_TICK
    # Slower: its own beginning fills the stretch. Faster: what follows is drawn in, as an editor would.
    reach = min(len(audio), a + int(np.ceil((b - a) * rate)) + 512)
    played = librosa.effects.time_stretch(audio[a:reach], rate=rate)
    if len(played) < b - a:
        played = np.concatenate([played, audio[b - (b - a - len(played)) : b]])
    made = audio.copy()
    made[a:b] = played[: b - a]
    made = faded_in(audio, made, a, b)
    sync = Segment(start / TICK_RATE, (start + length) / TICK_RATE, "sync")
    return replace(clip, audio=made, label=replace(clip.label, segments=(*clip.label.segments, sync)))


def _segments(mask: np.ndarray, kind: str) -> list[Segment]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [Segment(a / TICK_RATE, b / TICK_RATE, kind) for a, b in edges.reshape(-1, 2)]  # type: ignore[arg-type]


SHIFT = Family(shift, changes=("timing",), about="the sound 80 to 600 ms late or early", api_version=1)
DRIFT = Family(drift, changes=("timing",), about="sound that runs slower or faster than the picture", api_version=1)
STRETCH = Family(
    stretch, changes=("timing",), about="a stretch of the sound slower or faster, pitch kept", api_version=1
)
