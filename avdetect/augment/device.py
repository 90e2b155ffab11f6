"""The cheap degradations as JAX functions of whole batches, for machines whose accelerator has time to spare.

Every example of a batch gets its own random values from one typed PRNG key. At given values they compute what the host
functions of the same names do.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from avdetect.augment.picture import LUMA


def colour(
    pictures: Float[Array, "b h w 3"],
    *,
    saturation: Float[Array, " b"],
    balance: Float[Array, "b 3"],
    contrast: Float[Array, " b"],
    brightness: Float[Array, " b"],
) -> Float[Array, "b h w 3"]:
    """See `avdetect.augment.picture.colour`; levels in [0, 255]."""
    s, c = saturation[:, None, None], contrast[:, None, None]
    mix = s * jnp.eye(3) + (1 - s) * jnp.tile(jnp.asarray(LUMA), (3, 1))
    mix = c * balance[:, :, None] * mix
    added = 127.5 * (1 - contrast) + brightness
    return jnp.clip(jnp.einsum("bhwc,bdc->bhwd", pictures, mix) + added[:, None, None, None], 0, 255)


def gamma(pictures: Float[Array, "b h w 3"], exponent: Float[Array, " b"]) -> Float[Array, "b h w 3"]:
    """Levels in [0, 255], taken as shares of 255, raised to ``exponent``."""
    return 255 * (jnp.clip(pictures, 0, 255) / 255) ** exponent[:, None, None, None]


def cutout(pictures: Float[Array, "b h w 3"], box: Float[Array, "b 4"], fill: Float[Array, "b 3"]) -> Array:
    """Rectangles x0, y0, x1, y1 (shares of the sides) covered with one colour each."""
    h, w = pictures.shape[1:3]
    x0, y0, x1, y1 = (jnp.round(v)[:, None, None] for v in (box * jnp.array([w, h, w, h])).T)
    x, y = jnp.arange(w)[None, None, :], jnp.arange(h)[None, :, None]
    inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    return jnp.where(inside[..., None], fill[:, None, None, :], pictures)


def augment_pictures(pictures: Float[Array, "b h w 3"], key: jax.Array) -> Float[Array, "b h w 3"]:
    """Random colour, gamma, noise and covered parts; levels in [0, 255]."""
    keys = jax.random.split(key, 8)
    b = pictures.shape[0]

    def normal(i: int, sigma: float, *shape: int) -> Array:
        return sigma * jax.random.normal(keys[i], (b, *shape))

    x = colour(
        pictures,
        saturation=jnp.exp(normal(0, 0.3)),
        balance=jnp.exp(normal(1, 0.08, 3)),
        contrast=jnp.exp(normal(2, 0.2)),
        brightness=normal(3, 12.0),
    )
    x = gamma(x, jnp.exp(normal(4, 0.2)))
    of_level, of_noise = jax.random.split(keys[5])
    sigma = 8 * jax.random.uniform(of_level, (b, 1, 1, 1)) ** 3
    x = jnp.clip(x + sigma * jax.random.normal(of_noise, x.shape), 0, 255)
    of_place, of_size, of_fill, of_use = jax.random.split(keys[6], 4)
    corner = jax.random.uniform(of_place, (b, 2), minval=-0.1, maxval=0.9)
    size = jax.random.uniform(of_size, (b, 2), minval=0.1, maxval=0.35)
    covered = cutout(x, jnp.concatenate([corner, corner + size], axis=1), 255 * jax.random.uniform(of_fill, (b, 3)))
    return jnp.where(jax.random.bernoulli(of_use, 0.1, (b, 1, 1, 1)), covered, x)


def mu_law(audio: Float[Array, "b s"], bits: int = 8) -> Float[Array, "b s"]:
    """See `avdetect.augment.sound.mu_law`."""
    mu = 255.0
    x = jnp.clip(audio, -1, 1)
    y = jnp.sign(x) * jnp.log1p(mu * jnp.abs(x)) / jnp.log1p(mu)
    half = 2 ** (bits - 1) - 1
    y = jnp.round(y * half) / half
    return jnp.sign(y) * jnp.expm1(jnp.abs(y) * jnp.log1p(mu)) / mu


def augment_sound(audio: Float[Array, "b s"], key: jax.Array) -> Float[Array, "b s"]:
    """Random level, white noise at 5 to 40 dB under the sound, and companding of one in ten; stays in [-1, 1]."""
    of_gain, of_snr, of_noise, of_law = jax.random.split(key, 4)
    b = audio.shape[0]
    level = jnp.sqrt(jnp.mean(jnp.square(audio), axis=1, keepdims=True))
    snr = jax.random.uniform(of_snr, (b, 1), minval=5.0, maxval=40.0)
    x = audio + level * 10 ** (-snr / 20) * jax.random.normal(of_noise, audio.shape)
    gain = 10 ** (jax.random.uniform(of_gain, (b, 1), minval=-12.0, maxval=12.0) / 20)
    x = x * jnp.minimum(gain, 0.99 / jnp.maximum(jnp.abs(x).max(axis=1, keepdims=True), 1e-6))
    return jnp.where(jax.random.bernoulli(of_law, 0.1, (b, 1)), mu_law(x), x)
