"""What a run tells, and that it is true."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

import train.peak
from tests.train.toy_task import ToyTask, loss, rows_of, toy_config
from train.log import Log
from train.loop import train as run


def curves(workdir: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(workdir / "tensorboard"))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_lines_of_steps_that_are_run_again_are_dropped(tmp_path: Path) -> None:
    with Log(tmp_path, start_step=0, tensorboard=True) as log:
        for step in (2, 4, 6):
            log.write(step, loss=1.0 / step, val_auc=float("nan"))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 8, "lo')  # cut short by a kill
    time.sleep(1.1)  # TensorBoard orders its files by the second that they were begun in
    with Log(tmp_path, start_step=4, tensorboard=True) as log:
        log.write(6, loss=0.125)
    assert rows_of(tmp_path) == [
        {"step": 2, "loss": 0.5, "val_auc": None},
        {"step": 4, "loss": 0.25, "val_auc": None},
        {"step": 6, "loss": 0.125},
    ]
    found = curves(tmp_path)
    assert found["train/loss"] == [(2, 0.5), (4, 0.25), (6, 0.125)]
    assert set(found) == {"train/loss", "val/auc"}


def test_only_the_first_process_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Log(tmp_path, start_step=0, primary=False, tensorboard=True) as log:
        log.write(1, loss=1.0)
        log.advance(1)
    assert not list(tmp_path.iterdir()) and capsys.readouterr().err == ""


def test_without_tensorboard_there_are_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with Log(tmp_path, start_step=0, steps=10, tensorboard=True) as log:
        log.write(5, loss=1.5, steps_per_s=0.01)
        log.write(10, loss=0.5, steps_per_s=0.01)
    assert [p.name for p in tmp_path.iterdir()] == ["log.jsonl"]
    first, last = capsys.readouterr().err.splitlines()
    assert first == "step      5  loss 1.5  steps_per_s 0.01  eta 0:08:20" and "eta" not in last


def test_a_terminal_gets_a_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with Log(tmp_path, start_step=3, steps=10) as log:
        log.advance(4)
        log.write(5, loss=1.5, steps_per_s=2.0)
        log.advance(5)
    shown = capsys.readouterr().err
    assert "step      5  loss 1.5" in shown and "5/10" in shown and rows_of(tmp_path)[0]["step"] == 5


def test_a_run_writes_both_and_they_agree(tmp_path: Path) -> None:
    config = toy_config()
    run(config, ToyTask(config), tmp_path)
    rows, found = rows_of(tmp_path), curves(tmp_path)
    assert [r["step"] for r in rows] == [5, 6, 10, 12, 12]
    for name, tag in (
        ("loss", "train/loss"),
        ("lr", "train/lr"),
        ("val_out", "val/out"),
        ("wait_share", "speed/wait_share"),
    ):
        np.testing.assert_allclose(found[tag], [(r["step"], r[name]) for r in rows if name in r], rtol=1e-3, atol=1e-5)
    json.dumps(rows, allow_nan=False)


def slow_loss(model: Any, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    """A step of 40 ms that leaves the processor free."""

    def rest(x: np.ndarray) -> np.ndarray:
        time.sleep(0.04)
        return np.asarray(x)

    value, metrics = loss(model, batch)
    waited = jax.pure_callback(rest, jax.ShapeDtypeStruct((), jnp.float32), batch["y"][0])
    return value, {**metrics, "waited": waited}


@pytest.mark.slow
def test_the_share_of_time_waiting_for_data_is_real(tmp_path: Path) -> None:
    shares = {}
    for name, delay_s in (("data slow", 0.1), ("step slow", 0.0)):
        config = toy_config(steps=30, log_every=15, eval_every=100)
        task = ToyTask(config, delay_s=delay_s)
        task.loss = slow_loss
        run(config, task, tmp_path / name)
        # The first few batches are made while the first step is compiled, so the first line knows little.
        (_, row) = [r for r in rows_of(tmp_path / name) if "wait_share" in r]
        shares[name] = row["wait_share"]
        assert row["steps_per_s"] < 1.1 / max(delay_s, 0.04)
    # Of the 100 ms of a batch, 40 pass while the step before runs.
    assert 0.4 < shares["data slow"] < 0.9 and shares["step slow"] < 0.25, shares


def test_the_peak_is_measured_and_printed() -> None:
    small, large = train.peak.matmul_peak(jnp.float32, size=64), train.peak.matmul_peak(jnp.float32, size=512)
    assert 1e6 < small and 1e9 < large < 1e15
    result = CliRunner().invoke(_peak_app(), ["--dtype", "float32"])
    assert result.exit_code == 0 and "TFLOP/s in float32" in result.output, result.output


def _peak_app() -> Any:
    import typer

    app = typer.Typer()
    app.command()(train.peak.main)
    return app


def test_operations_of_a_step_are_counted() -> None:
    a, b = jnp.ones((64, 128)), jnp.ones((128, 32))
    assert train.peak.step_flops(jax.jit(lambda a, b: a @ b), a, b) == 2 * 64 * 128 * 32
    scanned = jax.jit(lambda a, b: jax.lax.scan(lambda c, x: (c, x @ b), 0.0, a.reshape(4, 16, 128))[1])
    found = train.peak.step_flops(scanned, a, b, accumulate=4)
    assert found == pytest.approx(2 * 64 * 128 * 32, rel=0.01)
