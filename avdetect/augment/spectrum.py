"""SpecAugment on the device: bands and stretches of a spectrogram covered (Park et al., Interspeech 2019)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def spec_augment(
    spectra: Float[Array, "b t f"],
    key: jax.Array,
    *,
    share: float = 1.0,
    bands: int = 2,
    widest_band: int = 12,
    stretches: int = 2,
    longest: int = 20,
) -> Float[Array, "b t f"]:
    """Covered with the mean of each spectrogram; every example has its own places and widths.

    Args:
        spectra: log spectrograms.
        key: typed PRNG key.
        share: of the examples; the others stay as they are.
        bands: how many bands of frequency.
        widest_band: widths are uniform from 0 to this.
        stretches: how many stretches of time.
        longest: their lengths are uniform from 0 to this.
    """
    b, t, f = spectra.shape
    of_bands, of_time, of_use = jax.random.split(key, 3)
    covered = _stripes(of_bands, (b, bands), f, widest_band)[:, None, :]
    covered = covered | _stripes(of_time, (b, stretches), t, longest)[:, :, None]
    covered = covered & jax.random.bernoulli(of_use, share, (b, 1, 1))
    return jnp.where(covered, spectra.mean(axis=(1, 2), keepdims=True), spectra)


def _stripes(key: jax.Array, shape: tuple[int, int], size: int, widest: int) -> jax.Array:
    """Union of stripes along an axis of ``size``: bool (b, size)."""
    of_width, of_start = jax.random.split(key)
    width = jax.random.randint(of_width, shape, 0, widest + 1)
    start = (jax.random.uniform(of_start, shape) * jnp.maximum(size - width + 1, 1)).astype(jnp.int32)
    at = jnp.arange(size)
    inside = (at >= start[..., None]) & (at < (start + width)[..., None])
    return inside.any(axis=1)
