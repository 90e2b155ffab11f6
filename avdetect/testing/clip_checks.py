"""What may be said of a clip that was made from another: the same shapes, in range, finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from avdetect.testing.conformance import require
from avdetect.types import Clip

PICTURE = ("faces", "mouths", "landmarks", "visible")
SLACK = 1e-6


def require_like(before: Clip, after: Any) -> None:
    """That a clip has the shapes, types and ranges of the one it was made from, and is finite.

    Raises:
        Broken: it has not.
    """
    require(isinstance(after, Clip), f"it gave a {type(after).__name__} instead of a Clip")
    arrays = [("audio", before.audio, after.audio), ("audio_valid", before.audio_valid, after.audio_valid)]
    require(
        (before.track is None) == (after.track is None),
        "it made up a face track" if before.track is None else "it lost the face track",
    )
    if before.track is not None and after.track is not None:
        arrays += [(name, getattr(before.track, name), getattr(after.track, name)) for name in PICTURE]
    for name, was, now in arrays:
        shapes = [None if x is None else f"{np.asarray(x).dtype}{list(np.shape(x))}" for x in (was, now)]
        require(shapes[0] == shapes[1], f"{name} was {shapes[0]} and is {shapes[1]}")
        if now is not None and np.issubdtype(now.dtype, np.floating):
            require(np.isfinite(now).all(), f"{name} is not finite at {int((~np.isfinite(now)).sum())} places")
    if after.audio is not None and len(after.audio):
        peak = float(np.abs(after.audio).max())
        require(peak <= 1 + SLACK, f"the sound reaches {peak:.4g}; it must stay in -1 ... 1")


def parts_that_differ(a: Clip, b: Clip) -> tuple[bool, bool]:
    """Whether the picture differs, and whether the sound does (or what of it is covered)."""
    picture = False
    if a.track is not None and b.track is not None:
        picture = any(not np.array_equal(getattr(a.track, n), getattr(b.track, n)) for n in PICTURE)
    sound = a.audio is not None and b.audio is not None and not np.array_equal(a.audio, b.audio)
    return picture, sound
