"""One optimizer step: pure, the same for every part, for one device and for many."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from train.remat import blocks_again

Loss = Callable[[Any, dict[str, jax.Array]], tuple[jax.Array, dict[str, jax.Array]]]


class TrainState(NamedTuple):
    """All that a step changes.

    Attributes:
        step: steps done.
        params: parameters.
        rest: what else the model holds: keys and counters of dropout.
        optimizer: moments and counters of optax.
        average: running average of ``params``.
    """

    step: jax.Array
    params: nnx.State
    rest: nnx.State
    optimizer: optax.OptState
    average: nnx.State


Step = Callable[[TrainState, dict[str, jax.Array]], tuple[TrainState, dict[str, jax.Array]]]


def make_train_step(
    loss: Loss,
    graph: nnx.GraphDef,
    optimizer: optax.GradientTransformation,
    *,
    rate: optax.Schedule,
    ema: float,
    sam_rho: float = 0.0,
    accumulate: int = 1,
    remat: bool = False,
    shards: int = 1,
) -> Step:
    """``step(state, batch) -> (state, metrics)``, to be jitted.

    Args:
        loss: ``(model, batch) -> (loss, metrics)``.
        graph: of the model.
        optimizer: from gradients to updates.
        rate: learning rate by steps done, for the log.
        ema: decay of the running average of the parameters.
        sam_rho: radius of sharpness-aware minimisation; 0 = off.
        accumulate: micro-batches, one after the other. Where a loss is a mean over examples, this is the whole batch's
            gradient; negatives of a matching loss come from the micro-batch alone.
        remat: see `train.remat.blocks_again`.
        shards: devices that the batch is spread over.
    """

    def of_params(params: nnx.State, rest: nnx.State, batch: dict[str, jax.Array]) -> tuple[jax.Array, Any]:
        model = nnx.merge(graph, params, rest, copy=True)
        with blocks_again(model) if remat else contextlib.nullcontext():
            value, metrics = loss(model, batch)
        # Dropout advances its own counters inside the copy: hand them back.
        return value, ({"loss": value, **metrics}, nnx.as_pure(nnx.state(model, nnx.Not(nnx.Param))))

    value_and_grad = jax.value_and_grad(of_params, has_aux=True)

    def gradient(params: nnx.State, rest: nnx.State, batch: dict[str, jax.Array]) -> tuple[Any, nnx.State, Any]:
        """Gradient, the rest afterwards, metrics."""
        if accumulate == 1:
            (_, (metrics, rest)), grads = value_and_grad(params, rest, batch)
            return grads, rest, metrics

        def add(carry: Any, part: dict[str, jax.Array]) -> Any:
            total, rest = carry
            (_, (metrics, rest)), grads = value_and_grad(params, rest, part)
            return (jax.tree.map(jnp.add, total, grads), rest), metrics

        zero = jax.tree.map(jnp.zeros_like, params)
        parts = {name: micro_batches(x, accumulate, shards) for name, x in batch.items()}
        (total, rest), metrics = jax.lax.scan(add, (zero, rest), parts)
        return jax.tree.map(lambda g: g / accumulate, total), rest, jax.tree.map(lambda m: m.mean(axis=0), metrics)

    def step(state: TrainState, batch: dict[str, jax.Array]) -> tuple[TrainState, dict[str, jax.Array]]:
        grads, rest, metrics = gradient(state.params, state.rest, batch)
        if sam_rho:
            # Foret et al., "Sharpness-aware minimization", ICLR 2021, eq. 2: the gradient at the worst point nearby,
            # under the same dropout.
            scale = sam_rho / (optax.tree.norm(grads) + 1e-12)
            worst = jax.tree.map(lambda p, g: p + scale * g, state.params, grads)
            grads, _, _ = gradient(worst, state.rest, batch)
        updates, moments = optimizer.update(grads, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        average = jax.tree.map(lambda a, p: ema * a + (1 - ema) * p, state.average, params)
        metrics = {**metrics, "grad_norm": optax.tree.norm(grads), "lr": rate(state.step)}
        return TrainState(state.step + 1, params, rest, moments, average), metrics  # pyright: ignore[reportArgumentType]

    return step


def micro_batches(x: jax.Array, count: int, shards: int) -> jax.Array:
    """``[b ...]`` as ``[count b/count ...]``: a run of each device's rows goes to each; nothing moves."""
    size = x.shape[0] // (count * shards)
    return x.reshape(shards, count, size, *x.shape[1:]).swapaxes(0, 1).reshape(count, shards * size, *x.shape[1:])
