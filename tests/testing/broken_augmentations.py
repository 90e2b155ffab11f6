"""Augmentations, each broken in one way; and sound ones that no check may complain of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from avdetect.types import Clip, FaceTrack, Label


@dataclass(frozen=True)
class Dim:
    """Darker by chance, and quieter; nothing is wrong with it. ``about`` says how another one is broken."""

    about: str = "nothing"
    api_version: Any = 1

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """See `avdetect.api.Augmentation`."""
        share = rng.uniform(0.3, 0.9)
        track = None if clip.track is None else self.darker(clip.track, share)
        audio = None if clip.audio is None else (clip.audio * np.float32(share))
        return replace(clip, track=track, audio=audio)

    def darker(self, track: FaceTrack, share: float) -> FaceTrack:
        """The pictures."""
        faces, mouths = ((x * share).astype(np.uint8) for x in (track.faces, track.mouths))
        return replace(track, faces=faces, mouths=mouths)


def function(clip: Clip, rng: np.random.Generator) -> Clip:
    """A function as an augmentation; nothing is wrong with it."""
    return Dim()(clip, rng)


function.api_version = 1  # type: ignore[attr-defined]


class Shorter(Dim):
    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        made = super().__call__(clip, rng)
        audio = None if made.audio is None or len(made.audio) <= 640 else made.audio[:-640]
        return replace(made, audio=audio if audio is not None else made.audio)


class Doubles(Dim):
    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        made = super().__call__(clip, rng)
        return made if made.audio is None else replace(made, audio=made.audio.astype(np.float64))


class TooLoud(Dim):
    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        made = super().__call__(clip, rng)
        return made if made.audio is None or not made.audio.any() else replace(made, audio=made.audio * 100)


class NotFinite(Dim):
    """Normalises by a value that is zero for some clips."""

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        made = super().__call__(clip, rng)
        if made.audio is None:
            return made
        with np.errstate(invalid="ignore", divide="ignore"):
            return replace(made, audio=made.audio / np.abs(made.audio).max())


class OfGlobalChance(Dim):
    def darker(self, track: FaceTrack, share: float) -> FaceTrack:
        return super().darker(track, share * np.random.uniform(0.3, 1.0))  # noqa: NPY002


class Writing(Dim):
    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        if clip.audio is not None:
            clip.audio[:] = clip.audio / 2
        return super().__call__(clip, rng)


class SeesTheLabel(Dim):
    """Degrades forged clips more."""

    def darker(self, track: FaceTrack, share: float) -> FaceTrack:
        return super().darker(track, share)

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        made = super().__call__(clip, rng)
        if clip.label.visual_fake and made.track is not None:
            made = replace(made, track=self.darker(made.track, 0.5))
        return replace(made, label=Label())


class NeedsAFace(Dim):
    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        assert clip.track is not None
        return super().__call__(clip, rng)


class MakesUpAFace(Dim):
    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        made = super().__call__(clip, rng)
        if made.track is not None:
            self.last.append(made.track)
            return made
        return replace(made, track=self.last[-1])

    @property
    def last(self) -> list[FaceTrack]:
        """Tracks seen."""
        return self.__dict__.setdefault("_last", [])


class NeedsSound(Dim):
    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        assert clip.audio is not None
        return super().__call__(clip, rng)


class NeedsASecond(Dim):
    """Smooths over ten ticks."""

    def darker(self, track: FaceTrack, share: float) -> FaceTrack:
        if track.n_ticks < 10:
            raise ValueError("too short to be smoothed")
        return super().darker(track, share)


class Brightens(Dim):
    """Makes black crops grey."""

    def darker(self, track: FaceTrack, share: float) -> FaceTrack:
        made = super().darker(track, share)
        return replace(made, faces=np.maximum(made.faces, 20))


class OfMeanFace(Dim):
    """Fails where there is no crop at all."""

    def darker(self, track: FaceTrack, share: float) -> FaceTrack:
        lit = track.faces[track.faces.any(axis=(1, 2, 3))]
        if not len(lit):
            raise ZeroDivisionError("no crop to take the mean of")
        return super().darker(track, share)


class TakesNoGenerator:
    api_version = 1

    def __call__(self, clip: Clip) -> Clip:
        return clip


SOUND = [Dim(), function]
BROKEN: dict[str, list[Any]] = {
    "api_version": [Dim("of another version", 2), Dim("of no version", None), Dim("of a text", "1")],
    "declared": [TakesNoGenerator(), Dim],
    "alike": [Shorter("shorter"), Doubles("in doubles"), TooLoud("too loud")],
    "deterministic": [OfGlobalChance("of global chance")],
    "input_kept": [Writing("writing")],
    "label_unseen": [SeesTheLabel("sees the label")],
    "sound_alone": [NeedsAFace("needs a face"), MakesUpAFace("makes up a face")],
    "silent_clip": [NeedsSound("needs sound"), NotFinite("divides by silence")],
    "short_clip": [NeedsASecond("needs a second")],
    "black_stays": [Brightens("brightens"), OfMeanFace("of the mean face")],
}
