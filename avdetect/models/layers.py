"""Building blocks that several networks share.

On a CPU, XLA trains small convolutions ten times slower than the same arithmetic written as one matrix product, so the
temporal convolutions here are products over shifted copies. All of them are *valid*: they return fewer ticks than they
get, so that no output ever depends on padding.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


def compute_dtype(name: str) -> jnp.dtype:
    """``auto`` means bfloat16 on accelerators and float32 on a CPU; parameters are float32 everywhere."""
    if name == "auto":
        name = "float32" if jax.default_backend() == "cpu" else "bfloat16"
    return jnp.dtype(name)


def unfold(x: Float[Array, "b t d"], size: int) -> Float[Array, "b u e"]:
    """Each tick beside its neighbours: ``u = t - size + 1`` ticks of ``e = size * d`` values."""
    ticks = x.shape[1] - size + 1
    return jnp.concatenate([x[:, i : i + ticks] for i in range(size)], axis=-1)


class TemporalBlock(nnx.Module):
    """Residual block over three ticks: norm, convolution, GELU, projection. Returns two ticks fewer than it gets."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.norm = nnx.LayerNorm(width, dtype=dtype, rngs=rngs)
        self.mix = nnx.Linear(3 * width, width, dtype=dtype, rngs=rngs)
        # Starting at zero makes the block the identity, which lets deep stacks train from the first step.
        self.out = nnx.Linear(width, width, kernel_init=nnx.initializers.zeros, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b t d"]) -> Float[Array, "b u d"]:
        """Two ticks fewer, same width."""
        return x[:, 1:-1] + self.out(nnx.gelu(self.mix(unfold(self.norm(x), 3))))


class Residual2D(nnx.Module):
    """Two 3x3 convolutions over a map with group normalisation, padded at the borders of the map."""

    def __init__(self, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.norm1 = nnx.GroupNorm(channels, num_groups=8, dtype=dtype, rngs=rngs)
        self.conv1 = nnx.Conv(channels, channels, (3, 3), dtype=dtype, rngs=rngs)
        self.norm2 = nnx.GroupNorm(channels, num_groups=8, dtype=dtype, rngs=rngs)
        self.conv2 = nnx.Conv(channels, channels, (3, 3), kernel_init=nnx.initializers.zeros, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """Same shape."""
        y = self.conv1(nnx.gelu(self.norm1(x)))
        return x + self.conv2(nnx.gelu(self.norm2(y)))


def unit(x: Float[Array, "*n d"]) -> Float[Array, "*n d"]:
    """Scaled to length one in float32 (safe at zero)."""
    x = x.astype(jnp.float32)
    return x * jax.lax.rsqrt(jnp.sum(x * x, axis=-1, keepdims=True) + 1e-8)
