"""From configuration to an optax chain."""

from __future__ import annotations

import optax

from avdetect.config import OptimConfig


def schedule(config: OptimConfig, steps: int) -> optax.Schedule:
    """Linear warm-up, then a cosine down to one hundredth of the rate."""
    return optax.warmup_cosine_decay_schedule(0.0, config.lr, min(config.warmup, steps // 2), steps, config.lr / 100)


def optimizer(config: OptimConfig, steps: int) -> optax.GradientTransformation:
    """AdamW on matrices (vectors and scalars are not decayed) behind global-norm clipping."""

    def decayed(params: object) -> object:
        import jax

        return jax.tree.map(lambda p: p.ndim > 1, params)

    return optax.chain(
        optax.clip_by_global_norm(config.clip),
        optax.adamw(schedule(config, steps), b2=0.99, weight_decay=config.weight_decay, mask=decayed),
    )
