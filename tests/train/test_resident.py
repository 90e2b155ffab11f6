"""Training on examples that are made on the device: the loop, what it learns, and stopping."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import train.loop
from avdetect.config import override
from tests.train.toy_task import rows_of
from train.stepwise import as_task
from train.tasks import make_task


def run(config, workdir: Path) -> dict[str, float]:
    return train.loop.train(config, as_task(make_task(config), config.train.part), workdir)


@pytest.fixture(scope="module")
def config(make_config):
    made = make_config("sync_landmarks", steps=30, batch=8, log_every=1, eval_every=30, save_every=10)
    return override(made, "data.resident=true")


def test_it_learns_in_one_program_and_does_not_wait(config, tmp_path: Path) -> None:
    figures = run(config, tmp_path)  # train.assert_no_recompile is on
    losses = [row["loss"] for row in rows_of(tmp_path) if "loss" in row]
    assert len(losses) == 30 and np.isfinite(losses).all() and np.mean(losses[-5:]) < np.mean(losses[:5])
    assert 0 <= figures["val_tick"] <= 1


def test_what_goes_on_has_the_batches_of_what_was_not_stopped(config, tmp_path: Path, monkeypatch) -> None:
    run(config, tmp_path / "straight")
    with monkeypatch.context() as patched:
        patched.setattr(train.loop, "_stop_on_sigterm", lambda: lambda step: step == 10)
        with pytest.raises(SystemExit):
            run(config, tmp_path / "stopped")
    run(config, tmp_path / "stopped")
    a, b = ((tmp_path / n / "part" / "sync_landmarks.safetensors").read_bytes() for n in ("straight", "stopped"))
    assert a == b


def test_parts_that_cannot_say_so(make_config) -> None:
    config = make_config("audio")
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, resident=True))
    with pytest.raises(ValueError, match=r"data\.resident.*audio"):
        make_task(config)
