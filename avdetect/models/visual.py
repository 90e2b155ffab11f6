"""Is this face genuine? Two small CNNs: one over the aligned face, one over the mouth and how it changes in time.

Stems of 4 x 4 patches (no pixel is thrown away: forgery traces are fine), residual stages at falling resolution, and
one logit for each place of the last map. The mouth is seen at twice the resolution of the face crop, beside its
differences to the tick before and after: an edit made frame by frame flickers where a filmed mouth moves smoothly. Each
stream is calibrated alone, by leaving the other out in training, and their logits add up.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from avdetect.config import VisualConfig
from avdetect.models.layers import Residual2D

DIFFERENCE_GAIN = 4.0
"""Differences between ticks are about a quarter as large as the picture's own contrast."""


class PatchNet(nnx.Module):
    """A map of logits over a picture of any number of channels."""

    def __init__(
        self, channels: int, widths: tuple[int, ...], config: VisualConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs
    ):
        self.stem = nnx.Conv(channels, widths[0], (4, 4), strides=4, padding="VALID", dtype=dtype, rngs=rngs)
        stages, downs = [], []
        for i, width in enumerate(widths):
            stages.append(nnx.List([Residual2D(width, dtype=dtype, rngs=rngs) for _ in range(config.blocks)]))
            if i + 1 < len(widths):
                downs.append(nnx.Conv(width, widths[i + 1], (2, 2), strides=2, padding="VALID", dtype=dtype, rngs=rngs))
        self.stages = nnx.List(stages)
        self.downs = nnx.List(downs)
        self.norm = nnx.GroupNorm(widths[-1], num_groups=8, dtype=dtype, rngs=rngs)
        self.dropout = nnx.Dropout(config.dropout, rngs=rngs)
        self.head = nnx.Linear(widths[-1], 1, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b y x"]:
        """Logits of the places of the last map."""
        x = self.stem(x)
        for i, stage in enumerate(self.stages):
            for block in stage:
                x = block(x)
            if i < len(self.downs):
                x = self.downs[i](x)
        x = self.dropout(nnx.gelu(self.norm(x)))
        return self.head(x)[..., 0].astype(jnp.float32)


class VisualNet(nnx.Module):
    """One logit a tick, from the face and from the mouth around it in time."""

    api_version = 1
    Options = VisualConfig

    def __init__(self, config: VisualConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.config = config
        self.face = PatchNet(3, config.widths, config, dtype=dtype, rngs=rngs)
        widths = config.mouth_widths
        self.mouth = PatchNet(9, widths, config, dtype=dtype, rngs=rngs) if widths else None
        # Leaves a whole stream out of an example, so that neither leans on the other.
        self.leave_out = nnx.Dropout(config.leave_out, rngs=rngs)

    def face_map(self, faces: Float[Array, "b h w 3"]) -> Float[Array, "b y x"]:
        """Logits of the places of the face (10 x 10 for the default three stages).

        Args:
            faces: aligned RGB crops in [0, 255], side ``FACE_SIZE``.
        """
        return self.face(faces / 127.5 - 1.0)

    def mouth_map(self, mouths: Float[Array, "b 3 h w 3"]) -> Float[Array, "b y x"]:
        """Logits of the places of the mouth.

        Args:
            mouths: aligned RGB crops in [0, 255], side ``MOUTH_SIZE``, of the tick before, at and after.
        """
        assert self.mouth is not None, "this configuration looks at the face alone"
        before, here, after = (mouths[:, i] / 127.5 - 1.0 for i in range(3))
        moved = [(here - before) * DIFFERENCE_GAIN, (after - here) * DIFFERENCE_GAIN]
        return self.mouth(jnp.concatenate([here, *moved], axis=-1))

    def __call__(self, faces: Float[Array, "b h w 3"], mouths: Float[Array, "b 3 h w 3"]) -> Float[Array, " b"]:
        """Logit that each face is generated or edited; arguments as for the maps.

        A neighbour that does not exist (start and end of a track, a still picture) is given as the middle one again.
        """
        logits = [pooled(self.face_map(faces), self.config.pool)]
        if self.mouth is not None:
            logits.append(pooled(self.mouth_map(mouths), self.config.pool))
        return self.leave_out(jnp.stack(logits, axis=-1)).sum(axis=-1)


def pooled(logits: Float[Array, "b y x"], how: str) -> Float[Array, " b"]:
    """One logit of a map: its ``mean``, or ``soft``: between mean and maximum, so that a small edit does not drown.

    ``soft`` is ``log mean exp`` over the places, which follows the mean where the map is even.
    """
    flat = logits.reshape(logits.shape[0], -1)
    if how == "mean":
        return flat.mean(axis=1)
    return jax.nn.logsumexp(flat, axis=1) - jnp.log(flat.shape[1])
