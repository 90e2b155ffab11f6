"""Tasks whose batches depend on nothing but the step number, as grain pipelines."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import grain
import jax
import numpy as np
from flax import nnx
from jax.sharding import Mesh

from avdetect.models.detector import DetectorNet
from avdetect.sharding import put_batch

Batches = Callable[[int], dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class _Share(grain.transforms.Map):
    """Step number to this process's rows of the step's batch."""

    batches: Batches
    index: int
    count: int

    def map(self, element: int) -> dict[str, np.ndarray]:
        batch = self.batches(element)
        size = len(next(iter(batch.values()))) // self.count
        return {name: x[self.index * size : (self.index + 1) * size] for name, x in batch.items()}


def stepwise(
    batches: Batches, *, process_index: int = 0, process_count: int = 1, threads: int = 1
) -> grain.IterDataset[dict[str, np.ndarray]]:
    """An endless pipeline of ``batches(0), batches(1), ...``, each process with its rows of them.

    Every process makes the whole batch, so this is for data that is cheap to make.

    Args:
        batches: the batch of a step; called from several threads at once where ``threads`` > 1.
        process_index: which share.
        process_count: into how many shares a batch is cut.
        threads: threads that make batches ahead.
    """
    numbers = grain.MapDataset.range(np.iinfo(np.int32).max)
    shares = numbers.map(_Share(batches, process_index, process_count))
    return shares.to_iter_dataset(grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * threads))


def part_of(net: DetectorNet, part: str) -> nnx.Module:
    """The part of that name, the whole net for "all".

    Raises:
        ValueError: the configuration lacks it.
    """
    model: Any = net if part == "all" else getattr(net, part)
    if model is None:
        raise ValueError(f"train.part={part} but model.{part} is none; set model.{part}=default")
    return model


class Stepwise:
    """A task made of one that has ``batches(step)``, ``loss``, ``evaluate`` and ``describe``."""

    def __init__(self, task: Any, part: str, *, threads: int = 1):
        self.loss, self.evaluate, self.describe = task.loss, task.evaluate, task.describe
        self._batches, self._part, self._threads = task.batches, part, threads

    def put(self, mesh: Mesh) -> Callable[[dict[str, np.ndarray]], dict[str, jax.Array]]:
        """From a batch of the pipeline to one on the devices: what the batches say, where they finish there."""
        made = getattr(self._batches, "put", None)
        return made(mesh) if made is not None else functools.partial(put_batch, mesh=mesh)

    def pipeline(self, *, process_index: int, process_count: int) -> grain.IterDataset[dict[str, np.ndarray]]:
        """See `stepwise`."""
        share = {"process_index": process_index, "process_count": process_count}
        return stepwise(self._batches, threads=self._threads, **share)

    def model(self, net: DetectorNet) -> nnx.Module:
        """See `part_of`."""
        return part_of(net, self._part)


def as_task(task: Any, part: str, *, threads: int = 1) -> Any:
    """The task itself where it brings a pipeline, else a `Stepwise` of it with so many threads."""
    return task if hasattr(task, "pipeline") else Stepwise(task, part, threads=threads)
