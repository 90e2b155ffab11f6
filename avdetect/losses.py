"""Training losses: pure functions of arrays, masked, averaged over what is known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

NEGATIVE_INFINITY = -1e9


def matching(
    lips: Float[Array, "b t d"],
    sound: Float[Array, "b t d"],
    valid: Bool[Array, "b t"],
    *,
    scale: Float[Array, ""],
    ignore: int = 1,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """N-way matching over the ticks of the same clip, in both directions.

    For every tick, a softmax over the ticks of the other stream must choose the same one. The ``ignore`` ticks around
    it are neither right nor wrong and are left out, for neighbouring ticks look and sound alike.

    Args:
        lips: unit vectors.
        sound: unit vectors; ``sound[:, i]`` belongs to ``lips[:, i]``.
        valid: ticks where both exist.
        scale: inverse temperature.
        ignore: ticks on either side that are no negatives.

    Returns:
        Mean cross entropy (nats) and the share of ticks whose best match is within ``ignore`` ticks of the true one.
    """
    ticks = lips.shape[1]
    logits = scale * jnp.einsum("bid,bjd->bij", lips, sound)
    distance = jnp.abs(jnp.arange(ticks)[:, None] - jnp.arange(ticks)[None, :])
    both = valid[:, :, None] & valid[:, None, :]
    allowed = both & ((distance == 0) | (distance > ignore))[None]
    logits_allowed = jnp.where(allowed, logits, NEGATIVE_INFINITY)
    weight = valid / jnp.maximum(valid.sum(), 1)
    here = jnp.diagonal(logits, axis1=1, axis2=2)
    loss = 0.0
    for axis in (1, 2):
        loss += (weight * (jax.nn.logsumexp(logits_allowed, axis=axis) - here)).sum() / 2
    best = jnp.where(both, logits, NEGATIVE_INFINITY).argmax(axis=2)
    hit = jnp.abs(best - jnp.arange(ticks)[None]) <= ignore
    return loss, (weight * hit).sum()


def matching_across(
    lips: Float[Array, "b t d"],
    sound: Float[Array, "b t d"],
    valid: Bool[Array, "b t"],
    *,
    scale: Float[Array, ""],
) -> Float[Array, ""]:
    """Choose the right clip of the batch: each tick against the same tick's sound of every clip (InfoNCE)."""
    logits = scale * jnp.einsum("itd,jtd->tij", lips, sound)
    allowed = valid.T[:, None, :] & valid.T[:, :, None]
    log_p = jax.nn.log_softmax(jnp.where(allowed, logits, NEGATIVE_INFINITY), axis=2)
    weight = valid.T / jnp.maximum(valid.sum(), 1)
    return -(weight * jnp.diagonal(log_p, axis1=1, axis2=2)).sum()


def binary(
    logits: Float[Array, "*n"], labels: Float[Array, "*n"], valid: Bool[Array, "*n"], *, smoothing: float = 0.0
) -> Float[Array, ""]:
    """Mean binary cross entropy over the valid entries, labels in [0, 1] pulled towards 1/2 by ``smoothing``."""
    target = labels * (1 - smoothing) + smoothing / 2
    losses = optax.sigmoid_binary_cross_entropy(logits, target)
    return jnp.where(valid, losses, 0.0).sum() / jnp.maximum(valid.sum(), 1)


def four_way(
    log_p: Float[Array, "b 4"], labels: Int[Array, " b"], valid: Bool[Array, " b"] | None = None
) -> Float[Array, ""]:
    """Mean negative log-likelihood of RVRA, FVRA, RVFA, FVFA over the ``valid`` examples (all by default)."""
    picked = -jnp.take_along_axis(log_p, jnp.maximum(labels, 0)[:, None], axis=1)[:, 0]
    if valid is None:
        return picked.mean()
    return jnp.where(valid, picked, 0.0).sum() / jnp.maximum(valid.sum(), 1)


def nearest_is_right(
    lips: Float[Array, "b t d"], sound: Float[Array, "b t d"], valid: Bool[Array, "b t"], *, ignore: int = 1
) -> Float[Array, "b t"]:
    """1 where the most similar sound of the clip is within ``ignore`` ticks of the right one, else 0."""
    ticks = lips.shape[1]
    similarity = jnp.where(valid[:, None, :], jnp.einsum("bid,bjd->bij", lips, sound), NEGATIVE_INFINITY)
    best = similarity.argmax(axis=2)
    return (jnp.abs(best - jnp.arange(ticks)[None]) <= ignore).astype(jnp.float32)
