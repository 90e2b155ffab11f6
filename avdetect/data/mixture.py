"""Which clips are drawn how often, and how draws become batches: grain, so that any position can be gone back to.

The order is a global shuffle fixed by the seed; every position has a random generator of its own; the state of the
iterator is one number. Nothing here knows what an example is.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grain
import numpy as np

from avdetect.data.workers import end_with_parent

Example = dict[str, np.ndarray]
Draw = Callable[[Any, np.random.Generator], Example]


def weights_of(groups: Mapping[str, Sequence[Any]], *, balance: float, factors: Sequence[str] = ()) -> dict[str, float]:
    """Share of the draws that each group gets.

    Args:
        groups: members by group, named ``source/label``.
        balance: 1 = in proportion to the number of members, 0 = all groups alike, between = by that power.
        factors: ``name=factor``; ``*`` in a name stands for anything. The first that fits a group multiplies its share.

    Returns:
        Shares that sum to one; groups of factor 0 are left out.

    Raises:
        ValueError: a malformed factor, one that fits no group, or nothing left.
    """
    rules = [_factor(text) for text in factors]
    for name, _ in rules:
        if not any(_fits(name, group) for group in groups):
            raise ValueError(f"weight for {name!r} fits none of the groups: {', '.join(sorted(groups))}")
    raw = {}
    for group, members in groups.items():
        factor = next((value for name, value in rules if _fits(name, group)), 1.0)
        if factor > 0 and members:
            raw[group] = factor * len(members) ** balance
    if not raw:
        raise ValueError("no clips are left to draw from; check data.train_where and data.weights")
    total = sum(raw.values())
    return {group: value / total for group, value in raw.items()}


def _factor(text: str) -> tuple[str, float]:
    name, sign, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not sign or not name.strip() or number < 0:
        raise ValueError(f"weight {text!r} is not of the form name=factor with a factor of 0 or more")
    return name.strip(), number


def _fits(name: str, group: str) -> bool:
    return fnmatch.fnmatchcase(group, name)


def parse_weights(texts: Sequence[str]) -> dict[str, float]:
    """``("a=2", "b=1")`` as a dictionary.

    Raises:
        ValueError: a malformed entry.
    """
    return dict(_factor(text) for text in texts)


def mixture(groups: Mapping[str, Sequence[Any]], weights: Mapping[str, float], *, seed: int) -> grain.MapDataset:
    """An endless data set of group members: each group shuffled anew every time it has been gone through."""
    names = [name for name in sorted(weights) if groups[name]]
    parts = [
        grain.MapDataset.source(list(groups[name])).seed(seed + 7919 * i).shuffle().repeat(None)
        for i, name in enumerate(names)
    ]
    if len(parts) == 1:
        return parts[0]
    return grain.MapDataset.mix(parts, [weights[name] for name in names])


class _Draw(grain.transforms.RandomMap):
    def __init__(self, draw: Draw):
        self._draw = draw

    def random_map(self, element: Any, rng: np.random.Generator) -> Example:
        return self._draw(element, rng)


class _Pool:
    """The first draws, made when they are first wanted and kept, in a new order each time they are gone through."""

    def __init__(self, drawn: grain.MapDataset, size: int, seed: int):
        self._drawn, self._size, self._seed = drawn, size, seed
        self._kept: dict[int, Example] = {}
        self._order: dict[int, np.ndarray] = {}

    def __getitem__(self, position: int) -> Example:
        time, place = divmod(position, self._size)
        if time not in self._order:
            self._order[time] = np.random.default_rng((self._seed, time)).permutation(self._size)
        number = int(self._order[time][place])
        if number not in self._kept:
            self._kept[number] = self._drawn[number]  # pyright: ignore[reportArgumentType]
        return self._kept[number]


@dataclass(frozen=True)
class _Share(grain.transforms.Map):
    """Number of a batch to this process's rows of it."""

    drawn: grain.MapDataset | _Pool
    rows: int
    process_index: int
    process_count: int

    def map(self, element: int) -> Example:
        first = (element * self.process_count + self.process_index) * self.rows
        examples: list[Any] = [self.drawn[i] for i in range(first, first + self.rows)]
        return {name: np.concatenate([e[name] for e in examples]) for name in examples[0]}


def batches(
    dataset: grain.MapDataset,
    draw: Draw,
    *,
    batch: int,
    seed: int,
    group: int = 1,
    process_index: int = 0,
    process_count: int = 1,
    threads: int = 2,
    workers: int = 0,
    pool: int = 0,
) -> grain.IterDataset:
    """This process's share of every global batch, endless, with a state that can be saved and set.

    The batch of a number is the same for any number of threads, workers and processes, whose shares are its
    consecutive rows.

    Args:
        dataset: what is drawn, endless.
        draw: makes ``group`` examples, stacked along a first axis, of one element and its random generator.
        batch: examples of the global batch.
        seed: of the elements' generators.
        group: examples that one element gives.
        process_index: which share.
        process_count: number of shares.
        threads: threads that make batches ahead of time (in each worker).
        workers: processes that do so; 0 = none, in this process.
        pool: draws that are made once, kept in memory (by each worker) and shown again and again; 0 = always new ones.

    Raises:
        ValueError: ``batch`` does not divide evenly.
    """
    if batch % (group * process_count):
        raise ValueError(f"a batch of {batch} cannot be divided by {process_count} processes x {group} clips a person")
    drawn = dataset.seed(seed).random_map(_Draw(draw))
    share = _Share(
        _Pool(drawn, pool, seed) if pool else drawn, batch // group // process_count, process_index, process_count
    )
    options = grain.ReadOptions(num_threads=max(1, threads), prefetch_buffer_size=max(2, threads))
    numbers = grain.MapDataset.range(np.iinfo(np.int32).max).map(share)
    out = numbers.to_iter_dataset(options)
    if not workers:
        return out
    return out.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers), worker_init_fn=_start_worker)


def _start_worker(index: int, count: int) -> None:
    """Without this, workers of a run that was killed would go on for ever."""
    del index, count
    end_with_parent()
