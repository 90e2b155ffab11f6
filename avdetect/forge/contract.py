"""What a forgery is: a function from genuine clips to a forged one that says truthfully what was forged where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from avdetect.types import Clip


class CannotForge(ValueError):
    """This clip cannot be forged in this way (no face, no sound, too short, no second person, no TTS installed).

    The message says why; callers take another forgery or leave the clip genuine.
    """


class NetworkMissing(CannotForge):
    """No clip can be forged in this way here: a network that the user has to bring is not there, or of another kind.

    Training ends with it, where other reasons lead to another forgery: it would learn from something else than it was
    told.
    """


class Forge(Protocol):
    """``forge(clip, rng, others) -> Clip``.

    The result has the shapes and ranges of ``clip`` (uint8 crops, sound in [-1, 1], as many ticks), is finite, and
    carries ``label``: ``visual_fake``, ``audio_fake``, ``offset_ms`` and ``segments`` (seconds from the start of the
    clip), true to what was done. Ticks outside the segments are bit-equal to the input where the label says so. Equal
    inputs and an equally seeded ``rng`` give equal bits. The input is never written to.

    ``others`` are further clips, of other people unless the family says otherwise.

    Raises:
        CannotForge: see there.
    """

    def __call__(self, clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
        """See the class."""
        ...


@dataclass(frozen=True)
class Family:
    """A forgery with what a user must know to choose it.

    Attributes:
        forge: the function.
        changes: which of picture, sound and their timing it forges.
        needs_others: how many clips ``others`` has to hold at least; it may hold more. Given fewer, ``forge`` raises
            `CannotForge`.
        same_person: whether those must be of the person of ``clip``, rather than of other people.
        about: one line for ``--help``.
        api_version: of `avdetect.api` that it was written for: state ``api_version=1``. 0 = not stated, and refused.
    """

    forge: Forge
    changes: tuple[str, ...]
    about: str
    needs_others: int = 0
    same_person: bool = False
    api_version: int = 0
