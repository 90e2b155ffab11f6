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
    made = make_config("sync_landmarks", steps=24, batch=8, log_every=1, eval_every=24, save_every=24)
    return override(made, "data.resident=true")


@pytest.fixture(scope="module")
def straight(config, tmp_path_factory) -> Path:
    workdir = tmp_path_factory.mktemp("straight")
    figures = run(config, workdir)  # train.assert_no_recompile is on
    assert 0 <= figures["val_tick"] <= 1
    return workdir


@pytest.mark.slow
def test_it_learns(straight: Path) -> None:
    losses = [row["loss"] for row in rows_of(straight) if "loss" in row]
    assert len(losses) == 24 and np.isfinite(losses).all() and np.mean(losses[-5:]) < np.mean(losses[:5])


@pytest.mark.slow
def test_what_goes_on_has_the_batches_of_what_was_not_stopped(
    config, straight: Path, tmp_path: Path, monkeypatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(train.loop, "_stop_on_sigterm", lambda: lambda step: step == 10)
        with pytest.raises(SystemExit):
            run(config, tmp_path)
    run(config, tmp_path)
    a, b = ((folder / "part" / "sync_landmarks.safetensors").read_bytes() for folder in (straight, tmp_path))
    assert a == b


def test_parts_that_cannot_say_so(make_config) -> None:
    config = make_config("audio")
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, resident=True))
    with pytest.raises(ValueError, match=r"data\.resident.*audio"):
        make_task(config)
