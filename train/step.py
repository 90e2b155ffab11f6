"""One optimizer step: pure, jitted, the same for every part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx

Loss = Callable[[Any, dict[str, jax.Array]], tuple[jax.Array, dict[str, jax.Array]]]


def make_train_step(loss: Loss, *, ema: float) -> Callable[..., dict[str, jax.Array]]:
    """``step(model, optimizer, average, batch) -> metrics``; the first three are updated in place (donated).

    Args:
        loss: ``(model, batch) -> (loss, metrics)``.
        ema: decay of the running average of the parameters.
    """

    def train_step(
        model: nnx.Module, optimizer: nnx.Optimizer, average: nnx.Module, batch: dict[str, jax.Array]
    ) -> dict[str, jax.Array]:
        graph, params, rest = nnx.split(model, nnx.Param, ...)

        def of_params(params: nnx.State, rest: nnx.State) -> tuple[jax.Array, tuple[dict[str, jax.Array], nnx.State]]:
            merged = nnx.merge(graph, params, rest, copy=True)
            value, metrics = loss(merged, batch)
            # Dropout advances its own counters inside the copy: hand them back to the model.
            return value, (metrics, nnx.state(merged, nnx.Not(nnx.Param)))

        (value, (metrics, new_rest)), grads = jax.value_and_grad(of_params, has_aux=True)(params, rest)
        nnx.update(model, new_rest)
        optimizer.update(model, grads)
        new = nnx.state(model, nnx.Param)
        old = nnx.state(average, nnx.Param)
        nnx.update(average, jax.tree.map(lambda a, p: ema * a + (1 - ema) * p, old, new))
        return {"loss": value, **metrics}

    return nnx.jit(train_step, donate_argnames=("model", "optimizer", "average"))
