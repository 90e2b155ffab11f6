"""Every part of the detector trains: from records to parameters that do better."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import grain
import numpy as np
import pytest

import train.loop
from avdetect.bundle import assemble_net, write_part
from avdetect.config import ModelConfig, override
from tests.small_nets import SMALL, small_net
from tests.train.toy_task import rows_of
from train.stepwise import as_task, stepwise
from train.tasks import make_task

pytestmark = pytest.mark.slow


class SameBatch:
    """A task whose batches are always that of its first step: a small network must be able to learn it by heart."""

    def __init__(self, task: Any, part: str):
        task = as_task(task, part)
        self.loss, self.evaluate, self.describe, self.model = task.loss, task.evaluate, task.describe, task.model
        self.batch = next(iter(task.pipeline(process_index=0, process_count=1)))

    def batches(self, step: int) -> dict[str, np.ndarray]:
        return self.batch

    def pipeline(self, *, process_index: int, process_count: int) -> grain.IterDataset:
        return stepwise(self.batches, process_index=process_index, process_count=process_count)


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
        ("audio", 40, 0.8, ["val_auc_copies", "val_auc_systems", "val_auc_speech"]),
        ("fusion", 60, 0.8, ["val_auc_mismatch", "val_ece_mismatch"]),
    ],
)
def test_a_part_learns(
    make_config, frozen: Path, tmp_path: Path, part: str, steps: int, share: float, figures: list[str]
) -> None:
    given: dict[str, Any] = {"frozen": (str(frozen),)} if part == "fusion" else {}
    config = make_config(part, steps=steps, log_every=1, eval_every=steps, **given)
    found = train.loop.train(config, SameBatch(make_task(config), config.train.part), tmp_path)
    losses = [row["loss"] for row in rows_of(tmp_path) if "loss" in row]
    assert len(losses) == steps and np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < share * np.mean(losses[:3]), losses
    assert sorted(found) == sorted(figures)
    (row,) = [row for row in rows_of(tmp_path) if figures[0] in row]
    assert row["step"] == steps and {n: pytest.approx(v, abs=1e-6) for n, v in found.items()}.items() <= row.items()
    net = assemble_net([tmp_path / "part"])
    assert list(net.parts()) == [part]


def test_an_error_in_the_making_of_batches_reaches_the_user(make_config, tmp_path: Path) -> None:
    config = make_config("sync_landmarks")
    task = make_task(config)

    class Broken(SameBatch):
        def batches(self, step: int) -> dict[str, np.ndarray]:
            if step == 4:
                raise RuntimeError("a damaged record")
            return self.batch

    with pytest.raises(RuntimeError, match="a damaged record"):
        train.loop.train(config, Broken(task, config.train.part), tmp_path)


def test_what_cannot_be_trained_says_why(make_config, tmp_path: Path) -> None:
    config = make_config("sync_landmarks")
    off = dataclasses.replace(config, model=ModelConfig())
    with pytest.raises(ValueError, match=r"model\.sync_landmarks"):
        train.loop.train(off, SameBatch(make_task(config), config.train.part), tmp_path)
    with pytest.raises(ValueError, match=r"split=nobody"):
        make_task(override(config, "data.train_where=split=nobody"))
    with pytest.raises(ValueError, match=r"train\.frozen"):
        make_task(make_config("fusion"))


@pytest.mark.parametrize("part", ["audio", "sync_landmarks"])
def test_without_validation_clips_the_figures_are_unknown(make_config, part: str) -> None:
    task = make_task(override(make_config(part), "data.val_where=split=nobody"))
    found = task.evaluate(getattr(small_net(), part))
    assert found and np.isnan([v for n, v in found.items() if "auc" in n]).all()
