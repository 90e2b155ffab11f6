"""The loss of JPEG on the accelerator: blocks of eight, cosine transform, rounding to a quality's steps, back."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

BLOCK = 8
# Annex K of ITU-T T.81, table K.1.
_STEPS = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
LUMA_STEPS = np.array(_STEPS.split(), np.float32).reshape(BLOCK, BLOCK)
CHROMA_STEPS = np.full((BLOCK, BLOCK), 99, np.float32)
CHROMA_STEPS[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]  # table K.2
TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_frequency, _place = np.mgrid[:BLOCK, :BLOCK]
_DCT = np.cos(np.pi * (2 * _place + 1) * _frequency / (2 * BLOCK)) * np.sqrt(np.where(_frequency == 0, 1, 2) / BLOCK)


def jpeg(pictures: Float[Array, "*n h w"], quality: Float[Array, ""]) -> Float[Array, "*n h w"]:
    """Grey pictures as they come back from JPEG; levels in [0, 255], sides multiples of eight.

    Args:
        pictures: any number of them.
        quality: 1 to 100, as libjpeg scales its steps.
    """
    return jnp.clip(jnp.round(_coded(pictures - 128, LUMA_STEPS, quality) + 128), 0, 255)


def jpeg_colour(pictures: Float[Array, "*n h w 3"], quality: Float[Array, ""]) -> Float[Array, "*n h w 3"]:
    """The same of RGB pictures, colour at full resolution; not rounded."""
    y, *differences = jnp.moveaxis(pictures @ TO_YCC.T, -1, 0)
    planes = [_coded(y - 128, LUMA_STEPS, quality) + 128, *(_coded(x, CHROMA_STEPS, quality) for x in differences)]
    return jnp.clip(jnp.stack(planes, axis=-1) @ jnp.asarray(np.linalg.inv(TO_YCC)).T, 0, 255)


def _coded(planes: Float[Array, "*n h w"], table: np.ndarray, quality: Float[Array, ""]) -> Float[Array, "*n h w"]:
    *n, h, w = planes.shape
    dct = jnp.asarray(_DCT, jnp.float32)
    scale = jnp.where(quality < 50, 5000 / quality, 200 - 2 * quality) / 100
    steps = jnp.clip(jnp.floor(jnp.asarray(table) * scale + 0.5), 1, 255)
    x = planes.reshape(*n, h // BLOCK, BLOCK, w // BLOCK, BLOCK)
    x = jnp.einsum("ui,...aibj,vj->...aubv", dct, x, dct, precision="highest")
    x = jnp.round(x / steps[:, None, :]) * steps[:, None, :]
    x = jnp.einsum("ui,...aubv,vj->...aibj", dct, x, dct, precision="highest")
    return x.reshape(*n, h, w)
