"""Is this face genuine? A CNN over single aligned face crops.

Stem of 4 x 4 patches (no pixel is thrown away: forgery traces are fine), residual stages at falling resolution, and one
logit for each place of the last map; the frame's logit is their mean, so the map says where the evidence is. Trained on
real faces against self-blended ones (Shiohara, Yamasaki, "Detecting deepfakes with self-blended images", CVPR 2022).
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from avdetect.config import VisualConfig
from avdetect.models.layers import Residual2D


class VisualNet(nnx.Module):
    """One logit a face and a map of where it comes from."""

    def __init__(self, config: VisualConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        widths = config.widths
        self.stem = nnx.Conv(3, widths[0], (4, 4), strides=4, padding="VALID", dtype=dtype, rngs=rngs)
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

    def map(self, faces: Float[Array, "b h w 3"]) -> Float[Array, "b y x"]:
        """Logits of the places of the last map (10 x 10 for the default three stages).

        Args:
            faces: aligned RGB crops in [0, 255], side ``FACE_SIZE``.
        """
        x = self.stem(faces / 127.5 - 1.0)
        for i, stage in enumerate(self.stages):
            for block in stage:
                x = block(x)
            if i < len(self.downs):
                x = self.downs[i](x)
        x = self.dropout(nnx.gelu(self.norm(x)))
        return self.head(x)[..., 0].astype(jnp.float32)

    def __call__(self, faces: Float[Array, "b h w 3"]) -> Float[Array, " b"]:
        """Logit that each face is generated or edited."""
        return self.map(faces).mean(axis=(1, 2))
