"""Blocks whose activations are computed again on the way back rather than kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
from flax import nnx


@contextlib.contextmanager
def blocks_again(model: nnx.Module) -> Iterator[None]:
    """While this lasts, every module that sits in a list of the model keeps only its input for the way back.

    Lists are where the networks here have their blocks one after the other; whatever else they do is kept as usual.
    Gradients, and what blocks draw and count, stay the same.
    """
    lists: list[Any] = [node for _, node in nnx.iter_graph(model) if isinstance(node, nnx.List)]
    places = [(holder, i) for holder in lists for i in range(len(holder)) if _is_block(holder[i])]
    blocks = [holder[i] for holder, i in places]
    for (holder, i), block in zip(places, blocks, strict=True):
        holder[i] = _Again(block)
    try:
        yield
    finally:
        for (holder, i), block in zip(places, blocks, strict=True):
            holder[i] = block


def _is_block(node: Any) -> bool:
    return isinstance(node, nnx.Module) and not isinstance(node, nnx.List)


class _Again(nnx.Module):
    """A block under ``jax.checkpoint``."""

    def __init__(self, block: Any):
        self.block = block

    def __call__(self, *args: Any) -> Any:
        graph, params, rest = nnx.split(self.block, nnx.Param, ...)

        @jax.checkpoint
        def run(params: nnx.State, rest: nnx.State, *args: Any) -> tuple[Any, nnx.State]:
            block = nnx.merge(graph, params, rest, copy=True)
            return block(*args), nnx.as_pure(nnx.state(block, nnx.Not(nnx.Param)))

        out, rest = run(nnx.as_pure(params), nnx.as_pure(rest), *args)
        nnx.update(self.block, rest)
        return out
