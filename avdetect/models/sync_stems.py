"""Convolutional stems of a lips-and-sound pair, for training on accelerators.

The stems in `avdetect.models.sync` are single products of patches with a matrix, which a CPU trains in minutes; these
learn to find a mouth that is not quite in its place and sounds that are not quite in their band. At inference they cost
about 0.08 (mouths) and 0.05 (sound) GFLOP a tick.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from avdetect.models.frontend import FRAMES_PER_TICK, MEL
from avdetect.models.layers import Residual2D, unfold

REACH_STEM = 2
TICKS = 2 * REACH_STEM + 1
"""Ticks that a stem sees at once, and on either side of its own."""
NARROW = 48
"""Channels that are left of a map before it is laid out as a vector."""


class _Maps(nnx.Module):
    """A convolution of five by five, two halvings with a residual block each, fewer channels, flattened, projected.

    Args:
        channels: of the input and of the three maps.
        strides: of the first convolution.
        cells: of the last map.
        width: of the result.
    """

    def __init__(
        self,
        channels: tuple[int, int, int, int],
        *,
        strides: tuple[int, int],
        cells: int,
        width: int,
        dtype: jnp.dtype,
        rngs: nnx.Rngs,
    ):
        seen, first, second, third = channels
        self.conv1 = nnx.Conv(seen, first, (5, 5), strides=strides, dtype=dtype, rngs=rngs)
        self.conv2 = nnx.Conv(first, second, (3, 3), strides=(2, 2), dtype=dtype, rngs=rngs)
        self.block2 = Residual2D(second, dtype=dtype, rngs=rngs)
        self.conv3 = nnx.Conv(second, third, (3, 3), strides=(2, 2), dtype=dtype, rngs=rngs)
        self.block3 = Residual2D(third, dtype=dtype, rngs=rngs)
        self.norm = nnx.GroupNorm(third, num_groups=8, dtype=dtype, rngs=rngs)
        self.narrow = nnx.Conv(third, NARROW, (1, 1), dtype=dtype, rngs=rngs)
        self.project = nnx.Linear(cells * NARROW, width, dtype=dtype, rngs=rngs)

    def vectors(self, x: Float[Array, "n h w c"]) -> Float[Array, "n d"]:
        """One vector for each map."""
        x = self.block2(self.conv2(nnx.gelu(self.conv1(x))))
        x = self.block3(self.conv3(nnx.gelu(x)))
        x = nnx.gelu(self.narrow(nnx.gelu(self.norm(x))))
        return self.project(x.reshape(len(x), -1))


class MouthConvStem(_Maps):
    """Five grey pictures as channels, halved three times."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        super().__init__((TICKS, 32, 64, 128), strides=(2, 2), cells=7 * 7, width=width, dtype=dtype, rngs=rngs)

    def __call__(self, mouths: Float[Array, "b t 56 56"]) -> Float[Array, "b u d"]:
        """Two ticks fewer at either end. ``mouths``: grey, about zero mean and unit variance in each picture."""
        b, t, h, w = mouths.shape
        u = t - TICKS + 1
        x = jnp.stack([mouths[:, i : i + u] for i in range(TICKS)], axis=-1)
        return self.vectors(x.reshape(b * u, h, w, TICKS)).reshape(b, u, -1)


class SoundConvStem(_Maps):
    """The log-mel picture of five ticks (20 frames of 64 bands), halved three times in pitch and twice in time."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        cells = TICKS * MEL.n_mels // 8
        super().__init__((1, 32, 64, 96), strides=(1, 2), cells=cells, width=width, dtype=dtype, rngs=rngs)

    def __call__(self, mel: Float[Array, "b t 4 f"]) -> Float[Array, "b u d"]:
        """Two ticks fewer at either end."""
        x = unfold(mel.reshape(*mel.shape[:2], -1), TICKS)
        b, u, _ = x.shape
        return self.vectors(x.reshape(b * u, TICKS * FRAMES_PER_TICK, MEL.n_mels, 1)).reshape(b, u, -1)
