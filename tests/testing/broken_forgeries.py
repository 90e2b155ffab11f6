"""Forgeries, each broken in one way; and sound ones that no check may complain of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from avdetect.forge.contract import CannotForge, Family
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE, Clip, Segment

LEAST = 8
"""Ticks of the shortest stretch."""
Forge = Callable[..., Any]


def drawn(clip: Clip, rng: np.random.Generator) -> tuple[int, int]:
    """A stretch of the clip."""
    if clip.n_ticks < 2 * LEAST:
        raise CannotForge(f"{clip.n_ticks} ticks are too few")
    length = int(rng.integers(LEAST, clip.n_ticks // 2))
    first = int(rng.integers(0, clip.n_ticks - length))
    return first, first + length


def backwards(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """A stretch of the voice backwards; nothing is wrong with it."""
    if clip.audio is None or not clip.audio.any():
        raise CannotForge("there is no sound")
    a, b = drawn(clip, rng)
    audio = clip.audio.copy()
    stretch = slice(a * SAMPLES_PER_TICK, b * SAMPLES_PER_TICK)
    audio[stretch] = audio[stretch][::-1]
    return told(replace(clip, audio=audio), clip, a, b, "audio")


def blackened(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """A stretch of the mouth is black; nothing is wrong with it."""
    if clip.track is None or not clip.track.visible.any():
        raise CannotForge("there is no face")
    a, b = drawn(clip, rng)
    mouths = clip.track.mouths.copy()
    mouths[a:b] = 0
    return told(replace(clip, track=replace(clip.track, mouths=mouths)), clip, a, b, "visual")


def told(made: Clip, clip: Clip, a: int, b: int, kind: Any) -> Clip:
    """With a label that says so."""
    fake = {"visual": {"visual_fake": True}, "audio": {"audio_fake": True}}[kind]
    segment = Segment(a / TICK_RATE, b / TICK_RATE, kind)
    return replace(made, label=replace(clip.label, segments=(*clip.label.segments, segment), **fake))


def voice(change: Callable[[Clip, Clip], Clip]) -> Forge:
    """`backwards`, and something more: a function of what was given and what was made."""

    def forge(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
        return change(clip, backwards(clip, rng, others))

    return forge


def family(forge: Forge, about: str, **more: Any) -> Family:
    """A family of the sound, unless something else is said."""
    return Family(forge, **{"changes": ("sound",), "about": about, "api_version": 1, **more})


def _label(**change: Any) -> Callable[[Clip, Clip], Clip]:
    return lambda clip, made: replace(made, label=replace(made.label, **change))


def _shorter(clip: Clip, made: Clip) -> Clip:
    assert made.audio is not None
    return replace(made, audio=made.audio[SAMPLES_PER_TICK:])


def _louder(clip: Clip, made: Clip) -> Clip:
    assert made.audio is not None
    return replace(made, audio=made.audio * 50)


def _of_chance(clip: Clip, made: Clip) -> Clip:
    assert made.audio is not None
    segment = made.label.segments[0]
    middle = round((segment.start_s + segment.end_s) * 8000)
    audio = made.audio.copy()
    audio[middle] = np.random.uniform(-1, 1)  # noqa: NPY002
    return replace(made, audio=audio)


def _nothing(clip: Clip, made: Clip) -> Clip:
    return replace(made, audio=clip.audio)


def _face_too(clip: Clip, made: Clip) -> Clip:
    if made.track is None:
        return made
    faces = made.track.faces.copy()
    faces[0] = 0
    return replace(made, track=replace(made.track, faces=faces))


def _on_the_file(clip: Clip, made: Clip) -> Clip:
    segments = tuple(
        replace(x, start_s=x.start_s + clip.start_tick / 25, end_s=x.end_s + clip.start_tick / 25)
        for x in made.label.segments
    )
    return replace(made, label=replace(made.label, segments=segments))


def _narrow(clip: Clip, made: Clip) -> Clip:
    segments = tuple(replace(x, start_s=x.start_s + 0.08) for x in made.label.segments)
    return replace(made, label=replace(made.label, segments=segments))


def _writes(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    for other in others:
        if other.audio is not None:
            other.audio[:] = other.audio[::-1].copy()
    return backwards(clip, rng)


def _writes_own(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    made = backwards(clip, rng)
    if clip.track is not None:
        clip.track.boxes[0] = 1
    return made


def _crashes_without_sound(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    assert clip.audio is not None, "sound is needed"
    return backwards(clip, rng)


def _crashes_on_short(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    rng.integers(LEAST, clip.n_ticks - LEAST)
    return backwards(clip, rng)


def _says_nothing(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    if clip.audio is None:
        raise CannotForge
    return backwards(clip, rng)


def _other_voice(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The stretch is another's; nothing is checked."""
    made = backwards(clip, rng)
    if not others:
        raise CannotForge("another clip is needed")
    audio, segment = np.copy(made.audio), made.label.segments[0]  # type: ignore[arg-type]
    a, b = (round(x * TICK_RATE) * SAMPLES_PER_TICK for x in (segment.start_s, segment.end_s))
    audio[a:b] = np.resize(others[0].audio, b - a)  # type: ignore[arg-type]
    return replace(made, audio=audio.astype(np.float32))


def _needs_two(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    if len(others) < 2:
        raise CannotForge("two other clips are needed")
    return backwards(clip, rng)


def _never(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    raise CannotForge("it is Wednesday")


SOUND = [family(backwards, "backwards"), family(blackened, "blackened", changes=("picture",))]
BROKEN: dict[str, list[Any]] = {
    "api_version": [family(backwards, "of another version", api_version=3), Family(backwards, ("sound",), "of none")],
    "declared": [
        family(backwards, "of unknown changes", changes=("smell",)),
        family(backwards, "of changes as text", changes="sound"),
        family(backwards, "in two\nlines"),
        family(backwards, "of minus one other", needs_others=-1),
        family(lambda clip: clip, "of a clip alone"),
    ],
    "alike": [
        family(voice(_shorter), "shorter"),
        family(voice(_louder), "louder than full scale"),
        family(_never, "never"),
    ],
    "deterministic": [family(voice(_of_chance), "of global chance")],
    "input_kept": [family(_writes, "writes to others"), family(_writes_own, "writes to its own clip")],
    "label": [
        family(voice(_nothing), "changes nothing"),
        family(voice(_face_too), "changes the face too"),
        family(voice(_label(audio_fake=False)), "called genuine"),
        family(voice(_label(visual_fake=True)), "of a face that is genuine"),
        family(backwards, "called timing alone", changes=("timing",)),
        family(backwards, "of a picture that never changes", changes=("picture", "sound")),
    ],
    "segments": [
        family(voice(_on_the_file), "on the clock of the file"),
        family(voice(_label(segments=[])), "of a list"),
        family(voice(_label(segments=(Segment(1.0, 2.0, "visual"),))), "with a segment of what is genuine"),
        family(voice(_label(segments=(Segment(2.0, 2.0, "audio"),))), "of no length"),
    ],
    "outside": [family(voice(_narrow), "narrower than it is")],
    "unsuitable": [
        family(_crashes_without_sound, "crashes without sound"),
        family(_crashes_on_short, "crashes on what is short"),
        family(_says_nothing, "does not say why"),
    ],
    "unsuitable_others": [family(_other_voice, "takes any other", needs_others=1)],
    "as_many_others": [family(_needs_two, "needs two and says one", needs_others=1)],
}
