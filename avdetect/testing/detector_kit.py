"""Does a detector do what `avdetect.api.Detector` says?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from avdetect.api import Detector, InputContract
from avdetect.calibration import Calibration
from avdetect.detectors import DETECTORS
from avdetect.detectors.answers import why_not
from avdetect.detectors.windows import ladder
from avdetect.testing.comparing import difference
from avdetect.testing.compilations import compilations
from avdetect.testing.conformance import DoesNotApply, Kit, global_chance, require, require_kind, require_version
from avdetect.testing.specimens import followed, heard, looped, silent, speaker
from avdetect.types import Clip, Evidence

TOLERANCE = 2e-3
"""By how much logits may differ where only the shape of the computation does."""
TICKS = 30
"""Ticks of the speakers that clips are made of."""


@dataclass(frozen=True)
class Subject:
    """A detector, how another one like it is made (if it can be), and how long the longest clip may be."""

    detector: Detector
    make: Callable[[], Detector] | None
    longest: int

    @property
    def lengths(self) -> list[int]:
        """Ticks of clips that it may be given, a short and a long one."""
        contract = self.detector.contract
        most = min(contract.max_ticks, max(self.longest, contract.min_ticks))
        if not self.detector.jittable:
            return sorted({contract.min_ticks, max(contract.min_ticks, most // 2), most})
        given = [n for n in ladder(contract) if n <= most] or ladder(contract)[-1:]
        return sorted({given[-1], given[0]})

    @property
    def middle(self) -> int:
        """Ticks of an ordinary clip: at most about a second, so that there is room for more."""
        most = max(self.lengths[0], min(TICKS, self.lengths[-1] // 2))
        return max(n for n in self.lengths if n <= most) if self.detector.jittable else most

    def clips(self, n_ticks: int, count: int) -> list[Clip]:
        """Speakers, all different, that it can be asked about."""
        return [looped(speaker(seed, TICKS), n_ticks) for seed in range(1, count + 1)]

    def ask(self, clips: Sequence[Clip]) -> Sequence[Evidence]:
        """One call, as the framework would make it; the answer is looked at.

        Raises:
            Broken: the answer is no evidence of these clips.
        """
        given = list(clips)
        if self.detector.jittable:  # it gets full batches only
            given += [given[-1]] * (self.detector.contract.batch - len(given))
        answer: Any = self.detector.evidence(given)
        require(not (reason := why_not(answer, given)), reason)
        return answer[: len(clips)]


def _opened(plugin: Any, *, longest: int = 100) -> Subject:
    if isinstance(plugin, str):
        return Subject(DETECTORS.create(plugin), lambda: DETECTORS.create(plugin), longest)
    if not isinstance(plugin, type) and hasattr(plugin, "evidence"):
        return Subject(plugin, None, longest)
    return Subject(plugin(), plugin, longest)


def _api_version(s: Subject) -> None:
    """The API version is stated."""
    require_version(s.detector)


def _declared(s: Subject) -> None:
    """Name, version, modalities and input contract are there and of their types."""
    d = s.detector
    require_kind("avdetect.detectors", d)
    require(isinstance(d.name, str) and d.name, f"its name is {d.name!r}; it must be a text")
    require(isinstance(d.version, str), f"its version is {d.version!r}; it must be a text")
    require(
        isinstance(d.modalities, frozenset),
        f"its modalities are a {type(d.modalities).__name__}; they must be a frozenset",
    )
    require(
        isinstance(d.contract, InputContract), f"its contract is a {type(d.contract).__name__}, not an InputContract"
    )
    require(isinstance(d.jittable, bool), f"jittable is {d.jittable!r}; it must be True or False")
    calibration = getattr(d, "calibration", None)
    require(
        isinstance(calibration, Calibration | None),
        f"its calibration is a {type(calibration).__name__}, no Calibration",
    )


def _answers(s: Subject) -> None:
    """One evidence a clip, of as many ticks, of the right types, finite or NaN, in range; shortest to longest clip."""
    for n_ticks in s.lengths:
        s.ask(s.clips(n_ticks, min(2, s.detector.contract.batch)))
    s.ask(s.clips(s.middle, s.detector.contract.batch))


def _deterministic(s: Subject) -> None:
    """An equal clip gives equal bits."""
    answers = []
    for seed in (1, 2):
        with global_chance(seed):
            answers.append(s.ask(s.clips(s.middle, 1))[0])
    require(not (d := difference(*answers)), f"asked twice about one clip, {d}")


def _input_kept(s: Subject) -> None:
    """Clips are not written to."""
    clips = s.clips(s.middle, 1)
    before = copy.deepcopy(clips)
    s.ask(clips)
    require(not (d := difference(before, clips, at="clips")), f"it wrote to its input: {d}")


def _batch_of_one(s: Subject) -> None:
    """What is said of a clip does not depend on the others of the call, nor on its place among them."""
    count = min(3, s.detector.contract.batch)
    if count < 2:
        raise DoesNotApply("it takes one clip at a time")
    clips = s.clips(s.middle, count)
    together = s.ask(clips[::-1])[::-1]
    for i, clip in enumerate(clips):
        d = difference(s.ask([clip])[0], together[i], tolerance=TOLERANCE)
        require(not d, f"alone and together with {count - 1} others: {d}")


def _padding(s: Subject) -> None:
    """Ticks without face and sound at the end change nothing that is said of those before, whatever crops they hold."""
    n = s.middle
    longer = [m for m in s.lengths if m > n]
    if not longer:
        raise DoesNotApply("it takes clips of one length only")
    clip = s.clips(n, 1)[0]
    alone = s.ask([clip])[0]
    for crops in ("black", "again", "noise"):
        tail = min(longer) - n if s.detector.jittable else min(20, max(longer) - n)
        found = s.ask([followed(clip, tail, crops=crops)])[0]
        for name in ("visual", "audio", "sync", "speech"):
            d = difference(getattr(alone, name), getattr(found, name)[:n], tolerance=TOLERANCE, at=name)
            require(not d, f"without and with {tail} masked ticks after it ({crops}): {d}")
        for name in ("classes", "probability"):
            d = difference(getattr(alone, name), getattr(found, name), tolerance=TOLERANCE, at=name)
            require(not d, f"without and with {tail} masked ticks after it ({crops}): {d}")


def _silent_clip(s: Subject) -> None:
    """Of a clip without sound it says nothing that would need sound."""
    if "sound" in s.detector.modalities:
        raise DoesNotApply("it needs sound, and is not asked without")
    _says_nothing(s, silent(s.clips(s.middle, 1)[0]), ("audio", "sync", "speech", "similarity"), "sound")


def _sound_alone(s: Subject) -> None:
    """Of sound without a face it says nothing that would need a face."""
    if "picture" in s.detector.modalities:
        raise DoesNotApply("it needs a picture, and is not asked without")
    _says_nothing(s, heard(s.clips(s.middle, 1)[0]), ("visual", "sync", "similarity"), "face")


def _mixed_batch(s: Subject) -> None:
    """Clips of different lengths, with and without a face or sound, may come in one call."""
    if s.detector.jittable:
        raise DoesNotApply("it gets clips of one length and kind together")
    if s.detector.contract.batch < 2:
        raise DoesNotApply("it takes one clip at a time")
    lengths = list(dict.fromkeys((s.middle, s.lengths[0], s.lengths[-1])))
    kinds: list[Callable[[Clip], Clip]] = [lambda clip: clip]
    kinds += [silent] * ("sound" not in s.detector.modalities) + [heard] * ("picture" not in s.detector.modalities)
    count = max(len(lengths), len(kinds))
    if count < 2:
        raise DoesNotApply("it takes clips of one length and kind only")
    clips = [kinds[i % len(kinds)](looped(speaker(i + 1, TICKS), lengths[i % len(lengths)])) for i in range(count)]
    alone = [s.ask([clip])[0] for clip in clips]
    for first in range(count):
        part = [(first + i) % count for i in range(min(count, s.detector.contract.batch))]
        for j, found in zip(part, s.ask([clips[j] for j in part]), strict=True):
            d = difference(alone[j], found, tolerance=TOLERANCE)
            require(not d, f"a clip of {clips[j].n_ticks} ticks alone and together with clips of other kinds: {d}")


def _says_nothing(s: Subject, clip: Clip, names: Sequence[str], what: str) -> None:
    found = s.ask([clip])[0]
    for name in names:
        said = int(np.isfinite(getattr(found, name)).sum())
        require(not said, f"a clip without {what} gets {said} values of {name}; they must be NaN")


def _made_twice(s: Subject) -> None:
    """Two detectors that are made alike say the same."""
    if s.make is None:
        raise DoesNotApply("it was given as an instance: give the class, or a function that makes it")
    clip = s.clips(s.middle, 1)
    answers = []
    for seed in (3, 4):
        with global_chance(seed):
            other = Subject(s.make(), s.make, s.longest)
        answers.append(other.ask(clip)[0])
    require(not (d := difference(*answers)), f"two of them were made; of one clip, {d}")


def _compiles_once(s: Subject) -> None:
    """One that says that it compiles does so once for clips of one length."""
    if not s.detector.jittable:
        raise DoesNotApply("it does not say that it compiles")
    clips = [looped(speaker(seed, TICKS), s.middle) for seed in (1, 2, 3)]
    s.ask(clips[:1])
    with compilations() as count:
        for clip in clips:
            s.ask([clip])
        again = count()
    require(again == 0, f"three more clips of {s.middle} ticks made it compile {again} times")


KIT = Kit(
    "detector",
    _opened,
    (
        _api_version,
        _declared,
        _answers,
        _deterministic,
        _input_kept,
        _batch_of_one,
        _padding,
        _silent_clip,
        _sound_alone,
        _mixed_batch,
        _made_twice,
        _compiles_once,
    ),
)


def check_detector(plugin: Any, *, longest: int = 100) -> dict[str, str]:
    """Make all checks of a detector.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, the class, a function that
            makes one, or an instance (which cannot be made twice to see whether the two agree).
        longest: ticks of the longest clip to ask about; what ``contract`` allows beyond is not tried.

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin, longest=longest)


def detector_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_detector` takes."""
    return KIT.pairs()
