"""A visual encoder without a convolution: how strong each spatial frequency is in the face, the mouth and its motion.

Networks that draw pictures by enlarging small maps do not get the high frequencies right, which shows in the power
spectrum averaged around its centre (Durall, Keuper and Keuper, CVPR 2020, arXiv:2003.01826).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

LUMA = (0.299, 0.587, 0.114)
FLOOR = 1e-6
"""Of power: what rounding to whole intensities leaves of a plain surface."""


@dataclass(frozen=True)
class SpectrumOptions:
    """What a configuration sets, as in ``--set model.visual.bands=32``.

    Attributes:
        bands: rings of spatial frequency, from 0 to half a period a pixel.
        width: hidden features.
        dropout: share of them that is left out in training.
    """

    bands: int = 24
    width: int = 32
    dropout: float = 0.1


class SpectrumNet(nnx.Module):
    """A logit for each tick, of four spectra: the face, the mouth, and how the mouth differs from before and after."""

    api_version = 1
    Options = SpectrumOptions

    def __init__(self, options: SpectrumOptions, *, dtype: Any, rngs: nnx.Rngs):
        self.bands = options.bands
        self.hidden = nnx.Linear(4 * options.bands, options.width, dtype=dtype, rngs=rngs)
        self.dropout = nnx.Dropout(options.dropout, rngs=rngs)
        self.out = nnx.Linear(options.width, 1, dtype=dtype, rngs=rngs)

    def __call__(self, faces: Float[Array, "b h w 3"], mouths: Float[Array, "b 3 m m 3"]) -> Float[Array, " b"]:
        """See `avdetect.api.VisualEncoder`."""
        before, here, after = (mouths[:, i] for i in range(3))
        pictures = (faces, here, here - before, after - here)
        x = jnp.concatenate([spectrum(picture, self.bands) for picture in pictures], axis=-1)
        logits = self.out(self.dropout(nnx.gelu(self.hidden(x))))
        return logits[:, 0].astype(jnp.float32)


def spectrum(pictures: Float[Array, "b h w 3"], bands: int) -> Float[Array, "b bands"]:
    """Logarithm of the mean power in each ring, about -2 ... 2; pictures in 0 ... 255, or differences of such."""
    grey = pictures.astype(jnp.float32) @ jnp.array(LUMA, jnp.float32) / 255
    h, w = grey.shape[1:]
    window = np.outer(np.hanning(h), np.hanning(w)).astype(np.float32)
    power = jnp.square(jnp.abs(jnp.fft.rfft2(grey * window))) / (h * w)
    mean = power.reshape(len(power), -1) @ rings(h, w, bands)
    return (jnp.log(mean + FLOOR) + 8) / 4


@functools.lru_cache(maxsize=8)
def rings(h: int, w: int, bands: int) -> np.ndarray:
    """Weights ``[h (w // 2 + 1), bands]`` that average over rings; corners beyond the last ring belong to it."""
    radius = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None]).ravel()
    ring = np.minimum(2 * bands * radius, bands - 1).astype(int)
    member = (ring[:, None] == np.arange(bands)).astype(np.float32)
    return member / np.maximum(member.sum(axis=0), 1)
