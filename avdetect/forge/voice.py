"""What all forgeries of sound need: the sound of a clip, its level, cross-fades, labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from avdetect.augment.sound import level
from avdetect.forge.contract import CannotForge
from avdetect.types import SAMPLE_RATE, TICK_RATE, Clip, Segment

Sound = Float32[np.ndarray, " s"]
Remake = Callable[[Sound, np.random.Generator], Sound]
"""Sound made anew in the same words and the same time."""
FADE_S = 0.008
QUIET = 1e-4
"""Sound of a lower level (root mean square) is silence: there is nothing to forge."""


def sound_of(clip: Clip, *, seconds: float = 0.3) -> Sound:
    """The sound of a clip.

    Raises:
        CannotForge: there is none, less than ``seconds``, or only silence.
    """
    if clip.audio is None or not clip.audio_valid.any():
        raise CannotForge("the clip has no sound")
    if len(clip.audio) < seconds * SAMPLE_RATE:
        raise CannotForge(f"the clip is shorter than {seconds:g} s")
    if level(clip.audio) < QUIET:
        raise CannotForge("the clip is silent")
    return clip.audio


def matched(made: np.ndarray, original: np.ndarray) -> Sound:
    """Exactly as long and as loud as the original, within [-1, 1].

    Raises:
        CannotForge: nothing audible came out.
    """
    made = np.pad(made, (0, max(0, len(original) - len(made))))[: len(original)]
    if not np.isfinite(made).all() or level(made) < QUIET / 10:
        raise CannotForge("the voice made is silent or not a number")
    made = made * (level(original) / level(made))
    # Turned down as a whole rather than clipped: clipping would be a trace that no genuine clip has.
    return (made * min(1.0, 1.0 / max(float(np.abs(made).max()), 1e-9))).astype(np.float32)


def remade(clip: Clip, rng: np.random.Generator, remake: Remake) -> Clip:
    """The clip in a false voice that says the same at the same time.

    Raises:
        CannotForge: see :func:`sound_of`.
    """
    audio = sound_of(clip)
    made = matched(remake(audio, rng), audio)
    segments = (*clip.label.segments, Segment(0.0, clip.n_ticks / TICK_RATE, "audio"))
    return replace(clip, audio=made, label=replace(clip.label, audio_fake=True, segments=segments))


def faded_in(original: Sound, made: Sound, start: int, stop: int) -> Sound:
    """``made`` between two samples, faded over ``FADE_S`` inside them, and bit for bit the original elsewhere."""
    out = original.copy()
    n = stop - start
    ramp = max(1, min(int(FADE_S * SAMPLE_RATE), n // 2))
    weight = np.ones(n, np.float32)
    if start > 0:
        weight[:ramp] = np.linspace(0, 1, ramp, dtype=np.float32)
    if stop < len(original):
        weight[n - ramp :] = np.minimum(weight[n - ramp :], np.linspace(1, 0, ramp, dtype=np.float32))
    piece = weight * made[start:stop] + (1 - weight) * original[start:stop]
    out[start:stop] = np.clip(piece, -1, 1)
    return out
