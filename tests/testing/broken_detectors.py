"""Detectors, each broken in one way; and sound ones that no check may complain of."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from avdetect.api import Clip, Evidence, InputContract
from avdetect.testing.specimens import silent


class Sound:
    """Says how bright a face is and how loud the sound; nothing is wrong with it."""

    api_version: Any = 1
    name: Any = "brightness"
    version: Any = "1"
    modalities: Any = frozenset()
    contract: Any = InputContract(max_ticks=60, min_ticks=4, batch=3)
    jittable: Any = False

    def evidence(self, clips: Sequence[Clip]) -> Any:
        """See `avdetect.api.Detector`."""
        return [self.one(clip) for clip in clips]

    def one(self, clip: Clip) -> Evidence:
        """Of a clip."""
        known = {}
        if clip.track is not None:
            bright = clip.track.faces[:, ::16, ::16].mean(axis=(1, 2, 3)) / 64 - 2
            known["visual"] = np.where(clip.track.visible, bright, np.nan).astype(np.float32)
        if clip.audio is not None:
            loud = np.log(np.square(clip.audio.reshape(clip.n_ticks, -1)).mean(axis=1) + 1e-6)
            known["audio"] = np.where(clip.audio_valid, loud, np.nan).astype(np.float32)
        said = np.concatenate([x[np.isfinite(x)] for x in known.values()])
        return Evidence.only(clip.n_ticks, probability=float(1 / (1 + np.exp(-said.mean()))), **known)


class Compiled(Sound):
    """The same, of the face alone, compiled; nothing is wrong with it."""

    modalities = frozenset({"picture"})
    contract = InputContract(max_ticks=40, min_ticks=10, batch=2)
    jittable = True

    def __init__(self) -> None:
        self.bright = jax.jit(lambda faces: faces[:, :, ::16, ::16].astype(jnp.float32).mean(axis=(2, 3, 4)) / 64 - 2)

    def evidence(self, clips: Sequence[Clip]) -> Any:
        tracks = [clip.track for clip in clips if clip.track is not None]
        bright = np.asarray(self.bright(np.stack([track.faces for track in tracks])))
        seen = [np.where(track.visible, x, np.nan).astype(np.float32) for x, track in zip(bright, tracks, strict=True)]
        return [Evidence.only(len(x), visual=x) for x in seen]


class OfAnotherVersion(Sound):
    api_version = 2


class OfNoVersion(Sound):
    api_version = None


class Nameless(Sound):
    name = ""


class WithModalitiesAsList(Sound):
    modalities = ["picture"]  # noqa: RUF012


class NeedsSmell(Sound):
    modalities = frozenset({"smell"})


class WithoutContract(Sound):
    contract = 60


class OneTooFew(Sound):
    def evidence(self, clips: Sequence[Clip]) -> Any:
        return super().evidence(clips)[: max(1, len(clips) - 1)]


class ATickLess(Sound):
    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return replace(found, visual=found.visual[1:])


class InDoubles(Sound):
    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return replace(found, visual=found.visual.astype(np.float64))


class Infinite(Sound):
    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return replace(found, visual=np.where(np.isfinite(found.visual), np.inf, np.nan).astype(np.float32))


class LogitForProbability(Sound):
    def one(self, clip: Clip) -> Evidence:
        return replace(super().one(clip), probability=float(np.float32(-1.5)))


class OnlyLongClips(Sound):
    """Although its contract takes clips of four ticks."""

    def one(self, clip: Clip) -> Evidence:
        if clip.n_ticks < 10:
            raise ValueError("ten ticks are needed")
        return super().one(clip)


class OfChance(Sound):
    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return replace(found, audio=found.audio + np.float32(np.random.normal()))  # noqa: NPY002


class Writing(Sound):
    def one(self, clip: Clip) -> Evidence:
        if clip.audio is not None and clip.audio.flags.writeable:
            sound = clip.audio
            sound -= sound.mean()
        return super().one(clip)


class OverTheBatch(Sound):
    """Subtracts the mean of the call."""

    def evidence(self, clips: Sequence[Clip]) -> Any:
        found = super().evidence(clips)
        mean = np.float32(np.mean([np.nanmean(e.visual) for e in found if np.isfinite(e.visual).any()] or [0]))
        return [replace(e, visual=e.visual - mean) for e in found]


class Stacking(Sound):
    """Makes one array of all clips, as if all were of one length."""

    modalities = frozenset({"picture"})

    def evidence(self, clips: Sequence[Clip]) -> Any:
        np.stack([clip.track.faces for clip in clips if clip.track is not None])
        return super().evidence(clips)


class CutToTheFirst(Sound):
    """Looks at as many ticks of each clip as the first has."""

    def evidence(self, clips: Sequence[Clip]) -> Any:
        found = super().evidence(clips)
        for evidence in found:
            evidence.audio[clips[0].n_ticks :] = np.nan
        return found


class AsTheFirst(Sound):
    """Hears all clips of a call or none, as the first has sound or not."""

    def evidence(self, clips: Sequence[Clip]) -> Any:
        if clips[0].audio is None:
            clips = [clip if clip.track is None else silent(clip) for clip in clips]
        return super().evidence(clips)


class OverMaskedTicks(Sound):
    """Its probability is a mean over all ticks, whether there is anything or not."""

    def one(self, clip: Clip) -> Evidence:
        audio = np.zeros(clip.n_ticks) if clip.audio is None else clip.audio
        return replace(super().one(clip), probability=float(np.abs(audio).mean()))


class LooksAtWhatIsHidden(Sound):
    """Takes the mean face off, hidden ticks included."""

    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        if clip.track is None:
            return found
        return replace(found, visual=found.visual - np.float32(clip.track.faces[:, ::16, ::16].mean() / 64))


class HearsSilence(Sound):
    """A logit for sound that is not there."""

    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return found if clip.audio is not None else replace(found, audio=np.zeros(clip.n_ticks, np.float32))


class FailsWithoutSound(Sound):
    """Although it does not say that it needs any."""

    def one(self, clip: Clip) -> Evidence:
        assert clip.audio is not None
        return super().one(clip)


class SeesNobody(Sound):
    """A logit for a face that is not there."""

    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return found if clip.track is not None else replace(found, visual=np.zeros(clip.n_ticks, np.float32))


class OfRandomWeights(Sound):
    """Draws its weights anew whenever one is made."""

    def __init__(self) -> None:
        self.weight = np.float32(1 + np.random.rand())  # noqa: NPY002

    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return replace(found, audio=found.audio * self.weight)


class OfTheTime(Sound):
    """Its weights come from the clock."""

    def __init__(self) -> None:
        self.weight = np.float32(time.perf_counter_ns() % 1_000_003)

    def one(self, clip: Clip) -> Evidence:
        found = super().one(clip)
        return replace(found, audio=found.audio * self.weight)


class CompiledAnew(Compiled):
    """Makes a new compiled function for every call."""

    def evidence(self, clips: Sequence[Clip]) -> Any:
        self.__init__()
        return super().evidence(clips)


class CompiledForContent(Compiled):
    """Cuts out the bright ticks first, so that shapes depend on the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.spread = jax.jit(lambda x: x.std())

    def evidence(self, clips: Sequence[Clip]) -> Any:
        values = np.concatenate([clip.track.faces[0].ravel() for clip in clips if clip.track is not None])
        self.spread(values[values > np.median(values)])
        return super().evidence(clips)


SOUND = [Sound, Compiled, Sound(), lambda: Sound()]
BROKEN: dict[str, list[Any]] = {
    "api_version": [OfAnotherVersion, OfNoVersion],
    "declared": [Nameless, WithModalitiesAsList, NeedsSmell, WithoutContract],
    "answers": [OneTooFew, ATickLess, InDoubles, Infinite, LogitForProbability, OnlyLongClips],
    "deterministic": [OfChance],
    "input_kept": [Writing],
    "batch_of_one": [OverTheBatch],
    "padding": [OverMaskedTicks, LooksAtWhatIsHidden],
    "silent_clip": [HearsSilence, FailsWithoutSound],
    "sound_alone": [SeesNobody],
    "mixed_batch": [Stacking, CutToTheFirst, AsTheFirst],
    "made_twice": [OfRandomWeights, OfTheTime],
    "compiles_once": [CompiledAnew, CompiledForContent],
}
