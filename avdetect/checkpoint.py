"""Checkpoints of a training run: a thin cover over Orbax V1, so that only this file follows its changes.

A checkpoint holds a tree of arrays under their dotted names, the state of every process's data iterator, and notes.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import jax
from orbax.checkpoint import v1 as ocp


class Checkpoints:
    """Numbered checkpoints in ``workdir/checkpoints``; with several processes, all of them make every call.

    Args:
        workdir: folder of the run, seen by all processes.
        keep: how many of the latest are kept.
        metadata: JSON-ready facts stored beside (the resolved configuration).
    """

    def __init__(self, workdir: Path, *, keep: int, metadata: dict[str, Any] | None = None):
        training: Any = ocp.training  # its policies do not fit its own protocols
        self._checkpointer = training.Checkpointer(
            (Path(workdir) / "checkpoints").resolve(),
            custom_metadata=metadata,
            save_decision_policy=training.save_decision_policies.FixedIntervalPolicy(1),
            preservation_policy=training.preservation_policies.LatestN(keep),
        )

    def latest(self) -> int | None:
        """Step of the newest checkpoint, or ``None``."""
        newest = self._checkpointer.latest
        return None if newest is None else newest.step

    def save(self, step: int, tree: Any, *, data: Any = None, notes: dict[str, Any] | None = None) -> None:
        """Save in the background; waits first for the save before it.

        Args:
            step: its number.
            tree: arrays; may be donated or changed as soon as this returns.
            data: JSON-ready state of this process's data iterator.
            notes: JSON-ready facts beside, the same in every process.
        """
        items = {"state": named(tree), "data": _PerProcess(data)}
        self._checkpointer.save_checkpointables_async(step, items, custom_metadata=notes)

    def notes(self, step: int) -> dict[str, Any]:
        """The notes saved with ``step``."""
        found: Any = self._checkpointer.checkpointables_metadata(step).custom_metadata
        return found or {}

    def restore(self, step: int, tree: Any) -> Any:
        """The tree saved at ``step``, in the shape, type and placement of ``tree``."""
        like = {name: _abstract(leaf) for name, leaf in named(tree).items()}
        found = self._checkpointer.load_checkpointables(step, {"state": like})["state"]
        return jax.tree.unflatten(jax.tree.structure(tree), [found[name] for name in named(tree)])

    def arrays(self, step: int) -> dict[str, jax.Array]:
        """The arrays saved at ``step`` by name, wherever they fit."""
        return self._checkpointer.load_checkpointables(step, {"state": None})["state"]

    def data(self, step: int) -> Any:
        """The state of this process's data iterator at ``step``.

        Raises:
            ValueError: the checkpoint was written by another number of processes.
        """
        state = _PerProcess(None)
        self._checkpointer.load_checkpointables(step, {"data": state})
        return state.value

    def close(self) -> None:
        """Wait for what is still being written."""
        self._checkpointer.close()


def named(tree: Any) -> dict[str, Any]:
    """Leaves by the dotted path to them."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


class _PerProcess:
    """A JSON value of each process, in a file of its own (Orbax's ``StatefulCheckpointable``)."""

    def __init__(self, value: Any):
        self.value = value

    async def save(self, directory: Any) -> Awaitable[None]:
        text = json.dumps(self.value)  # now, for the caller goes on

        async def write() -> None:
            folder = await directory.await_creation()
            (folder / _own_file()).write_text(text)

        return write()

    async def load(self, directory: Any) -> Awaitable[None]:
        async def read() -> None:
            path = directory / _own_file()
            if not path.exists():
                raise ValueError(
                    f"{directory} was written by another number of processes than {jax.process_count()}: "
                    "go on with as many as before"
                )
            self.value = json.loads(path.read_text())

        return read()


def _own_file() -> str:
    return f"process_{jax.process_index()}-of-{jax.process_count()}.json"


def _abstract(leaf: Any) -> Any:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding) if isinstance(leaf, jax.Array) else leaf
