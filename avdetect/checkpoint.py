"""Checkpoints of a training run: a thin cover over Orbax V1, so that only this file follows its changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
from orbax.checkpoint import v1 as ocp


class Checkpoints:
    """Numbered checkpoints in ``workdir/checkpoints``.

    Args:
        workdir: folder of the run.
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

    def save(self, step: int, state: Any, *, notes: dict[str, Any] | None = None) -> None:
        """Save in the background; waits first for the save before it. ``notes`` are JSON-ready facts beside."""
        self._checkpointer.save_checkpointables_async(step, {"state": state}, custom_metadata=notes)

    def notes(self, step: int) -> dict[str, Any]:
        """The notes saved with ``step``."""
        found: Any = self._checkpointer.checkpointables_metadata(step).custom_metadata
        return found or {}

    def restore(self, step: int, state: Any) -> Any:
        """The state saved at ``step``, in the shape, type and placement of ``state``."""
        like = jax.tree.map(_abstract, state)
        return self._checkpointer.load_checkpointables(step, {"state": like})["state"]

    def close(self) -> None:
        """Wait for what is still being written."""
        self._checkpointer.close()


def _abstract(leaf: Any) -> Any:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding) if isinstance(leaf, jax.Array) else leaf
