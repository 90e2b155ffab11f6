"""Is this face genuine? Networks of several kinds, each good at another kind of forgery, as one.

What gives a pasted mouth away is not what gives a generated head away, and a network trained for both is worse at
either. So the members are trained apart and joined afterwards (`tools.committee`): each logit is brought to the mean
and deviation that genuine validation faces give it, and they are averaged.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from avdetect.config import CommitteeConfig
from avdetect.models.lite import LiteNet
from avdetect.models.texture import TextureNet
from avdetect.models.visual import VisualNet


class CommitteeNet(nnx.Module):
    """One logit a tick: the mean of its members', each on the scale of genuine faces."""

    api_version = 1
    Options = CommitteeConfig

    def __init__(self, config: CommitteeConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.config = config
        members: list[nnx.Module] = [TextureNet(config.texture, dtype=dtype, rngs=rngs) for _ in range(config.textures)]
        members += [LiteNet(config.lite, dtype=dtype, rngs=rngs) for _ in range(config.lites)]
        if config.cnn is not None:
            members.insert(0, VisualNet(config.cnn, dtype=dtype, rngs=rngs))
        if not members:
            raise ValueError("a committee needs a member: set cnn, textures or lites")
        self.members = nnx.List(members)
        self.centre = nnx.Param(jnp.zeros(len(members)))
        self.weight = nnx.Param(jnp.full(len(members), 1.0 / len(members)))

    def __call__(self, faces: Float[Array, "b h w 3"], mouths: Float[Array, "b 3 m m 3"]) -> Float[Array, " b"]:
        """Logit that each face is generated or edited; arguments as for `avdetect.models.visual.VisualNet`."""
        logits = jnp.stack([member(faces, mouths) for member in self.members], axis=-1)
        return (logits - self.centre[...]) @ self.weight[...]
