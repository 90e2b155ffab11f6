"""A run that was stopped and started again gives the very numbers of one that was not."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from avdetect.checkpoint import Checkpoints
from avdetect.config import Config, to_dict
from train.loop import train
from train.run import app
from train.stepwise import as_task
from train.tasks import make_task

ROOT = Path(__file__).resolve().parents[2]
STEPS = 260
PATIENCE_S = 800
TIMINGS = ("steps_per_s", "wait_share", "peak_share")
pytestmark = pytest.mark.timeout(3 * PATIENCE_S)  # three runs of some fifteen seconds, on a machine that may be busy


@pytest.fixture(scope="module")
def config_file(make_config: Callable[..., Config], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines and checkpoints that never fall on the same step."""
    config = make_config("sync_landmarks", steps=STEPS, batch=4, log_every=7, eval_every=90, save_every=25)
    path = tmp_path_factory.mktemp("config") / "tiny.py"
    path.write_text(
        "from avdetect.config import from_dict\n\n\n"
        f"def get_config():\n    return from_dict({json.loads(json.dumps(to_dict(config)))!r})\n"
    )
    return path


def start(config: Path, workdir: Path, *extra: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "train.run", "--config", str(config), "--workdir", str(workdir), *extra]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return out + err


def lines(workdir: Path) -> list[dict[str, Any]]:
    path = workdir / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for_step(process: subprocess.Popen[str], workdir: Path, step: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        path = workdir / "log.jsonl"
        done = path.read_text().count("\n") if path.exists() else 0
        if done * 7 >= step:
            return
        assert process.poll() is None, "the run ended before it could be stopped"
        time.sleep(0.01)
    process.kill()
    pytest.fail("the run did not get on")


def bits(leaf: Any) -> np.ndarray:
    """Of a number or of the key of a random generator."""
    is_key = jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(leaf) if is_key else leaf)


def final_state(workdir: Path) -> tuple[dict[str, Any], Any]:
    """Arrays by name, and where the data stands."""
    checkpoints = Checkpoints(workdir, keep=2)
    assert checkpoints.latest() == STEPS
    state, data = checkpoints.arrays(STEPS), checkpoints.data(STEPS)
    checkpoints.close()
    return state, data


def equal(stopped: Path, straight: Path) -> None:
    """Parameters, optimizer, average, counters, place in the data, result and log, to the last bit."""
    (a, data_a), (b, data_b) = final_state(stopped), final_state(straight)
    assert a.keys() == b.keys() and len(a) > 100
    assert {name.split(".")[0] for name in a} == {"step", "params", "rest", "optimizer", "average"}
    for name in a:
        np.testing.assert_array_equal(bits(a[name]), bits(b[name]), err_msg=name)
    assert data_a == data_b and data_a
    for name in ("sync_landmarks.safetensors", "sync_landmarks.json"):
        assert (stopped / "part" / name).read_bytes() == (straight / "part" / name).read_bytes()
    logs = [[{k: v for k, v in row.items() if k not in TIMINGS} for row in lines(w)] for w in (stopped, straight)]
    assert logs[0] == logs[1]
    assert [row["step"] for row in logs[0] if "loss" in row] == [*range(7, STEPS, 7), STEPS]
    assert [row["step"] for row in logs[0] if "val_tick" in row] == [90, 180, 260]


@pytest.fixture(scope="module")
def straight(config_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("straight")
    told = finish(start(config_file, workdir))
    assert "val_auc_other" in told and f"step {STEPS:6d}" in told
    return workdir


@pytest.mark.slow
def test_stopped_with_sigterm(config_file: Path, straight: Path, tmp_path: Path) -> None:
    process = start(config_file, tmp_path)
    wait_for_step(process, tmp_path, 30)
    process.send_signal(signal.SIGTERM)
    told = finish(process)
    assert "the same command goes on" in told and not (tmp_path / "part").exists()
    checkpoints = Checkpoints(tmp_path, keep=2)
    stopped_at = checkpoints.latest()
    checkpoints.close()
    assert stopped_at is not None and 30 <= stopped_at < STEPS
    assert f"from step {stopped_at}" in finish(start(config_file, tmp_path))
    equal(tmp_path, straight)


@pytest.mark.slow
def test_killed_between_checkpoints(config_file: Path, straight: Path, tmp_path: Path) -> None:
    process = start(config_file, tmp_path)
    wait_for_step(process, tmp_path, 63)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 9')  # a line cut short by the kill
    told = finish(start(config_file, tmp_path))
    assert "from step " in told and "from step 0" not in told
    equal(tmp_path, straight)


@pytest.mark.slow
def test_a_finished_run_stays_as_it_is(config_file: Path, straight: Path) -> None:
    before = {p: p.read_bytes() for p in sorted(straight.rglob("*")) if p.is_file() and p.parent.name == "part"}
    log = (straight / "log.jsonl").read_bytes()
    finish(start(config_file, straight))
    assert {p: p.read_bytes() for p in before} == before
    assert (straight / "log.jsonl").read_bytes() == log


@pytest.mark.slow
def test_another_configuration_in_the_same_folder_is_refused(config_file: Path, straight: Path) -> None:
    def run(*extra: str):
        return CliRunner().invoke(app, ["--config", str(config_file), "--workdir", str(straight), *extra])

    for change in ("optim.lr=1e-4", "seed=9", "train.steps=300", "model.sync_landmarks.width=24", "data.ticks=20"):
        refused = run("--set", change)
        assert refused.exit_code == 2 and "another configuration" in refused.output, change
        assert str(straight) in refused.output
    assert run("--set", "train.log_every=9", "--set", "train.keep=3").exit_code == 0, "how often to save is no matter"


@pytest.mark.parametrize(
    ("assignment", "names"),
    [
        ("optim.lr=fast", ["optim.lr", "float", "fast"]),
        ("optim.rate=1", ["rate", "OptimConfig"]),
        ("train.steps", ["name=value"]),
        ("model.visual.blocks=1", ["model.visual", "off"]),
        ("data.records=/nowhere/at/all", ["/nowhere/at/all", "tools.prepare"]),
        ("data.train_where=colour=red", ["colour"]),
    ],
)
def test_a_wrong_setting_ends_with_status_2_and_says_what_is_wrong(
    config_file: Path, tmp_path: Path, assignment: str, names: list[str]
) -> None:
    arguments = ["--config", str(config_file), "--workdir", str(tmp_path), "--set", assignment]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and result.output.startswith("error: ")
    assert all(name in result.output for name in names), result.output
    assert not (tmp_path / "log.jsonl").exists()


def test_a_missing_configuration_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--config", str(tmp_path / "no.py"), "--workdir", str(tmp_path)])
    assert result.exit_code == 2 and "no.py" in result.output


def test_checkpoints_keep_the_latest_and_their_notes(tmp_path: Path) -> None:
    state = {"w": jax.numpy.arange(6.0).reshape(2, 3), "n": jax.numpy.zeros((), jax.numpy.uint32)}
    checkpoints = Checkpoints(tmp_path, keep=2, metadata={"config": {"seed": 1}})
    assert checkpoints.latest() is None
    for step in (3, 4, 9):
        shifted = jax.tree.map(lambda x, step=step: x + step, state)
        checkpoints.save(step, shifted, data={"next_index": step}, notes={"pending": [{"loss": 0.1}]})
    checkpoints.close()
    again = Checkpoints(tmp_path, keep=2)
    assert again.latest() == 9
    found = again.restore(9, state)
    np.testing.assert_array_equal(found["w"], np.arange(6.0).reshape(2, 3) + 9)
    assert found["n"].dtype == jax.numpy.uint32 and again.notes(9) == {"pending": [{"loss": 0.1}]}
    assert again.data(9) == {"next_index": 9} and sorted(again.arrays(9)) == ["n", "w"]
    np.testing.assert_array_equal(again.restore(4, state)["w"], np.arange(6.0).reshape(2, 3) + 4)
    with pytest.raises(Exception, match="3"):
        again.restore(3, state)
    again.close()


@pytest.mark.slow
def test_the_warm_start_takes_over_a_trained_sound_trunk(
    make_config: Callable[..., Config], straight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config("sync_pixels", steps=1, warm_start=str(straight / "part"))
    config = dataclasses.replace(config, optim=dataclasses.replace(config.optim, lr=0.0, weight_decay=0.0))
    train(config, as_task(make_task(config), "sync_pixels"), tmp_path)
    assert "arrays taken over" in capsys.readouterr().err
    theirs = load_file(straight / "part" / "sync_landmarks.safetensors")
    mine = load_file(tmp_path / "part" / "sync_pixels.safetensors")
    name = "sound.stem.project.kernel"
    np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-6)
