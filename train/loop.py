"""The training loop, to be read from top to bottom.

Resuming: batches depend only on seed and step, and the checkpoint holds parameters, optimizer, average and dropout
counters, and what the next line of the log is the mean of; so a run that was stopped and started again gives the very
numbers of one that was not.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any, Protocol

import grain
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect.bundle import read_parts, write_part
from avdetect.checkpoint import Checkpoints
from avdetect.config import Config, to_dict
from avdetect.models.detector import DetectorNet
from train.log import Log
from train.optim import optimizer
from train.step import Loss, make_train_step


class Task(Protocol):
    """What a part of the detector brings to its training."""

    loss: Loss
    """``(model, batch) -> (scalar, metrics)``; arrays of the batch are global, examples first."""

    def pipeline(self, *, process_index: int, process_count: int) -> grain.IterDataset[dict[str, np.ndarray]]:
        """This process's share of the batches (``train.batch // process_count`` examples each), without end.

        Deterministic; ``get_state`` and ``set_state`` of its iterator go on exactly where they left off.
        """
        ...

    def model(self, net: DetectorNet) -> nnx.Module:
        """What is trained: one part or the whole; ValueError where the configuration lacks it."""
        ...

    def evaluate(self, model: Any, /) -> dict[str, float]:
        """Figures on the validation clips."""
        ...

    def describe(self) -> str:
        """A line on the data."""
        ...


def train(config: Config, task: Task, workdir: Path) -> dict[str, float]:
    """Train one part to ``config.train.steps`` and leave its averaged parameters in ``workdir/part``.

    Returns:
        The last evaluation.
    """
    options = config.train
    workdir.mkdir(parents=True, exist_ok=True)
    _write_config(workdir, config)

    # ------------------------------------------------------------------ model, optimizer, average
    net = DetectorNet(config.model, seed=config.seed)
    model = task.model(net)
    average = _copy(model)
    opt = nnx.Optimizer(model, optimizer(config.optim, options.steps), wrt=nnx.Param)
    count = sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))

    # ------------------------------------------------------------------ resume or start
    checkpoints = Checkpoints(workdir, keep=options.keep, metadata={"config": to_dict(config)})
    first = checkpoints.latest() or 0
    pending: list[dict[str, Any]] = []  # metrics of the steps since the last line of the log
    if first:
        restored = checkpoints.restore(first, _pure(model, opt, average))
        _restore(restored, model, opt, average)
        pending = checkpoints.notes(first).get("pending", [])
    elif options.warm_start:
        taken = read_parts(Path(options.warm_start), model)
        model, average = _copy(model), _copy(model)
        opt = nnx.Optimizer(model, optimizer(config.optim, options.steps), wrt=nnx.Param)
        print(f"{taken} arrays taken over from {options.warm_start}", file=sys.stderr)
    print(f"{options.part}: {count:,} parameters; {task.describe()}; from step {first}", file=sys.stderr)

    # ------------------------------------------------------------------ loop
    step_fn = make_train_step(task.loss, ema=config.optim.ema)
    stop = _stop_on_sigterm()
    figures: dict[str, float] = {}
    with Log(workdir, start_step=first) as log:
        started, waited, since = time.perf_counter(), 0.0, first
        batches = _prefetch(task, first, options.steps)
        for step in range(first + 1, options.steps + 1):
            before = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - before
            pending.append(step_fn(model, opt, average, batch))
            if step % options.log_every == 0 or step == options.steps:
                # The only place where values come to the host: the loop runs ahead between log lines.
                values = {k: float(np.mean([float(m[k]) for m in pending])) for k in pending[0]}
                seconds = time.perf_counter() - started
                rate = (step - since) / seconds
                log.write(step, **values, steps_per_s=rate, wait_share=waited / seconds)
                started, waited, since, pending = time.perf_counter(), 0.0, step, []
            if step % options.eval_every == 0 or step == options.steps:
                figures = task.evaluate(average)
                log.write(step, **figures)
            if step % options.save_every == 0 or step == options.steps or stop.is_set():
                notes = {"pending": [{k: float(v) for k, v in m.items()} for m in pending]}
                checkpoints.save(step, _pure(model, opt, average), notes=notes)
            if stop.is_set() and step < options.steps:
                checkpoints.close()
                print(f"stopped at step {step}; the same command goes on from here", file=sys.stderr)
                raise SystemExit(0)
    checkpoints.close()
    write_part(workdir / "part", options.part, average, config.model)
    return figures


def _copy(module: Any) -> Any:
    """A module with buffers of its own (both are donated, and one buffer cannot be donated twice)."""
    graph, state = nnx.split(module)
    return nnx.merge(graph, jax.tree.map(jnp.copy, state))


def _pure(*modules: Any) -> list[Any]:
    return [nnx.to_pure_dict(nnx.state(m)) for m in modules]


def _restore(values: list[Any], *modules: Any) -> None:
    for value, module in zip(values, modules, strict=True):
        state = nnx.state(module)
        nnx.replace_by_pure_dict(state, value)
        nnx.update(module, state)


def _prefetch(task: Task, first: int, last: int) -> Iterator[dict[str, jax.Array]]:
    """Batches made by a thread, two ahead, already on the device."""
    queue: Queue[Any] = Queue(maxsize=2)

    def work() -> None:
        try:
            iterator = iter(task.pipeline(process_index=0, process_count=1))
            for _ in range(first):
                next(iterator)
            for _ in range(first, last):
                queue.put(jax.device_put(next(iterator)))
        except BaseException as error:  # hand it to the loop, which would otherwise wait for ever
            queue.put(error)

    threading.Thread(target=work, daemon=True).start()
    while True:
        item = queue.get()
        if isinstance(item, BaseException):
            raise item
        yield item


def _stop_on_sigterm() -> threading.Event:
    event = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: event.set())
    return event


def _write_config(workdir: Path, config: Config) -> None:
    """Write the resolved configuration; refuse to mix two runs in one folder."""
    path, new = workdir / "config.json", to_dict(config)
    if path.exists():
        old = json.loads(path.read_text())
        allowed = {f.name for f in dataclasses.fields(config.train)} - {
            "part",
            "batch",
            "steps",
            "warm_start",
            "frozen",
        }
        for data in (old, new := json.loads(json.dumps(new))):
            data["train"] = {k: v for k, v in data["train"].items() if k not in allowed}
        if old != new:
            raise ValueError(f"{workdir} holds a run of another configuration; choose another --workdir or delete it")
    path.write_text(json.dumps(to_dict(config), indent=1) + "\n")
