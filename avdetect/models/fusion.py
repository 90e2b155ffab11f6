"""Do lips and sound belong together, and what is forged? The head over the lag-similarity matrix.

Similarity is averaged over windows of several lengths around each tick (masked, never padded), giving a curve over lags
for each length. Convolutions over the lags followed by a maximum see a peak wherever it stands, so that a constant
offset is not by itself a mismatch. Where each lag stands can be told, too (``FusionConfig.place``): most sound is
nearly in time, so in a second of speech a middling peak at zero says more than one far off, which any sound has by
chance; in longer stretches the height of the peak decides. The four-way head takes the branches' mean logits and which
of them are present.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from avdetect.config import FusionConfig
from avdetect.types import MAX_LAG

MIN_COVERAGE = 5
"""Ticks that a lag needs within a window before its mean is used."""

NEAR = 2.0
"""Ticks over which the nearness of a lag to zero falls to 1/e."""


def reach(config: FusionConfig) -> int:
    """Ticks on either side that the mismatch logit of a tick depends on."""
    return max(config.radii)


def lag_similarity(
    lips: Float[Array, "b t d"], sound: Float[Array, "b t d"], valid: Bool[Array, "b t"]
) -> tuple[Float[Array, "b t k"], Bool[Array, "b t k"]]:
    """Cosine of the lips at tick ``i`` and the sound at tick ``i + lag`` for lags of up to ``MAX_LAG`` either way.

    Args:
        lips: unit vectors.
        sound: unit vectors of the same ticks.
        valid: ticks where both have their context.

    Returns:
        Similarities and which of them exist; entries past the ends are masked, never padded.
    """
    ticks = lips.shape[1]
    at = jnp.arange(ticks)[:, None] + jnp.arange(-MAX_LAG, MAX_LAG + 1)[None, :]
    inside = (at >= 0) & (at < ticks)
    at = jnp.clip(at, 0, ticks - 1)
    every = jnp.einsum("bid,bjd->bij", lips, sound)
    similarity = jnp.take_along_axis(every, jnp.broadcast_to(at[None], (lips.shape[0], *at.shape)), axis=2)
    return similarity, inside[None] & valid[:, :, None] & valid[:, at]


def lag_curves(
    similarity: Float[Array, "b t k"], known: Bool[Array, "b t k"], radius: int
) -> tuple[Float[Array, "b t k"], Float[Array, "b t k"]]:
    """Mean similarity of each lag over the ticks within ``radius``, and how many ticks were known."""

    def total(x: Float[Array, "b t k"]) -> Float[Array, "b t k"]:
        return jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 2 * radius + 1, 1), (1, 1, 1), "SAME")

    weight = known.astype(jnp.float32)
    count = total(weight)
    return total(jnp.where(known, similarity, 0.0)) / jnp.maximum(count, 1.0), count


class FusionHead(nnx.Module):
    """Mismatch per tick from similarity; four-way class from the branches."""

    api_version = 1
    Options = FusionConfig

    @staticmethod
    def reach(options: FusionConfig) -> int:
        """Ticks on either side that the mismatch logit of a tick depends on."""
        return reach(options)

    def __init__(self, config: FusionConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        del dtype  # a few thousand operations: float32 everywhere
        self.config = config
        scales, c = len(config.radii), config.channels
        self.conv1 = nnx.Linear(3 * (2 * scales + 2 * config.place), c, rngs=rngs)
        self.conv2 = nnx.Linear(3 * c, c, rngs=rngs)
        self.hidden = nnx.Linear(2 * c + 4 * scales, config.hidden, rngs=rngs)
        self.mismatch_out = nnx.Linear(config.hidden, 1, rngs=rngs)
        self.class_hidden = nnx.Linear(6, config.hidden, rngs=rngs)
        self.class_out = nnx.Linear(config.hidden, 4, rngs=rngs)

    def mismatch(
        self, similarity: Float[Array, "b t k"], known: Bool[Array, "b t k"], speech: Float[Array, "b t"]
    ) -> Float[Array, "b t"]:
        """Logit per tick that lips and sound match at no lag.

        Args:
            similarity: cosine similarities; anything where not ``known``.
            known: which entries were measured.
            speech: probability per tick that somebody speaks.
        """
        maps, scalars = [], []
        for radius in self.config.radii:
            curve, count = lag_curves(similarity, known, radius)
            usable = count >= MIN_COVERAGE
            level = _masked_mean(curve, usable)
            spread = jnp.sqrt(_masked_mean(jnp.square(curve - level[..., None]), usable) + 1e-6)
            centred = jnp.where(usable, curve - level[..., None], 0.0)
            talking, _ = lag_curves(speech[..., None], known.any(axis=-1, keepdims=True), radius)
            covered = count.max(axis=-1) / (2 * radius + 1)
            maps += [centred * 5.0, usable.astype(jnp.float32)]
            scalars += [centred.max(axis=-1) * 5.0, spread * 10.0, covered, talking[..., 0]]
        usable = maps[-1][..., None] > 0
        if self.config.place:
            lag = jnp.abs(jnp.arange(-MAX_LAG, MAX_LAG + 1, dtype=jnp.float32))
            maps += [jnp.broadcast_to(x, similarity.shape) for x in (jnp.exp(-lag / NEAR), lag / MAX_LAG)]
        x = jnp.stack(maps, axis=-1)
        x = nnx.gelu(self.conv1(_lag_patches(x)))
        x = nnx.gelu(self.conv2(_lag_patches(x)))
        peak = jnp.where(usable, x, -10.0).max(axis=2)
        mean = jnp.where(usable, x, 0.0).sum(axis=2) / jnp.maximum(usable.sum(axis=2), 1)
        x = jnp.concatenate([peak, mean, jnp.stack(scalars, axis=-1)], axis=-1)
        return self.mismatch_out(nnx.gelu(self.hidden(x)))[..., 0]

    def classes(self, logits: Float[Array, "b 3"], present: Bool[Array, "b 3"]) -> Float[Array, "b 4"]:
        """Log-probabilities of RVRA, FVRA, RVFA, FVFA from the mean visual, audio and mismatch logits of a clip."""
        x = jnp.where(present, jnp.tanh(logits / 6.0) * 3.0, 0.0)
        x = jnp.concatenate([x, present.astype(jnp.float32)], axis=-1)
        return jax.nn.log_softmax(self.class_out(nnx.gelu(self.class_hidden(x))))


def _masked_mean(x: Float[Array, "b t k"], mask: Bool[Array, "b t k"]) -> Float[Array, "b t"]:
    return jnp.where(mask, x, 0.0).sum(axis=-1) / jnp.maximum(mask.sum(axis=-1), 1)


def _lag_patches(x: Float[Array, "b t k c"]) -> Float[Array, "b t k e"]:
    padded = jnp.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    return jnp.concatenate([padded[:, :, i : i + x.shape[2]] for i in range(3)], axis=-1)
