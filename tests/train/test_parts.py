"""Every part of the detector trains: from records to parameters that do better."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import train.loop
from avdetect.bundle import assemble_net, write_part
from avdetect.checkpoint import Checkpoints
from avdetect.config import ModelConfig, override
from tests.small_nets import SMALL, small_net
from train.tasks import make_task

pytestmark = pytest.mark.slow


class SameBatch:
    """A task whose batches are always that of its first step: a small network must be able to learn it by heart."""

    def __init__(self, task: Any):
        self.loss, self.evaluate, self.describe = task.loss, task.evaluate, task.describe
        self._batch = task.batches(0)

    def batches(self, step: int) -> dict[str, np.ndarray]:
        return self._batch


def rows_of(workdir: Path) -> list[dict]:
    return [json.loads(line) for line in (workdir / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts for the fusion head to listen to."""
    folder = tmp_path_factory.mktemp("frozen")
    net = small_net()
    for part in ("sync_landmarks", "visual", "audio"):
        write_part(folder, part, getattr(net, part), SMALL)
    return folder


@pytest.mark.parametrize(
    ("part", "steps", "share", "figures"),
    [
        ("sync_landmarks", 60, 0.7, ["val_tick", "val_clip", "val_best_lag_ms", "val_auc_same", "val_auc_other"]),
        ("sync_pixels", 60, 0.7, ["val_tick", "val_clip", "val_best_lag_ms", "val_auc_same", "val_auc_other"]),
        ("visual", 40, 0.8, ["val_auc_blend", "val_auc_forged"]),
        ("audio", 40, 0.8, ["val_auc_copies", "val_auc_systems", "val_auc_speech"]),
        ("fusion", 60, 0.8, ["val_auc_mismatch", "val_ece_mismatch"]),
    ],
)
def test_a_part_learns(
    make_config, frozen: Path, tmp_path: Path, part: str, steps: int, share: float, figures: list[str]
) -> None:
    given: dict[str, Any] = {"frozen": (str(frozen),)} if part == "fusion" else {}
    config = make_config(part, steps=steps, log_every=1, eval_every=steps, **given)
    found = train.loop.train(config, SameBatch(make_task(config)), tmp_path)
    losses = [row["loss"] for row in rows_of(tmp_path) if "loss" in row]
    assert len(losses) == steps and np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < share * np.mean(losses[:3]), losses
    assert sorted(found) == sorted(figures)
    (row,) = [row for row in rows_of(tmp_path) if figures[0] in row]
    assert row["step"] == steps and {n: pytest.approx(v, abs=1e-6) for n, v in found.items()}.items() <= row.items()
    net = assemble_net([tmp_path / "part"])
    assert list(net.parts()) == [part]


def test_nothing_is_compiled_after_the_second_step(
    make_config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluations between the steps and the average they switch to evaluation mode change nothing for the step."""
    compiled, during = [0], []

    def heard(event: str, duration_secs: float, **_: Any) -> None:
        compiled[0] += "backend_compile" in event

    jax.monitoring.register_event_duration_secs_listener(heard)
    make = train.loop.make_train_step

    def watched(loss: Any, *, ema: float) -> Any:
        step = make(loss, ema=ema)

        def run(*args: Any) -> Any:
            before = compiled[0]
            out = step(*args)
            during.append(compiled[0] - before)
            return out

        return run

    monkeypatch.setattr(train.loop, "make_train_step", watched)
    config = make_config("sync_landmarks", steps=9, eval_every=3, log_every=2, save_every=4)
    train.loop.train(config, make_task(config), tmp_path)
    assert len(during) == 9 and during[0] >= 1, "the listener hears compilations"
    assert during[2:] == [0] * 7, during


def test_the_average_follows_the_parameters(make_config, tmp_path: Path) -> None:
    """Without averaging the average is the last parameters; with much of it, it lags behind."""
    ends = {}
    for ema in (0.0, 0.999):
        config = make_config("sync_landmarks", steps=5)
        config = dataclasses.replace(config, optim=dataclasses.replace(config.optim, ema=ema))
        train.loop.train(config, make_task(config), tmp_path / str(ema))
        checkpoints = Checkpoints(tmp_path / str(ema), keep=2)
        state = checkpoints._checkpointer.load_checkpointables(5)["state"]
        checkpoints.close()
        ends[ema] = [np.asarray(part["lips"]["embed"]["kernel"]) for part in (state[0], state[2])]
    gaps = {ema: float(np.abs(last - average).max()) for ema, (last, average) in ends.items()}
    assert gaps[0.0] == 0.0 and gaps[0.999] > 1e-3


def test_an_error_in_the_making_of_batches_reaches_the_user(make_config, tmp_path: Path) -> None:
    config = make_config("sync_landmarks")
    task = make_task(config)

    class Broken(SameBatch):
        def batches(self, step: int) -> dict[str, np.ndarray]:
            if step == 4:
                raise RuntimeError("a damaged record")
            return self._batch

    with pytest.raises(RuntimeError, match="a damaged record"):
        train.loop.train(config, Broken(task), tmp_path)


def test_what_cannot_be_trained_says_why(make_config, tmp_path: Path) -> None:
    config = make_config("sync_landmarks")
    off = dataclasses.replace(config, model=ModelConfig())
    with pytest.raises(ValueError, match=r"model\.sync_landmarks"):
        train.loop.train(off, SameBatch(make_task(config)), tmp_path)
    with pytest.raises(ValueError, match=r"split=nobody"):
        make_task(override(config, "data.train_where=split=nobody"))
    with pytest.raises(ValueError, match=r"train\.frozen"):
        make_task(make_config("fusion"))


@pytest.mark.parametrize("part", ["visual", "audio", "sync_landmarks"])
def test_without_validation_clips_the_figures_are_unknown(make_config, part: str) -> None:
    task = make_task(override(make_config(part), "data.val_where=split=nobody"))
    found = task.evaluate(getattr(small_net(), part))
    assert found and np.isnan([v for n, v in found.items() if "auc" in n]).all()
