"""An encoder for pictures, one for sound and a fusion head of somebody else; tests copy this file elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx


@dataclass(frozen=True)
class BrightnessOptions:
    """Of everything that a configuration can hold, one."""

    width: int = 8
    cells: tuple[int, int] = (4, 2)
    pool: Literal["mean", "max"] = "mean"
    scale: float | None = None
    bias: bool = True

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width must be at least 1, not {self.width}")


def cells_of(pictures: jax.Array, count: int) -> jax.Array:
    """Mean colours of ``count`` x ``count`` cells of square pictures ``[b h h 3]``, in -1 ... 1."""
    b, side = pictures.shape[:2]
    cut = pictures[:, : side // count * count, : side // count * count] / 127.5 - 1
    return cut.reshape(b, count, side // count, count, side // count, 3).mean(axis=(2, 4)).reshape(b, -1)


class Brightness(nnx.Module):
    """Cells of the face, and how those of the mouth change."""

    api_version = 1
    Options = BrightnessOptions

    def __init__(self, options: BrightnessOptions, *, dtype: Any, rngs: nnx.Rngs):
        self.options = options
        face, mouth = options.cells
        self.hidden = nnx.Linear(3 * (face**2 + 2 * mouth**2), options.width, dtype=dtype, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)
        self.out = nnx.Linear(options.width, 1, use_bias=options.bias, dtype=dtype, rngs=rngs)

    def __call__(self, faces: jax.Array, mouths: jax.Array) -> jax.Array:
        """See `avdetect.api.VisualEncoder`."""
        face, mouth = self.options.cells
        before, here, after = (cells_of(mouths[:, i], mouth) for i in range(3))
        x = jnp.concatenate([cells_of(faces, face), here - before, after - here], axis=-1)
        return self.out(self.dropout(nnx.gelu(self.hidden(x))))[:, 0].astype(jnp.float32)


@dataclass(frozen=True)
class LoudnessOptions:
    """How many ticks on either side are heard."""

    around: int = 2


class Loudness(nnx.Module):
    """How loud a tick and those around it are."""

    api_version = 1
    Options = LoudnessOptions

    def __init__(self, options: LoudnessOptions, *, dtype: Any, rngs: nnx.Rngs):
        self.around = options.around
        self.out = nnx.Linear(2 * options.around + 1, 2, dtype=dtype, rngs=rngs)

    @staticmethod
    def reach(options: LoudnessOptions) -> int:
        """See `avdetect.api.AudioEncoder`."""
        return options.around

    def __call__(self, audio: jax.Array, valid: jax.Array, *, cover: Any = None) -> tuple[jax.Array, jax.Array]:
        """See `avdetect.api.AudioEncoder`."""
        loud = jnp.log(jnp.square(audio.reshape(*valid.shape, -1)).mean(axis=-1) + 1e-6) / 10
        padded = jnp.pad(loud, ((0, 0), (self.around, self.around)))
        n = valid.shape[1]
        x = jnp.stack([padded[:, i : i + n] for i in range(2 * self.around + 1)], axis=-1)
        fake, speech = jnp.moveaxis(self.out(x).astype(jnp.float32), -1, 0)
        return fake, speech


@dataclass(frozen=True)
class PeakOptions:
    """Nothing to choose."""


class Peak(nnx.Module):
    """The highest similarity of a tick, and a linear four-way head."""

    api_version = 1
    Options = PeakOptions

    def __init__(self, options: PeakOptions, *, dtype: Any, rngs: nnx.Rngs):
        self.line = nnx.Linear(2, 1, dtype=dtype, rngs=rngs)
        self.four = nnx.Linear(6, 4, rngs=rngs)

    @staticmethod
    def reach(options: PeakOptions) -> int:
        """See `avdetect.api.FusionHead`."""
        return 0

    def mismatch(self, similarity: jax.Array, known: jax.Array, speech: jax.Array) -> jax.Array:
        """See `avdetect.api.FusionHead`."""
        peak = jnp.where(known, similarity, -1.0).max(axis=-1)
        return self.line(jnp.stack([peak, speech], axis=-1))[..., 0].astype(jnp.float32)

    def classes(self, logits: jax.Array, present: jax.Array) -> jax.Array:
        """See `avdetect.api.FusionHead`."""
        x = jnp.concatenate([jnp.where(present, jnp.tanh(logits), 0.0), present.astype(jnp.float32)], axis=-1)
        return jax.nn.log_softmax(self.four(x))
