"""From configuration to an optax chain."""

from __future__ import annotations

import jax
import optax

from avdetect.config import OptimConfig


def schedule(config: OptimConfig, steps: int) -> optax.Schedule:
    """Linear warm-up, then a cosine down to one hundredth of the rate."""
    return optax.warmup_cosine_decay_schedule(0.0, config.lr, min(config.warmup, steps // 2), steps, config.lr / 100)


def optimizer(config: OptimConfig, steps: int) -> optax.GradientTransformation:
    """AdamW, or SGD with Nesterov momentum, behind global-norm clipping.

    Weight decay (decoupled in both) is for matrices: vectors and scalars are not decayed.
    """

    def decayed(params: optax.Params) -> optax.Params:
        return jax.tree.map(lambda p: p.ndim > 1, params)

    rate = schedule(config, steps)
    if config.name == "adamw":
        steps_by = [optax.adamw(rate, b2=config.b2, weight_decay=config.weight_decay, mask=decayed)]
    else:
        steps_by = [
            optax.trace(decay=config.momentum, nesterov=True),
            optax.add_decayed_weights(config.weight_decay, mask=decayed),
            optax.scale_by_learning_rate(rate),
        ]
    return optax.chain(optax.clip_by_global_norm(config.clip), *steps_by)
