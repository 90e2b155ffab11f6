"""A genuine face and the forged one beside it, changed alike on the accelerator: framing, light, lens, sensor, coding.

Mild, and half of the pairs are not scaled at all: what tells them apart is fine and would be gone.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from avdetect.augment import device

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

LUMA = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
], np.float32)  # fmt: skip
"""Quantisation of brightness at quality 50 (ITU-T T.81, table K.1)."""
CHROMA = np.full((8, 8), 99, np.float32)
CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
"""The same of colour (table K.2)."""
TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
COSINES = np.array(
    [[np.sqrt((1 if k == 0 else 2) / 8) * np.cos((2 * n + 1) * k * np.pi / 16) for n in range(8)] for k in range(8)],
    np.float32,
)


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
    return jnp.round(jnp.where(share(13) < CODED, jpeg(x, share(14, *QUALITY)), x))


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


def jpeg(x: Float[Array, "b h w 3"], quality: Float[Array, ""]) -> Float[Array, "b h w 3"]:
    """What JPEG leaves of RGB pictures with sides divisible by 8 (colour at full resolution); levels in [0, 255]."""
    scale = jnp.where(quality < 50, 50 / quality, 2 - quality / 50)
    steps = jnp.maximum(jnp.round(jnp.stack([LUMA, CHROMA, CHROMA], axis=-1) * scale), 1.0)[:, None]
    b, h, w, c = x.shape
    middle = jnp.array([128.0, 0.0, 0.0])
    blocks = (x @ TO_YCC.T - middle).reshape(b, h // 8, 8, w // 8, 8, c)
    waves = jnp.einsum("ki,byixjc,lj->bykxlc", COSINES, blocks, COSINES)
    waves = jnp.round(waves / steps) * steps
    blocks = jnp.einsum("ki,bykxlc,lj->byixjc", COSINES, waves, COSINES).reshape(x.shape)
    return jnp.clip((blocks + middle) @ jnp.asarray(np.linalg.inv(TO_YCC)).T, 0, 255)
