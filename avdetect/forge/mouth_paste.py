"""A mouth from another time of the clip, or of another clip, moving on as it did there: lips that say other words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.donors import turned_alike
from avdetect.forge.mouth_transplant import MouthTransplant, plan_transplant
from avdetect.forge.views import PictureForge
from avdetect.types import FaceTrack

LEAST_SHIFT = 8
"""Ticks between a moment and the one whose mouth is shown: nearer ones can pass for the same syllable."""


def plan_mouth_paste(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> MouthTransplant:
    """Takes the mouth from the clip itself, or, every other time if there are any, from another one.

    Raises:
        CannotForge: the clip is too short to take a mouth from another time of it, and no other fits.
    """
    n = track.n_ticks
    others = turned_alike(track, others)
    if others and (rng.random() < 0.5 or n < 2 * LEAST_SHIFT):
        giver = others[int(rng.integers(len(others)))]
        start = int(rng.integers(giver.n_ticks))
        return plan_transplant(track, there_and_back(start + np.arange(n), giver.n_ticks), rng, giver=giver)
    if n < 2 * LEAST_SHIFT:
        raise CannotForge(f"the clip has {n} ticks; a mouth from another time of it needs {2 * LEAST_SHIFT}")
    shift = int(rng.integers(LEAST_SHIFT, n - LEAST_SHIFT + 1))
    # Around the end: from there on the mouth is that of the beginning.
    return plan_transplant(track, (np.arange(n) + shift) % n, rng)


def there_and_back(ticks: np.ndarray, n: int) -> np.ndarray:
    """Ticks folded into 0 ... n - 1 by turning round at the ends, so that nothing jumps."""
    period = max(2 * (n - 1), 1)
    folded = ticks % period
    return np.minimum(folded, period - folded) if n > 1 else np.zeros_like(ticks)


FAMILY = Family(
    PictureForge(plan_mouth_paste),
    changes=("picture", "timing"),
    about="the mouth of another time or of another clip (if any is given), blended in",
    api_version=1,
)
