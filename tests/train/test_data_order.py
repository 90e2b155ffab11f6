"""A run goes on with the very batches that it would have had: a small task, every step in the log."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdetect.checkpoint import Checkpoints
from avdetect.data.mixture import batches, mixture
from tests.train.test_multihost import finish, start
from tests.train.test_resume import TIMINGS, bits
from tests.train.toy_task import Toy, ToyTask, rows_of, toy_config
from train.feed import Feed
from train.loop import train

PATIENCE_S = 300
pytestmark = pytest.mark.timeout(3 * PATIENCE_S)


def checkpoint(workdir: Path, step: int) -> tuple[dict[str, Any], Any]:
    checkpoints = Checkpoints(workdir, keep=2)
    assert checkpoints.latest() == step
    found = checkpoints.arrays(step), checkpoints.data(step)
    checkpoints.close()
    return found


def assert_same(stopped: Path, straight: Path, steps: int) -> None:
    (a, data_a), (b, data_b) = checkpoint(stopped, steps), checkpoint(straight, steps)
    assert a.keys() == b.keys() and data_a == data_b
    for name in a:
        np.testing.assert_array_equal(bits(a[name]), bits(b[name]), err_msg=name)
    logs = [[{k: v for k, v in r.items() if k not in TIMINGS} for r in rows_of(w)] for w in (stopped, straight)]
    assert logs[0] == logs[1]
    orders = [r["order"] for r in logs[0] if "order" in r]
    assert len(orders) == steps and len(set(orders)) > steps // 2, "batches differ"
    assert (stopped / "part" / "fusion.safetensors").read_bytes() == (
        straight / "part" / "fusion.safetensors"
    ).read_bytes()


class Stopped(ToyTask):
    """SIGTERM arrives during the evaluation of step 6, when later batches are made already."""

    def evaluate(self, model: Toy, /) -> dict[str, float]:
        deadline = time.monotonic() + 20
        while len(self.seen) < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        return super().evaluate(model)


def test_after_sigterm_batches_made_ahead_are_not_lost(tmp_path: Path) -> None:
    config = toy_config(log_every=1)
    train(config, ToyTask(config), tmp_path / "straight")
    task = Stopped(config)
    with pytest.raises(SystemExit) as stop:
        train(config, task, tmp_path / "stopped")
    assert stop.value.code == 0 and rows_of(tmp_path / "stopped")[-1]["step"] == 7, "the step in which it is heard"
    assert len(task.seen) >= 8, "the thread was ahead of the loop"
    _, data = checkpoint(tmp_path / "stopped", 7)
    assert data == {"next_index": 7}
    train(config, ToyTask(config), tmp_path / "stopped")
    assert_same(tmp_path / "stopped", tmp_path / "straight", 12)


@pytest.mark.slow
def test_after_sigkill_on_four_devices(tmp_path: Path) -> None:
    steps = 24
    finish(start(tmp_path / "straight", 1, mesh=(2, 2), steps=steps))
    (process,) = start(tmp_path / "killed", 1, mesh=(2, 2), steps=steps, delay_s=0.3)
    log, deadline = tmp_path / "killed" / "log.jsonl", time.monotonic() + PATIENCE_S
    saved = tmp_path / "killed" / "checkpoints" / "10"  # has another name until it is complete
    while not (saved.exists() and log.read_text().count("\n") >= 14):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()
    (told,) = finish(start(tmp_path / "killed", 1, mesh=(2, 2), steps=steps))
    assert "from step 10" in told or "from step 20" in told
    assert_same(tmp_path / "killed", tmp_path / "straight", steps)


def draw(element: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"x": np.array([[element, rng.integers(1000)]])}


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_threads_and_worker_processes_go_on_where_they_were(workers: int) -> None:
    def feed(state: Any = None) -> Feed:
        data = mixture({"a": range(50), "b": range(100, 120)}, {"a": 0.7, "b": 0.3}, seed=1)
        return Feed(batches(data, draw, batch=4, seed=2, workers=workers), lambda batch: batch, ahead=2, state=state)

    with contextlib.closing(feed()) as straight:
        for _ in range(5):
            next(straight)
        state = json.loads(json.dumps(straight.state))
        wanted = [next(straight)["x"].tolist() for _ in range(6)]
    with contextlib.closing(feed(state)) as again:
        assert [next(again)["x"].tolist() for _ in range(6)] == wanted
    assert len({tuple(x) for batch in wanted for x in batch}) > 20
