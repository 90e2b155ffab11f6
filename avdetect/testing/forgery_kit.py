"""Does a forgery do what `avdetect.forge.contract` says, and is what it says of itself true?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from avdetect.api import Forgery
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge
from avdetect.testing.clip_checks import PICTURE, parts_that_differ, require_like
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import (
    Broken,
    DoesNotApply,
    Kit,
    global_chance,
    require,
    require_kind,
    require_version,
)
from avdetect.testing.specimens import heard, silent, speaker
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE, Clip, SegmentKind

TICKS = 80
"""Of the clip to forge: more than three seconds, long enough for any forgery."""
START = 1000
"""First tick of its track in the file; segments are told from the start of the clip."""
SEEDS = (0, 1)
CHANGES = {"picture", "sound", "timing"}
SHORT = 30
"""Of clips that lack something."""


@dataclass(frozen=True)
class Made:
    """A seed, the clips that were given (as they are afterwards), and what was made of the first."""

    seed: int
    given: list[Clip]
    out: Clip

    @property
    def clip(self) -> Clip:
        """What was to be forged."""
        return self.given[0]


@dataclass(frozen=True)
class Subject:
    """A forgery."""

    family: Forgery

    @functools.cached_property
    def made(self) -> tuple[Made, ...]:
        """Good clips and what it makes of them; where it makes none for a seed, there is one less.

        Raises:
            Broken: it makes none at all.
        """
        found: list[Made] = []
        refusals = []
        for seed in SEEDS:
            # The second time with as many others as it needs, and no more.
            given = [good(), *strangers(2 if seed == SEEDS[0] else self.family.needs_others)]
            try:
                found.append(Made(seed, given, self.forge(given[0], seed, given[1:])))
            except CannotForge as error:
                refusals.append(str(error))
        require(found, f"it can forge no good clip of {TICKS} ticks: {'; '.join(dict.fromkeys(refusals))}")
        return tuple(found)

    def forge(self, clip: Clip, seed: int, others: Sequence[Clip]) -> Clip:
        """What it makes of a clip, with other clips to take from."""
        return self.family.forge(clip, np.random.default_rng(seed), others)


def good() -> Clip:
    """Somebody who speaks, to be forged."""
    return speaker(21, TICKS, hidden=(40, 41), start_tick=START)


def strangers(count: int = 2) -> list[Clip]:
    """Others to take a face or a voice from."""
    return [speaker(22 + i, 50 + 40 * (i % 2), start_tick=7 * i) for i in range(count)]


def _opened(plugin: Any) -> Subject:
    return Subject(FORGERIES.get(plugin) if isinstance(plugin, str) else plugin)


def _api_version(s: Subject) -> None:
    """The API version is stated."""
    require_version(s.family)


def _declared(s: Subject) -> None:
    """It says what it changes, what it is about, and which other clips it needs."""
    f = s.family
    require_kind("avdetect.forgeries", f)
    require(
        isinstance(f.changes, tuple) and f.changes and set(f.changes) <= CHANGES,
        f"changes is {f.changes!r}; it must be a tuple of {', '.join(sorted(CHANGES))}",
    )
    require(
        isinstance(f.about, str) and f.about and "\n" not in f.about, f"about is {f.about!r}; it must be a line of text"
    )
    require(
        type(f.needs_others) is int and f.needs_others >= 0,
        f"needs_others is {f.needs_others!r}; it must be the number of other clips",
    )
    require(isinstance(f.same_person, bool), f"same_person is {f.same_person!r}; it must be True or False")


def _alike(s: Subject) -> None:
    """Ticks, shapes, types and ranges stay, and all is finite."""
    for made in s.made:
        require_like(made.clip, made.out)


def _deterministic(s: Subject) -> None:
    """All chance comes from the generator: equal clips and seeds give equal bits, and an equal label."""
    made = s.made[0]
    with global_chance(7):
        again = s.forge(good(), made.seed, strangers(len(made.given) - 1))
    require(not (d := difference(made.out, again)), f"twice with the seed {made.seed}: {d}")


def _input_kept(s: Subject) -> None:
    """Neither the clip nor the others are written to."""
    for made in s.made:
        before = [good(), *strangers(len(made.given) - 1)]
        require(not (d := difference(before, made.given, at="clips")), f"it wrote to its input: {d}")


def _label(s: Subject) -> None:
    """What was forged is what the label and ``changes`` say."""
    declared = set(s.family.changes)
    for made in s.made:
        picture, sound = parts_that_differ(made.clip, made.out)
        label, where = made.out.label, f"(seed {made.seed})"
        require(picture or sound, f"nothing is changed {where}; raise CannotForge where nothing can be")
        require(
            not picture or "picture" in declared, f"the picture is changed, which changes={s.family.changes} denies"
        )
        require(
            not sound or declared & {"sound", "timing"},
            f"the sound is changed, which changes={s.family.changes} denies",
        )
        state = "changed" if picture else "as it was"
        require(
            bool(label.visual_fake) == picture,
            f"the label has visual_fake={label.visual_fake}, and the picture is {state} {where}",
        )
        require(
            not label.audio_fake or (sound and "sound" in declared),
            f"the label has audio_fake={label.audio_fake}, and the voice is not forged {where}",
        )
        require(
            not sound or label.audio_fake or "timing" in declared,
            f"the sound is forged, and the label has audio_fake={label.audio_fake} {where}",
        )
    once = [made.out.label for made in s.made]
    if "picture" in declared:
        require(any(x.visual_fake for x in once), "changes has 'picture', and no label says so")
    if "sound" in declared:
        require(any(x.audio_fake for x in once), "changes has 'sound', and no label says so")


def _segments(s: Subject) -> None:
    """Segments are seconds from the start of the clip, within it, and of what the label calls forged."""
    length = TICKS / TICK_RATE
    for made in s.made:
        label = made.out.label
        require(isinstance(label.segments, tuple), f"segments are a {type(label.segments).__name__}, not a tuple")
        for x in label.segments:
            require(x.kind in get_args(SegmentKind), f"a segment is of the kind {x.kind!r}")
            require(
                0 <= x.start_s < x.end_s <= length + 1e-6,
                f"a segment is {x.start_s:g} ... {x.end_s:g} s, of a clip of {length:g} s",
            )
            forged = {"visual": label.visual_fake, "audio": label.audio_fake, "sync": True}[x.kind]
            require(forged, f"there is a segment of the kind {x.kind!r}, which the label calls genuine")


def _outside(s: Subject) -> None:
    """Ticks outside the segments are as they were, to the bit."""
    told = False
    for made in s.made:
        seed, clip, out = made.seed, made.clip, made.out
        assert clip.track is not None and out.track is not None and clip.audio is not None and out.audio is not None
        for kind, forged in (("visual", out.label.visual_fake), ("audio", out.label.audio_fake)):
            stretches = [x for x in out.label.segments if x.kind == kind]
            if not (forged and stretches):  # no segments: forged as a whole
                continue
            told = True
            marked = np.zeros(TICKS, bool)
            for x in stretches:
                marked[int(np.floor(x.start_s * TICK_RATE + 1e-6)) : int(np.ceil(x.end_s * TICK_RATE - 1e-6))] = True
            if kind == "visual":
                pairs = [(n, getattr(clip.track, n), getattr(out.track, n)) for n in PICTURE]
            else:
                pairs = [("audio", *(x.reshape(-1, SAMPLES_PER_TICK) for x in (clip.audio, out.audio)))]
            for name, was, now in pairs:
                changed = np.flatnonzero((was != now).reshape(TICKS, -1).any(axis=1) & ~marked)
                require(
                    not len(changed),
                    f"{name} is changed at tick {changed[:1]}, outside the {kind} segments (seed {seed})",
                )
    if not told:
        raise DoesNotApply("it forges clips as a whole, or their timing")


def _unsuitable(s: Subject) -> None:
    """A clip that it cannot forge raises CannotForge; nothing crashes, and nothing wrong comes out."""
    clip = speaker(24, SHORT)
    assert clip.track is not None and clip.audio is not None
    zeros = np.zeros_like(clip.audio)
    cases = {
        "without sound": silent(clip),
        "without a face": heard(clip),
        "of one tick": speaker(24, 1),
        "of four ticks": speaker(24, 4),
        "with a face that is never found": speaker(24, SHORT, hidden=range(SHORT)),
        "with a face found for two ticks": speaker(24, SHORT, hidden=range(2, SHORT)),
        "with silence": replace(clip, audio=zeros),
        "with sound that covers nothing": replace(clip, audio=zeros, audio_valid=np.zeros(SHORT, bool)),
        "whose crops are not of frames": replace(clip, track=replace(clip.track, mouth_centres=None, matrices=None)),
    }
    for what, given in cases.items():
        _no_crash(s, given, strangers(), f"a clip {what}")


def _unsuitable_others(s: Subject) -> None:
    """Others from which nothing can be taken, or none at all, raise CannotForge; nothing crashes."""
    one, clip = speaker(25, SHORT), speaker(24, SHORT)
    cases = {
        "no others": [],
        "one other without sound": [silent(one)],
        "one other without a face": [heard(one)],
        "one other of one tick": [speaker(25, 1)],
        "one other whose face is never found": [speaker(25, SHORT, hidden=range(SHORT))],
    }
    for what, others in cases.items():
        _no_crash(s, clip, others, what)


def _as_many_others(s: Subject) -> None:
    """With as many others as it says it needs, it can forge; callers give no more."""
    count = s.family.needs_others
    if any(len(made.given) == 1 + count for made in s.made):
        return
    refusals = []
    for seed in SEEDS:
        try:
            s.forge(good(), seed, strangers(count))
            return
        except CannotForge as error:
            refusals.append(str(error))
    require(False, f"it says needs_others={count}, and with so many it refuses: {'; '.join(dict.fromkeys(refusals))}")


def _no_crash(s: Subject, clip: Clip, others: Sequence[Clip], what: str) -> None:
    try:
        out = s.forge(clip, SEEDS[0], others)
    except CannotForge as refusal:
        require(str(refusal), f"{what}: CannotForge does not say why")
        return
    except Exception as error:
        raise Broken(f"{what}: it raised {type(error).__name__} instead of CannotForge: {error}") from error
    try:
        require_like(clip, out)
    except Broken as reason:
        raise Broken(f"{what}: {reason}") from None


KIT = Kit(
    "forgery",
    _opened,
    (
        _api_version,
        _declared,
        _alike,
        _deterministic,
        _input_kept,
        _label,
        _segments,
        _outside,
        _unsuitable,
        _unsuitable_others,
        _as_many_others,
    ),
)


def check_forgery(plugin: Any) -> dict[str, str]:
    """Make all checks of a forgery.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, or the `Family`.

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin)


def forgery_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_forgery` takes."""
    return KIT.pairs()
