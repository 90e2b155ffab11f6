"""Convolutional stems of a lips-and-sound pair, for training on accelerators.

The stems in `avdetect.models.sync` are single products of patches with a matrix, which a CPU trains in minutes; these
learn to find a mouth that is not quite in its place and sounds that are not quite in their band. At inference they cost
about 0.1 GFLOP a tick.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from avdetect.models.frontend import FRAMES_PER_TICK, MEL
from avdetect.models.layers import Residual2D, unfold

TICKS = 5
"""Ticks that a stem sees at once: two on either side."""
NARROW = 48
"""Channels that are left of a map before it is laid out as a vector."""


class MouthConvStem(nnx.Module):
    """Five grey pictures as channels, three halvings of the resolution, two residual blocks, flattened, projected."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(TICKS, 32, (5, 5), strides=(2, 2), dtype=dtype, rngs=rngs)
        self.conv2 = nnx.Conv(32, 64, (3, 3), strides=(2, 2), dtype=dtype, rngs=rngs)
        self.block2 = Residual2D(64, dtype=dtype, rngs=rngs)
        self.conv3 = nnx.Conv(64, 128, (3, 3), strides=(2, 2), dtype=dtype, rngs=rngs)
        self.block3 = Residual2D(128, dtype=dtype, rngs=rngs)
        self.norm = nnx.GroupNorm(128, num_groups=8, dtype=dtype, rngs=rngs)
        self.narrow = nnx.Conv(128, NARROW, (1, 1), dtype=dtype, rngs=rngs)
        self.project = nnx.Linear(7 * 7 * NARROW, width, dtype=dtype, rngs=rngs)

    def __call__(self, mouths: Float[Array, "b t 56 56"]) -> Float[Array, "b u d"]:
        """Two ticks fewer at either end. ``mouths``: grey, about zero mean and unit variance in each picture."""
        b, t, h, w = mouths.shape
        u = t - TICKS + 1
        x = jnp.stack([mouths[:, i : i + u] for i in range(TICKS)], axis=-1).reshape(b * u, h, w, TICKS)
        x = self.block2(self.conv2(nnx.gelu(self.conv1(x))))
        x = self.block3(self.conv3(nnx.gelu(x)))
        x = nnx.gelu(self.narrow(nnx.gelu(self.norm(x))))
        return self.project(x.reshape(b, u, -1))


class SoundConvStem(nnx.Module):
    """The log-mel picture of five ticks (20 frames of 64 bands), halved three times in pitch and twice in time."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1, 32, (5, 5), strides=(1, 2), dtype=dtype, rngs=rngs)
        self.conv2 = nnx.Conv(32, 64, (3, 3), strides=(2, 2), dtype=dtype, rngs=rngs)
        self.block2 = Residual2D(64, dtype=dtype, rngs=rngs)
        self.conv3 = nnx.Conv(64, 96, (3, 3), strides=(2, 2), dtype=dtype, rngs=rngs)
        self.block3 = Residual2D(96, dtype=dtype, rngs=rngs)
        self.norm = nnx.GroupNorm(96, num_groups=8, dtype=dtype, rngs=rngs)
        self.narrow = nnx.Conv(96, NARROW, (1, 1), dtype=dtype, rngs=rngs)
        self.project = nnx.Linear(5 * (MEL.n_mels // 8) * NARROW, width, dtype=dtype, rngs=rngs)

    def __call__(self, mel: Float[Array, "b t 4 f"]) -> Float[Array, "b u d"]:
        """Two ticks fewer at either end."""
        x = unfold(mel.reshape(*mel.shape[:2], -1), TICKS)
        b, u, _ = x.shape
        x = x.reshape(b * u, TICKS * FRAMES_PER_TICK, MEL.n_mels, 1)
        x = self.block2(self.conv2(nnx.gelu(self.conv1(x))))
        x = self.block3(self.conv3(nnx.gelu(x)))
        x = nnx.gelu(self.narrow(nnx.gelu(self.norm(x))))
        return self.project(x.reshape(b, u, -1))
