"""The early layers of EfficientNet-Lite0 (Tan and Le 2019; Lite: Liu 2020), as a network over faces.

Filters that were learned from a million photographs know what texture real pictures have, which no training on some
dozens of faces can teach. The last stages, which know objects, are left out. Batch normalisation is folded into the
convolutions, so that a face is judged alike whatever stands beside it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from avdetect.config import LiteConfig
from avdetect.depthwise import depthwise
from avdetect.models.visual import pooled

STEM = 32
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4))
"""Of each stage: by how much channels are widened inside, side of its filters, stride, channels, blocks."""
CENTRE, RANGE = 127.0, 128.0
"""Levels that the filters were learned with are taken less the first, by the second."""


class Depthwise(nnx.Module):
    """Filters of each channel alone, see `avdetect.depthwise`."""

    def __init__(self, channels: int, side: int, stride: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.kernel = nnx.Param(nnx.initializers.lecun_normal()(rngs.params(), (side, side, channels), jnp.float32))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.stride, self.dtype = stride, dtype

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b v u c"]:
        """As many channels."""
        kernel, bias = (p[...].astype(self.dtype) for p in (self.kernel, self.bias))
        out: jax.Array = depthwise(x.astype(self.dtype), kernel, self.stride)  # pyright: ignore[reportAssignmentType]
        return out + bias


class Inverted(nnx.Module):
    """Widened, filtered, narrowed; added to what came in where that has the same shape."""

    def __init__(self, inside: int, expand: int, side: int, stride: int, out: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        wide = inside * expand
        self.expand = nnx.Linear(inside, wide, dtype=dtype, rngs=rngs) if expand > 1 else None
        self.filter = Depthwise(wide, side, stride, dtype=dtype, rngs=rngs)
        self.project = nnx.Linear(wide, out, dtype=dtype, rngs=rngs)
        self.skips = stride == 1 and inside == out

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b v u d"]:
        """Of half the sides where the stride is two."""
        y = x if self.expand is None else jax.nn.relu6(self.expand(x))
        y = self.project(jax.nn.relu6(self.filter(y)))
        return x + y if self.skips else y


class LiteNet(nnx.Module):
    """One logit a tick, from the face alone."""

    api_version = 1
    Options = LiteConfig

    def __init__(self, config: LiteConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.config = config
        self.stem = nnx.Conv(3, STEM, (3, 3), strides=config.stride, padding="SAME", dtype=dtype, rngs=rngs)
        blocks, inside = [], STEM
        for expand, side, stride, out, count in STAGES[: config.stages]:
            for i in range(count):
                blocks.append(Inverted(inside, expand, side, stride if i == 0 else 1, out, dtype=dtype, rngs=rngs))
                inside = out
        self.blocks = nnx.List(blocks)
        self.dropout = nnx.Dropout(config.dropout, rngs=rngs)
        self.head = nnx.Linear(inside, 1, kernel_init=nnx.initializers.zeros, dtype=jnp.float32, rngs=rngs)

    def __call__(self, faces: Float[Array, "b h w 3"], mouths: Float[Array, "b 3 m m 3"]) -> Float[Array, " b"]:
        """Logit that each face is generated or edited; arguments as for `avdetect.models.visual.VisualNet`."""
        x = jax.nn.relu6(self.stem((faces - CENTRE) / RANGE))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.dropout(x.astype(jnp.float32)))[..., 0]
        return pooled(logits, self.config.pool)
