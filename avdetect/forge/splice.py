"""Forgeries of a part: a few words in a false voice, a moment of a false face, or both at once.

Outside the segments every bit is that of the original: cross-fades lie inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avdetect.clips import cut_clip
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.copy_synthesis import griffin_lim
from avdetect.forge.voice import Remake, faded_in, matched, sound_of
from avdetect.forge.voice_change import change
from avdetect.forge.world import through_world
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE, Clip, FaceTrack, Segment

LEAST_S, MOST_S = 0.4, 3.0
MARGIN = 12
"""Ticks around a stretch that vocoders hear too, so that it does not start from nothing."""
VOICES: tuple[Remake, ...] = (through_world, griffin_lim, change)
FACES = ("self_blend", "face_swap", "mouth_paste", "mouth_freeze", "mouth_loop", "mouth_warp", "face_jitter")


def stretches(clip: Clip, rng: np.random.Generator) -> list[tuple[int, int]]:
    """One to three stretches of 0.4 to 3 s, apart from each other, none of them the whole clip; ticks.

    They begin where the sound is softest near a random place, as an editor would cut.
    """
    n, least = clip.n_ticks, round(LEAST_S * TICK_RATE)
    if n < 2 * least:
        raise CannotForge(f"the clip is shorter than {2 * LEAST_S:g} s")
    found: list[tuple[int, int]] = []
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))):
        length = int(rng.integers(least, max(least, min(round(MOST_S * TICK_RATE), n // 2)) + 1))
        start = _softest(clip, int(rng.integers(0, n - length + 1)), n - length)
        if all(start >= b + 2 or start + length <= a - 2 for a, b in found):
            found.append((start, start + length))
    return sorted(found)


def _softest(clip: Clip, tick: int, last: int) -> int:
    if clip.audio is None:
        return tick
    low, high = max(0, tick - 4), min(last, tick + 4) + 1
    power = np.square(clip.audio.reshape(clip.n_ticks, -1)).mean(axis=1)
    return low + int(np.argmin(power[low:high]))


def _with_voice(clip: Clip, rng: np.random.Generator, places: list[tuple[int, int]]) -> Clip:
    audio = sound_of(clip)
    remake = VOICES[int(rng.integers(len(VOICES)))]
    for start, stop in places:
        a, b = max(0, start - MARGIN) * SAMPLES_PER_TICK, min(clip.n_ticks, stop + MARGIN) * SAMPLES_PER_TICK
        made = audio.copy()
        made[a:b] = matched(remake(audio[a:b], rng), audio[a:b])
        audio = faded_in(audio, made, start * SAMPLES_PER_TICK, stop * SAMPLES_PER_TICK)
    segments = tuple(Segment(a / TICK_RATE, b / TICK_RATE, "audio") for a, b in places)
    label = replace(clip.label, audio_fake=True, segments=(*clip.label.segments, *segments))
    return replace(clip, audio=audio, label=label)


def _with_face(clip: Clip, rng: np.random.Generator, others: Sequence[Clip], places: list[tuple[int, int]]) -> Clip:
    from avdetect.forge import FORGERIES  # the register names this file too

    if clip.track is None:
        raise CannotForge("the clip has no face")
    names = [n for n in FACES if others or not FORGERIES.get(n).needs_others]
    family: Family = FORGERIES.get(names[int(rng.integers(len(names)))])
    track = clip.track
    segments = list(clip.label.segments)
    for start, stop in places:
        piece = replace(cut_clip(clip, start, stop), label=replace(clip.label, segments=()))
        made = family.forge(piece, rng, others)
        assert made.track is not None
        track = _pasted(track, made.track, start, stop)
        segments += [replace(s, start_s=s.start_s + start / TICK_RATE, end_s=s.end_s + start / TICK_RATE)
                     for s in made.label.segments]  # fmt: skip
    label = replace(clip.label, visual_fake=True, segments=tuple(segments))
    return replace(clip, track=track, label=label)


def _pasted(track: FaceTrack, piece: FaceTrack, start: int, stop: int) -> FaceTrack:
    new = {}
    for name in ("faces", "mouths", "landmarks"):
        array = getattr(track, name).copy()
        array[start:stop] = getattr(piece, name)
        new[name] = array
    return replace(track, **new)


def voice(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """Stretches of the sound in a false voice; the same words at the same time."""
    del others
    sound_of(clip)
    return _with_voice(clip, rng, stretches(clip, rng))


def face(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """Stretches of the picture forged by one of the picture families."""
    return _with_face(clip, rng, others, stretches(clip, rng))


def both(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """Picture and voice forged in the same stretches."""
    sound_of(clip)
    places = stretches(clip, rng)
    return _with_voice(_with_face(clip, rng, others, places), rng, places)


VOICE = Family(voice, changes=("sound",), about="a false voice for a part of the clip", api_version=1)
FACE = Family(face, changes=("picture",), about="a forged face for a part of the clip", needs_others=1, api_version=1)
BOTH = Family(
    both,
    changes=("picture", "sound"),
    about="forged face and voice for a part of the clip",
    needs_others=1,
    api_version=1,
)
