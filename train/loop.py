"""The training loop, to be read from top to bottom.

Resuming: the checkpoint holds parameters, optimizer, average, dropout counters, where the data stood after the batch
last used, and what the next line of the log is the mean of; so a run that was stopped and started again gives the very
numbers of one that was not. On one device or on many, in one process or in many, it is the same program.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import grain
import jax
import numpy as np
from flax import nnx
from jax.experimental import multihost_utils
from jax.sharding import Mesh

from avdetect.bundle import write_part
from avdetect.checkpoint import Checkpoints
from avdetect.config import Config, from_dict, to_dict
from avdetect.models.detector import DetectorNet
from avdetect.models.layers import compute_dtype
from avdetect.sharding import local_copy, make_mesh, over_batch, put_batch, replicated
from avdetect.whole_file import replacing
from train.checks import check_batch, check_numbers
from train.compilations import compilations
from train.feed import Feed
from train.log import Log
from train.optim import optimizer, schedule
from train.peak import machine_peak, step_flops
from train.state import first_state, warm_start
from train.step import Loss, TrainState, make_train_step

AHEAD = 2
"""Steps that the host may be ahead of the devices: enough to keep them busy, and little enough that waiting for data
is seen as such and not hidden in a backlog."""


class Task(Protocol):
    """What a part of the detector brings to its training.

    One whose batches are finished on the devices also has ``put(mesh)``: from a batch of the pipeline to one there.
    """

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
    """Train to ``config.train.steps`` and leave the averaged parameters in ``workdir/part``.

    With several processes all of them call this with the same arguments, on a folder that all of them see.

    Returns:
        The last evaluation.

    Raises:
        ValueError: the configuration does not fit the devices, the model or what is in ``workdir``.
        RuntimeError: a step was compiled anew (``train.assert_no_recompile``).
    """
    options, primary = config.train, jax.process_index() == 0
    check_numbers(config)
    mesh = make_mesh(config.mesh)
    check_batch(config, mesh)
    workdir.mkdir(parents=True, exist_ok=True)
    _write_config(workdir, config, primary=primary)

    # ------------------------------------------------------------------ model, optimizer, average
    chain = optimizer(config.optim, options.steps)
    graph, state, where = first_state(config, task.model, chain, mesh)
    count = sum(x.size for x in jax.tree.leaves(state.params))

    # ------------------------------------------------------------------ resume or start
    checkpoints = Checkpoints(workdir, keep=options.keep, metadata={"config": to_dict(config)})
    first = checkpoints.latest() or 0
    pending: list[dict[str, Any]] = []  # metrics of the steps since the last line of the log
    data_state = None
    if first:
        state = checkpoints.restore(first, state)
        data_state = checkpoints.data(first)
        pending = checkpoints.notes(first).get("pending", [])
    elif options.warm_start:
        state, taken = warm_start(options.warm_start, graph, state, where, mesh)
        _say(primary, f"{taken} arrays taken over from {options.warm_start}")
    shape = f" on {mesh.shape['data']} x {mesh.shape['fsdp']} devices" if mesh.size > 1 else ""
    _say(primary, f"{options.part}: {count:,} parameters{shape}; {task.describe()}; from step {first}")

    # ------------------------------------------------------------------ data and step
    pipeline = task.pipeline(process_index=jax.process_index(), process_count=jax.process_count())
    finish = getattr(task, "put", None)
    put = functools.partial(put_batch, mesh=mesh) if finish is None else finish(mesh)
    feed = Feed(pipeline, put, ahead=options.prefetch, state=data_state)
    step_fn = jax.jit(
        make_train_step(
            task.loss,
            graph,
            chain,
            rate=schedule(config.optim, options.steps),
            ema=config.optim.ema,
            sam_rho=config.optim.sam_rho,
            accumulate=options.accumulate,
            remat=options.remat,
            shards=mesh.size,
        ),
        donate_argnums=() if options.debug_nans else 0,  # the search for a NaN runs the step again
        in_shardings=(where, over_batch(mesh)),
        out_shardings=(where, replicated(mesh)),
    )
    stop, figures, step = _stop_on_sigterm(), {}, first
    step_at_peak: float | None = None  # seconds that a step would take at the speed of matrix products

    # ------------------------------------------------------------------ loop
    with (
        contextlib.closing(checkpoints),
        contextlib.closing(feed),
        Log(workdir, start_step=first, steps=options.steps, primary=primary, tensorboard=options.tensorboard) as log,
        jax.debug_nans(options.debug_nans),
        # A hidden transfer would make every step wait: it is an error. (The search for a NaN needs them.)
        jax.transfer_guard("allow" if options.debug_nans else "disallow"),
    ):
        clock = _Clock(first)
        for step in range(first + 1, options.steps + 1):
            if not feed.ready and pending:
                # What the device still computes hides the wait: only the time that it stands idle is counted.
                jax.block_until_ready(pending[-1])
            batch = next(feed)
            if step == first + 1 and options.measure_peak:
                with jax.transfer_guard("allow"):
                    with jax.set_mesh(mesh):
                        flops = step_flops(step_fn, state, batch, accumulate=options.accumulate)
                    peak = machine_peak(compute_dtype(config.model.compute_dtype))
                    step_at_peak = flops / peak if flops else None
            before = compilations()
            with jax.profiler.StepTraceAnnotation("train", step_num=step), jax.set_mesh(mesh):
                state, metrics = step_fn(state, batch)
            if options.assert_no_recompile and step > first + 2 and compilations() > before:
                shapes = {name: x.shape for name, x in batch.items()}
                raise RuntimeError(f"step {step} was compiled anew: do all batches have the shapes of {shapes}?")
            if step == first + 1:  # was compiled: what follows is what counts
                jax.block_until_ready(metrics)
                clock.start(step)
                feed.waited = 0.0
            pending.append(metrics)
            if len(pending) > AHEAD:
                jax.block_until_ready(pending[-1 - AHEAD])
            log.advance(step)
            stopping = stop(step)
            last = step == options.steps
            if step % options.log_every == 0 or last:
                # The only place where values come to the host.
                rows = jax.device_get(pending)
                values = {k: float(np.mean([float(m[k]) for m in rows])) for k in rows[0]}
                log.write(step, **values, **clock.read(step, feed.waited, step_at_peak))
                pending = []
                clock.start(step)
                feed.waited = 0.0
            if step % options.eval_every == 0 or last:
                with clock.paused(), jax.transfer_guard("allow"):
                    figures = task.evaluate(_averaged(graph, state, mesh))
                log.write(step, **figures)
            if step % options.save_every == 0 or last or stopping:
                with clock.paused(), jax.transfer_guard("allow"):
                    notes = {"pending": [{k: float(v) for k, v in m.items()} for m in jax.device_get(pending)]}
                    checkpoints.save(step, state, data=feed.state, notes=notes)
            if stopping and not last:
                break
    if step < options.steps:
        _say(primary, f"stopped at step {step}; the same command goes on from here")
        raise SystemExit(0)

    # ------------------------------------------------------------------ result
    trained = _averaged(graph, state, mesh)
    if primary:
        parts = trained.parts() if isinstance(trained, DetectorNet) else {options.part: trained}
        for name, part in parts.items():
            write_part(workdir / "part", name, part, config.model)
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices("trained")
    return figures


def _averaged(graph: nnx.GraphDef, state: TrainState, mesh: Mesh) -> Any:
    """The model with the averaged parameters, whole on one device of this process."""
    average, rest = local_copy((state.average, state.rest), mesh)
    return nnx.merge(graph, average, rest, copy=True)


class _Clock:
    """Time of training since the last line of the log, without evaluations and checkpoints."""

    def __init__(self, step: int):
        self.start(step)

    def start(self, step: int) -> None:
        self._since, self._step = time.perf_counter(), step

    def read(self, step: int, waited: float, step_at_peak: float | None) -> dict[str, float]:
        """Figures of speed; none where no step was timed.

        Args:
            step: just done.
            waited: seconds spent waiting for data.
            step_at_peak: seconds a step would take at the speed of matrix products.
        """
        if step == self._step:
            return {}
        seconds = time.perf_counter() - self._since
        rate = (step - self._step) / seconds
        peak = {} if step_at_peak is None else {"peak_share": step_at_peak * rate}
        return {"steps_per_s": rate, "wait_share": waited / seconds, **peak}

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        before = time.perf_counter()
        yield
        self._since += time.perf_counter() - before


def _say(primary: bool, text: str) -> None:
    if primary:
        print(text, file=sys.stderr, flush=True)


def _stop_on_sigterm() -> Callable[[int], bool]:
    """A function of the step that says whether to save and stop after it, the same in every process."""
    if jax.process_count() > 1:  # JAX listens for the signal and agrees with the other processes on a step
        return multihost_utils.reached_preemption_sync_point
    event = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: event.set())
    return lambda step: event.is_set()


def _write_config(workdir: Path, config: Config, *, primary: bool) -> None:
    """Write the resolved configuration; refuse to mix two runs in one folder."""
    path, new = workdir / "config.json", to_dict(config)
    if path.exists():
        old = json.loads(path.read_text())
        with contextlib.suppress(KeyError, TypeError):  # what is no configuration of this version is another one
            old = to_dict(from_dict(old))  # fields that came later have their defaults
        allowed = {f.name for f in dataclasses.fields(config.train)} - {
            "part",
            "batch",
            "accumulate",
            "steps",
            "warm_start",
            "frozen",
            "heard_by",
        }
        old, new = (json.loads(json.dumps(data)) for data in (old, new))
        for data in (old, new):
            data.pop("mesh", None)  # a run may go on on other devices
            data["train"] = {k: v for k, v in data["train"].items() if k not in allowed}
        if old != new:
            raise ValueError(f"{workdir} holds a run of another configuration; choose another --workdir or delete it")
    if primary:
        with replacing(path) as half:  # the others read it, perhaps at this moment
            half.write_text(json.dumps(to_dict(config), indent=1) + "\n")
