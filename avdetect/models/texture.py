"""Is this face genuine? Judged by its texture: how fine it is, in each place, beside the rest of the same face.

A generator draws at its own resolution, without the grain of a sensor, frame by frame. What it leaves is little to be
seen but much to be measured: energies of narrow bands that differ from one part of a face to another. How fine a face
is as a whole says little, since cameras, sizes and codecs decide that; so each energy is taken relative to its mean
over the picture, and content, light and most of the compression fall out before anything is learned. What is learned
is small, and trains on a CPU.

Two pictures are looked at: the whole face, and the mouth with its changes to the tick before and after (an edit made
frame by frame flickers where a filmed mouth moves smoothly).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from avdetect.config import TextureConfig

LEVELS = 3
"""Octaves of the pyramid."""
FACE_CELLS, MOUTH_CELLS = 10, 8
"""Places along each side over which absolute values are averaged: 16 pixels of the face crop, 8 of the mouth."""
JOINED = 2
"""Places along each side whose logarithms are averaged then, so that single edges count for less."""
FLOOR = 0.25
"""Added to mean absolute values (grey levels) before the logarithm: half the error of rounding to 8 bits."""
BANDS = 2 * LEVELS
"""Energies of a channel: at each octave, what a smoothing takes away, and the Laplacian."""
FACE_MEASURES = (FACE_CELLS // JOINED) ** 2 * 3 * BANDS
MOUTH_MEASURES = (MOUTH_CELLS // JOINED) ** 2 * 6 * BANDS
LARGEST = 4.0
"""Relative energies are cut off there (natural logarithm); beyond are edges of the frame and captions."""


class TextureNet(nnx.Module):
    """One logit a tick, from relative band energies of the face and of the mouth around it in time."""

    api_version = 1
    Options = TextureConfig

    def __init__(self, config: TextureConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.config = config
        self.join = nnx.Linear(FACE_MEASURES + MOUTH_MEASURES, config.hidden, dtype=dtype, rngs=rngs)
        self.heads = nnx.Linear(config.hidden, config.heads, dtype=dtype, rngs=rngs)
        self.dropout = nnx.Dropout(config.dropout, rngs=rngs)
        # Leaves out the face or the mouth of an example, so that neither leans on the other.
        self.leave_out = nnx.Dropout(config.leave_out, rngs=rngs)

    def __call__(self, faces: Float[Array, "b h w 3"], mouths: Float[Array, "b 3 m m 3"]) -> Float[Array, " b"]:
        """Logit that each face is generated or edited.

        Args:
            faces: aligned RGB crops in [0, 255], side ``FACE_SIZE``.
            mouths: RGB crops in [0, 255], side ``MOUTH_SIZE``, of the tick before, at and after. A neighbour that does
                not exist is given as the middle one again.
        """
        return self.judge(measure(faces, mouths))

    def judge(self, seen: Float[Array, "b f"]) -> Float[Array, " b"]:
        """The logit of what :func:`measure` gives."""
        kept = self.leave_out(jnp.ones((seen.shape[0], 2), seen.dtype))
        parts = jnp.split(seen, [FACE_MEASURES], axis=-1)
        x = jnp.concatenate([part * kept[:, i : i + 1] for i, part in enumerate(parts)], axis=-1)
        x = self.dropout(nnx.gelu(self.join(self.dropout(x))))
        return jax.nn.logsumexp(self.heads(x).astype(jnp.float32), axis=-1)


def measure(faces: Float[Array, "b h w 3"], mouths: Float[Array, "b 3 m m 3"]) -> Float[Array, "b f"]:
    """All relative energies of a face and its mouth, those of the face first; nothing here is learned."""
    seen = [x.reshape(x.shape[0], -1) for x in (face_energies(faces), mouth_energies(mouths))]
    return jnp.concatenate(seen, axis=-1)


def face_energies(faces: Float[Array, "b h w 3"]) -> Float[Array, "b y x c"]:
    """Relative energies of brightness and colour over 5 x 5 places; RGB in [0, 255]."""
    return relative(energies(_brightness_and_colour(faces), FACE_CELLS))


def mouth_energies(mouths: Float[Array, "b 3 h w 3"]) -> Float[Array, "b y x c"]:
    """The same of the mouth, and of the changes of its brightness: from before, to after, and how these differ."""
    before, here, after = (_brightness_and_colour(mouths[:, i]) for i in range(3))
    back, on = here[..., :1] - before[..., :1], after[..., :1] - here[..., :1]
    return relative(energies(jnp.concatenate([here, back, on, on - back], axis=-1), MOUTH_CELLS))


def relative(logs: Float[Array, "b y x c"]) -> Float[Array, "b v u c"]:
    """Each channel beside its mean over the picture, over ``JOINED`` times fewer places each way."""
    b, y, x, c = logs.shape
    beside = jnp.clip(logs - logs.mean(axis=(1, 2), keepdims=True), -LARGEST, LARGEST)
    return beside.reshape(b, y // JOINED, JOINED, x // JOINED, JOINED, c).mean(axis=(2, 4))


def energies(x: Float[Array, "b h w c"], cells: int) -> Float[Array, "b y x e"]:
    """Logarithms of mean absolute band-passed values: ``e = c * BANDS``.

    Args:
        x: pictures; sides divisible by ``cells`` and by 2 at each of ``LEVELS - 1`` octaves.
        cells: places along each side.
    """
    x = x.astype(jnp.float32)
    out = []
    for level in range(LEVELS):
        smooth = _smoothed(x)
        for band in (x - smooth, _laplacian(x)):
            b, h, w, c = band.shape
            mean = jnp.abs(band).reshape(b, cells, h // cells, cells, w // cells, c).mean(axis=(2, 4))
            out.append(jnp.log(mean + FLOOR))
        if level + 1 < LEVELS:
            b, h, w, c = smooth.shape
            x = smooth.reshape(b, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))
    return jnp.concatenate(out, axis=-1)


def _brightness_and_colour(rgb: Float[Array, "*b 3"]) -> Float[Array, "*b 3"]:
    """ITU-R BT.601 luma and colour differences, all in grey levels, without offsets."""
    matrix = jnp.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], jnp.float32)
    return rgb.astype(jnp.float32) @ matrix.T


def _smoothed(x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Binomial filter over five pixels each way.

    Sums of shifted copies, which a CPU does far faster than XLA's depthwise convolution.
    """
    for axis in (1, 2):
        pad = [(0, 0)] * 4
        pad[axis] = (2, 2)
        wide, size = jnp.pad(x, pad, mode="edge"), x.shape[axis]
        part = [jax.lax.slice_in_dim(wide, i, i + size, axis=axis) for i in range(5)]
        x = (part[0] + part[4] + 4 * (part[1] + part[3]) + 6 * part[2]) / 16
    return x


def _laplacian(x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Four neighbours less four times the middle."""
    wide = jnp.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
    return wide[:, :-2, 1:-1] + wide[:, 2:, 1:-1] + wide[:, 1:-1, :-2] + wide[:, 1:-1, 2:] - 4 * x
