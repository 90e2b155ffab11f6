"""The state a run starts from, every array made where it will lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh

from avdetect.bundle import read_parts
from avdetect.config import Config
from avdetect.models.detector import DetectorNet
from avdetect.sharding import local_copy, shardings
from train.step import TrainState


def first_state(
    config: Config, choose: Any, optimizer: optax.GradientTransformation, mesh: Mesh
) -> tuple[nnx.GraphDef, TrainState, TrainState]:
    """Structure of the model, its state at step 0, and the shardings of that state.

    No device ever holds more than its share: parameters, moments and average are outputs of a jitted function.

    Args:
        config: of the run.
        choose: net -> what of it is trained.
        optimizer: makes the moments.
        mesh: where.
    """

    def build() -> nnx.Module:
        return choose(DetectorNet(config.model, seed=config.seed))

    def make() -> TrainState:
        _, params, rest = nnx.split(build(), nnx.Param, ...)
        # Weak types would be strong after the first step, and the second be compiled anew.
        params, rest = jax.tree.map(lambda x: jnp.asarray(x, x.dtype), (nnx.as_pure(params), nnx.as_pure(rest)))
        # The average is a copy: both are donated, and one buffer cannot be donated twice.
        average = jax.tree.map(jnp.copy, params)
        return TrainState(jnp.zeros((), jnp.int32), params, rest, optimizer.init(params), average)

    graph, _ = nnx.split(nnx.eval_shape(build))
    where = shardings(jax.eval_shape(make), mesh, min_shard=config.mesh.min_shard)
    return graph, jax.jit(make, out_shardings=where)(), where


def warm_start(folder: str, graph: nnx.GraphDef, state: TrainState, where: TrainState, mesh: Mesh) -> tuple[Any, int]:
    """The state with what fits of the parts in ``folder`` in place of fresh parameters, and how many arrays that is."""
    model = nnx.merge(graph, *local_copy((state.params, state.rest), mesh), copy=True)
    taken = read_parts(Path(folder), model)
    values = nnx.as_pure(nnx.state(model, nnx.Param))
    params, average = jax.device_put(values, where.params), jax.device_put(values, where.average)
    return state._replace(params=params, average=jax.tree.map(jnp.copy, average)), taken
