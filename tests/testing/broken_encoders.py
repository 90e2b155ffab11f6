"""Encoders and fusion heads, each broken in one way. The sound ones are in `tests.other_parts`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from tests.other_parts import Brightness, BrightnessOptions, Loudness, LoudnessOptions, Peak


class OfAnotherVersion(Peak):
    api_version = 2


class OfNoVersion(Loudness):
    api_version = None


@dataclass
class Thawed:
    width: int = 8


class WithThawedOptions(Brightness):
    Options = Thawed  # type: ignore[assignment]


class NoModule:
    """Is no class of Flax modules."""

    api_version, Options = 1, LoudnessOptions

    def __init__(self, options: Any, *, dtype: Any, rngs: nnx.Rngs):
        pass

    @staticmethod
    def reach(options: Any) -> int:
        return 0

    def __call__(self, audio: Any, valid: Any, *, cover: Any = None) -> Any:
        return audio, audio


@dataclass(frozen=True)
class NeedsAWidth(BrightnessOptions):
    """Cannot be made without arguments."""

    depth: int = field(kw_only=True)


class OfAWidth(Brightness):
    Options = NeedsAWidth


@dataclass(frozen=True)
class Holding:
    """Has an option that a configuration cannot hold."""

    scale: np.ndarray | None = None


class WithAnArray(Brightness):
    Options = Holding  # type: ignore[assignment]


class HalfATick(Loudness):
    @staticmethod
    def reach(options: Any) -> Any:
        return options.around + 0.5


class LessContext(Loudness):
    @staticmethod
    def context(options: Any) -> int:
        return options.around - 1


class WithStatistics(Brightness):
    """Normalises over the batch in training, and keeps a running mean."""

    def __init__(self, options: Any, *, dtype: Any, rngs: nnx.Rngs):
        super().__init__(options, dtype=dtype, rngs=rngs)
        self.norm = nnx.BatchNorm(1, rngs=rngs)


class WithNothingToTrain(nnx.Module):
    api_version, Options = 1, BrightnessOptions

    def __init__(self, options: Any, *, dtype: Any, rngs: nnx.Rngs):
        del options, dtype, rngs

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        return faces.mean(axis=(1, 2, 3))


class OfTwoDimensions(Brightness):
    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        return super().__call__(faces, mouths)[:, None]


class ATickLess(Loudness):
    def __call__(self, audio: jax.Array, valid: jax.Array, *, cover: Any = None) -> Any:
        fake, speech = super().__call__(audio, valid)
        return fake[:, 1:], speech


class OneOfTwo(Loudness):
    def __call__(self, audio: jax.Array, valid: jax.Array, *, cover: Any = None) -> Any:
        return super().__call__(audio, valid)[:1]


class InHalfPrecision(Brightness):
    """Gives activations as they are."""

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        return super().__call__(faces, mouths).astype(self.hidden.dtype)


class ByContrast(Brightness):
    """Divides by the contrast of the face, which a black one has not."""

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        return super().__call__(faces / faces.std(axis=(1, 2, 3), keepdims=True), mouths)


class ByLoudness(Loudness):
    """Divides by the loudness, which silence has not."""

    def __call__(self, audio: jax.Array, valid: jax.Array, *, cover: Any = None) -> Any:
        return super().__call__(audio / jnp.abs(audio).max(axis=1, keepdims=True), valid)


class OverKnown(Peak):
    """Takes a mean over lags, of which there may be none."""

    def mismatch(self, similarity: jax.Array, known: jax.Array, speech: jax.Array) -> jax.Array:
        mean = jnp.where(known, similarity, 0).sum(-1) / known.sum(-1)
        return super().mismatch(similarity, known, speech) + mean


class Logits(Peak):
    """Classes are logits."""

    def classes(self, logits: jax.Array, present: jax.Array) -> jax.Array:
        return super().classes(logits, present) + 0.5


class DrawsInEvaluation(Brightness):
    """Its dropout is never switched off."""

    def __init__(self, options: Any, *, dtype: Any, rngs: nnx.Rngs):
        super().__init__(options, dtype=dtype, rngs=rngs)
        self.always = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        self.always.deterministic = False
        return self.always(super().__call__(faces, mouths) + jnp.arange(1.0, len(faces) + 1) * 0)


class OfTheTime(Loudness):
    """Is made with numbers that no seed decides."""

    def __init__(self, options: Any, *, dtype: Any, rngs: nnx.Rngs):
        super().__init__(options, dtype=dtype, rngs=nnx.Rngs(params=time.perf_counter_ns() % 2**31))


class OverTheBatch(Brightness):
    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        out = super().__call__(faces, mouths)
        return out - out.mean()


class PoolsOverMasked(Loudness):
    """Subtracts the mean of the ticks around, within its context, whether they are covered or not."""

    @staticmethod
    def context(options: Any) -> int:
        return options.around + 4

    def __call__(self, audio: jax.Array, valid: jax.Array, *, cover: Any = None) -> Any:
        fake, speech = super().__call__(audio, valid)
        around = jax.vmap(lambda row: jnp.convolve(row, jnp.full(9, 1 / 9), mode="same"))(fake)
        return fake - around, speech


class OfAllTicks(Peak):
    """Subtracts the mean over the window from the mismatch of each tick."""

    def mismatch(self, similarity: jax.Array, known: jax.Array, speech: jax.Array) -> jax.Array:
        out = super().mismatch(similarity, known, speech)
        return out - out.mean(axis=1, keepdims=True)


class TakesWhatIsUnknown(Peak):
    def mismatch(self, similarity: jax.Array, known: jax.Array, speech: jax.Array) -> jax.Array:
        return super().mismatch(similarity, known, speech) + similarity.max(axis=-1)


class TakesWhatIsAbsent(Peak):
    def classes(self, logits: jax.Array, present: jax.Array) -> jax.Array:
        return super().classes(logits, jnp.ones_like(present))


class FartherThanItSays(Loudness):
    @staticmethod
    def reach(options: Any) -> int:
        return options.around - 1


class NormalisedByCovered(Loudness):
    """Subtracts the mean over all ticks that are covered, however far away."""

    def __call__(self, audio: jax.Array, valid: jax.Array, *, cover: Any = None) -> Any:
        fake, speech = super().__call__(audio, valid)
        loud = jnp.log(jnp.square(audio.reshape(*valid.shape, -1)).mean(axis=-1) + 1e-6)
        mean = jnp.where(valid, loud, 0).sum(axis=1) / jnp.maximum(valid.sum(axis=1), 1)
        return fake - mean[:, None], speech


class WithAStaticTable(Brightness):
    """Keeps a number that was drawn, and is no parameter."""

    def __init__(self, options: Any, *, dtype: Any, rngs: nnx.Rngs):
        super().__init__(options, dtype=dtype, rngs=rngs)
        self.offset = float(jax.random.normal(rngs.params()))

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        return super().__call__(faces, mouths) + self.offset


class Counting(Brightness):
    """Keeps count of its calls, so that every call is another function."""

    def __init__(self, options: Any, *, dtype: Any, rngs: nnx.Rngs):
        super().__init__(options, dtype=dtype, rngs=rngs)
        self.calls = 0

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        self.calls += 1
        return super().__call__(faces, mouths)


class Stopped(Brightness):
    """Lets no gradient through."""

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        return jax.lax.stop_gradient(super().__call__(faces, mouths))


class RootOfNothing(Loudness):
    """A root whose slope is infinite at zero."""

    def __call__(self, audio: jax.Array, valid: jax.Array, *, cover: Any = None) -> Any:
        fake, speech = super().__call__(audio, valid)
        loud = jnp.square(audio.reshape(*valid.shape, -1)).mean(axis=-1)
        assert self.out.bias is not None
        return jnp.sqrt(loud * self.out.bias[0] ** 2) + fake, speech


class TakesNoCover(Loudness):
    def __call__(self, audio: jax.Array, valid: jax.Array) -> Any:  # type: ignore[override]
        return super().__call__(audio, valid)


BROKEN: dict[str, list[Any]] = {
    "api_version": [OfAnotherVersion, OfNoVersion],
    "declared": [WithThawedOptions, NoModule],
    "options": [WithAnArray],
    "ticks_around": [HalfATick, LessContext],
    "kept": [WithStatistics, WithNothingToTrain],
    "shapes": [OfTwoDimensions, ATickLess, OneOfTwo, InHalfPrecision],
    "finite": [ByContrast, ByLoudness, OverKnown],
    "probabilities": [Logits],
    "deterministic": [DrawsInEvaluation, OfTheTime],
    "batch_of_one": [OverTheBatch],
    "reach": [FartherThanItSays, NormalisedByCovered, OfAllTicks],
    "padding": [PoolsOverMasked],
    "masked": [TakesWhatIsUnknown, TakesWhatIsAbsent],
    "save_restore": [WithAStaticTable],
    "compiles_once": [Counting],
    "trainable": [Stopped, RootOfNothing, TakesNoCover],
}
