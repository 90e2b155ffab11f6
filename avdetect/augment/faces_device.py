"""A genuine face and the forged one beside it, changed alike on the accelerator: framing, light, lens, sensor, coding.

Mild, and half of the pairs are not scaled at all: what tells them apart is fine and would be gone.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from avdetect.augment import device
from avdetect.augment.recode_device import jpeg_colour

SCALED, BLURRED, CODED = 0.5, 0.15, 0.15
"""Shares of pairs."""
SCALE = (0.89, 1.35)
MOVED = 8.0
"""Pixels, either way."""
BLUR = (0.3, 1.4)
"""Standard deviation, pixels."""
NOISE = 3.0
"""Largest standard deviation, levels; most have far less."""
QUALITY = (35.0, 96.0)
"""Of JPEG."""


def augment_pair(pair: Float[Array, "2 h w 3"], key: jax.Array) -> Float[Array, "2 h w 3"]:
    """Random changes, the same for both, rounded to levels in [0, 255]; sides divisible by 8."""
    keys = jax.random.split(key, 16)
    h, w = pair.shape[1:3]

    def share(i: int, low: float = 0.0, high: float = 1.0, shape: tuple[int, ...] = ()) -> Array:
        return jax.random.uniform(keys[i], shape, minval=low, maxval=high)

    def normal(i: int, sigma: float, *shape: int) -> Array:
        return jnp.broadcast_to(sigma * jax.random.normal(keys[i], shape), (2, *shape))

    x = jnp.where(share(0) < 0.5, pair[:, :, ::-1], pair)
    scale = jnp.where(share(1) < SCALED, jnp.exp(share(2, *np.log(SCALE))), 1.0)
    moved = jnp.round((1 - scale) * jnp.array([h, w]) / 2 + share(3, -MOVED, MOVED, (2,)))
    x = jax.image.scale_and_translate(x, x.shape, (1, 2), jnp.repeat(scale, 2), moved, method="linear")
    x = device.colour(
        x,
        saturation=jnp.exp(normal(4, 0.2)),
        balance=jnp.exp(normal(5, 0.05, 3)),
        contrast=jnp.exp(normal(6, 0.15)),
        brightness=normal(7, 10.0),
    )
    x = device.gamma(x, jnp.exp(normal(8, 0.15)))
    x = jnp.where(share(10) < BLURRED, blurred(x, share(9, *BLUR)), x)
    x = jnp.clip(x + NOISE * share(11) ** 3 * jax.random.normal(keys[12], x.shape[1:]), 0, 255)
    return jnp.round(jnp.where(share(13) < CODED, jpeg_colour(x, share(14, *QUALITY)), x))


def blurred(x: Float[Array, "b h w c"], sigma: Float[Array, ""]) -> Float[Array, "b h w c"]:
    """Gaussian filter of seven pixels each way."""
    at = jnp.arange(-3, 4)
    weights = jnp.exp(-(at**2) / 2 / sigma**2)
    weights = weights / weights.sum()
    for axis in (1, 2):
        pad = [(0, 0)] * 4
        pad[axis] = (3, 3)
        wide, size = jnp.pad(x, pad, mode="edge"), x.shape[axis]
        x = sum(weights[i] * jax.lax.slice_in_dim(wide, i, i + size, axis=axis) for i in range(7))  # type: ignore[assignment]
    return x
