"""One random chain of degradations for a clip, drawn without a look at its label.

The order is that of a recording's life: framing, light, lens, sensor, something in the way, codec; room, microphone,
noise, converter, codec. Parameters are drawn once for a clip and hold for all its frames, and both crops go through the
same. Each step is found in the registry by the name of the option that says how often it is taken.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np

from avdetect.augment import AUGMENTATIONS
from avdetect.augment.config import AugmentConfig
from avdetect.augment.extra import add_extra
from avdetect.augment.steps import Framing, PictureChange, Pixels, Sound, changed
from avdetect.types import Clip, FaceTrack

FRAMING = ("mirror", "jitter")
PICTURE = ("colour", "grey", "gamma", "resize", "blur", "picture_noise", "cutout", "jpeg", "video_codec")
SOUND = (
    "reverb",
    "equaliser",
    "sound_noise",
    "band_limit",
    "gain",
    "clipping",
    "companding",
    "sound_codec",
)
ALWAYS = ("gain",)


def augment_clip(clip: Clip, rng: np.random.Generator, options: AugmentConfig) -> Clip:
    """A degraded copy; ticks, label and timing stay.

    Args:
        clip: with face crops of all ticks or only of some (the others black).
        rng: all that is random. The same state gives the same changes for any clip of the same shape.
        options: how often and how much.

    Raises:
        PluginError: an augmentation that ``options.extra`` names cannot be used, or failed.
    """
    # Not rng.spawn(): it counts its calls, so what it gives depends on what was drawn before with the same object.
    picture_rng, sound_rng = (np.random.default_rng(int(seed)) for seed in rng.integers(2**62, size=2))
    track = None if clip.track is None else augment_track(clip.track, picture_rng, options)
    audio = None if clip.audio is None else augment_sound(clip.audio, sound_rng, options)
    made = replace(clip, track=track, audio=audio)
    return add_extra(made, rng, options.extra) if options.extra else made


def augment_track(track: FaceTrack, rng: np.random.Generator, options: AugmentConfig) -> FaceTrack:
    """Framing first, then what happens to the pixels."""
    for name in FRAMING:
        if rng.random() < getattr(options, name):
            framing: Framing = _step(name)
            track = framing.draw(rng, options)(track)
    return changed(track, picture_steps(rng, options))


def picture_steps(rng: np.random.Generator, options: AugmentConfig) -> list[PictureChange]:
    """The changes of pixels that are drawn for one clip; each works on any size of pictures."""
    steps: list[PictureChange] = []
    for name in PICTURE:
        if rng.random() < getattr(options, name):
            pixels: Pixels = _step(name)
            steps.append(pixels.draw(rng, options))
    return steps


def augment_sound(audio: np.ndarray, rng: np.random.Generator, options: AugmentConfig) -> np.ndarray:
    """Room, microphone, noise, converter, codec, and a level of its own."""
    for name in SOUND:
        if name in ALWAYS or rng.random() < getattr(options, name):
            sound: Sound = _step(name)
            audio = sound.apply(audio, rng, options)
    return np.clip(audio, -1, 1).astype(np.float32)


@functools.cache
def _step(name: str) -> Any:
    return AUGMENTATIONS.get(name)
