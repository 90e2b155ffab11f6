"""Does an augmentation do what `avdetect.api.Augmentation` says?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from avdetect.augment import AUGMENTATIONS
from avdetect.testing.clip_checks import require_like
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import Kit, global_chance, require, require_kind, require_version
from avdetect.testing.specimens import heard, silent, speaker
from avdetect.types import Clip, Label, Segment

TICKS = 20
SEEDS = (0, 1, 2)
"""Of the generators that are given: what is drawn may go one way or another."""


@dataclass(frozen=True)
class Subject:
    """An augmentation."""

    augment: Callable[[Clip, np.random.Generator], Clip]

    def made(self, clip: Clip, seed: int) -> Clip:
        """What it makes of a clip; looked at.

        Raises:
            Broken: it is not like the clip.
        """
        out = self.augment(clip, np.random.default_rng(seed))
        require_like(clip, out)
        return out


def unlabelled(n_ticks: int = TICKS) -> Clip:
    """A speaker who is not seen for two ticks, with no label, as augmentations get it."""
    return replace(speaker(11, n_ticks, hidden=(n_ticks // 2,)), label=Label())


def _opened(plugin: Any) -> Subject:
    return Subject(AUGMENTATIONS.get(plugin) if isinstance(plugin, str) else plugin)


def _api_version(s: Subject) -> None:
    """The API version is stated."""
    require_version(s.augment)


def _declared(s: Subject) -> None:
    """It can be called with a clip and a generator."""
    require_kind("avdetect.augmentations", s.augment)


def _alike(s: Subject) -> None:
    """Ticks, shapes, types and ranges stay, and all is finite."""
    for seed in SEEDS:
        s.made(unlabelled(), seed)


def _deterministic(s: Subject) -> None:
    """All chance comes from the generator: equal clips and seeds give equal bits."""
    for seed in SEEDS:
        made = []
        for other in (1, 2):
            with global_chance(other):
                made.append(s.made(unlabelled(), seed))
        require(not (d := difference(*made)), f"twice with the seed {seed}: {d}")


def _input_kept(s: Subject) -> None:
    """The clip is not written to."""
    for seed in SEEDS:
        clip = unlabelled()
        before = copy.deepcopy(clip)
        s.made(clip, seed)
        require(not (d := difference(before, clip)), f"it wrote to its input: {d}")


def _label_unseen(s: Subject) -> None:
    """Genuine and forged clips are degraded alike."""
    labels = [
        Label(False, False, 0.0),
        Label(True, True, 200.0, (Segment(0.0, 0.4, "visual"), Segment(0.2, 0.6, "audio"))),
    ]
    for seed in SEEDS:
        made = []
        for label in labels:
            with global_chance(seed):
                made.append(replace(s.made(replace(unlabelled(), label=label), seed), label=Label()))
        require(not (d := difference(*made)), f"a genuine and a forged clip, otherwise equal, with seed {seed}: {d}")


def _sound_alone(s: Subject) -> None:
    """A clip may have no face."""
    for seed in SEEDS:
        s.made(heard(unlabelled()), seed)


def _silent_clip(s: Subject) -> None:
    """A clip may have no sound; or nothing but zeros."""
    clip = unlabelled()
    assert clip.audio is not None
    for seed in SEEDS:
        s.made(silent(clip), seed)
        s.made(replace(clip, audio=np.zeros_like(clip.audio)), seed)


def _short_clip(s: Subject) -> None:
    """A clip may be as short as one tick."""
    for n_ticks in (1, 2, 3):
        for seed in SEEDS:
            s.made(replace(speaker(12, n_ticks), label=Label()), seed)


def _black_stays(s: Subject) -> None:
    """Face crops that are black all over were not decoded, and stay black."""
    clip = unlabelled()
    assert clip.track is not None
    undecoded = np.arange(clip.n_ticks) % 5 != 0  # as training reads them
    clip.track.faces[undecoded] = 0
    for seed in SEEDS:
        track = s.made(clip, seed).track
        assert track is not None
        lit = int(track.faces[undecoded].any(axis=(1, 2, 3)).sum())
        require(not lit, f"{lit} of {int(undecoded.sum())} black crops are black no more (seed {seed})")
    clip.track.faces[:] = 0
    for seed in SEEDS:
        s.made(clip, seed)


KIT = Kit(
    "augmentation",
    _opened,
    (
        _api_version,
        _declared,
        _alike,
        _deterministic,
        _input_kept,
        _label_unseen,
        _sound_alone,
        _silent_clip,
        _short_clip,
        _black_stays,
    ),
)


def check_augmentation(plugin: Any) -> dict[str, str]:
    """Make all checks of an augmentation.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, or the function.

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin)


def augmentation_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_augmentation` takes."""
    return KIT.pairs()
