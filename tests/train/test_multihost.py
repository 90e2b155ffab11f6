"""Two processes on loopback do what one does."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.train.toy_task import rows_of

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 400
pytestmark = pytest.mark.timeout(3 * PATIENCE_S)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(workdir: Path, count: int, *, mesh: tuple[int, int], steps: int, delay_s: float = 0.0) -> list:
    command = [sys.executable, "-m", "tests.train.toy_process", str(workdir), *map(str, mesh), str(steps), str(delay_s)]
    port = free_port()
    where = [[f"127.0.0.1:{port}", str(count), str(i)] for i in range(count)] if count > 1 else [[]]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return [subprocess.Popen([*command, *w], cwd=ROOT, **pipes) for w in where]  # type: ignore[call-overload]


def finish(processes: list) -> list[str]:
    try:
        told = [p.communicate(timeout=PATIENCE_S)[0] for p in processes]
    finally:
        for p in processes:
            p.kill()
    assert [p.returncode for p in processes] == [0] * len(processes), "\n".join(told)
    return told


def losses(workdir: Path) -> list[tuple[int, float, float]]:
    return [(r["step"], r["loss"], r["grad_norm"]) for r in rows_of(workdir) if "loss" in r]


def result(workdir: Path) -> dict[str, np.ndarray]:
    return load_file(workdir / "part" / "fusion.safetensors")


@pytest.mark.slow
def test_two_processes_are_one_also_after_a_stop(tmp_path: Path) -> None:
    steps = 40
    (alone,) = finish(start(tmp_path / "one", 1, mesh=(2, 2), steps=steps))
    assert f"step {steps:6d}" in alone
    # SIGTERM to one of the two: both save the same step and end well.
    processes = start(tmp_path / "two", 2, mesh=(2, 2), steps=steps, delay_s=0.1)
    log, deadline = tmp_path / "two" / "log.jsonl", time.monotonic() + PATIENCE_S
    while not (log.exists() and log.read_text().count("\n") >= 5):
        assert time.monotonic() < deadline and all(p.poll() is None for p in processes)
        time.sleep(0.02)
    processes[1].send_signal(signal.SIGTERM)
    first, second = finish(processes)
    assert "stopped at step" in first and "stopped at step" not in second, "the first process speaks"
    stopped_at = losses(tmp_path / "two")[-1][0]
    assert 5 <= stopped_at < steps and not (tmp_path / "two" / "part").exists()
    files = sorted(p.name for p in (tmp_path / "two" / "checkpoints" / str(stopped_at) / "data").glob("*.json"))
    assert files == ["process_0-of-2.json", "process_1-of-2.json"]
    # The same command goes on.
    first, second = finish(start(tmp_path / "two", 2, mesh=(2, 2), steps=steps))
    assert f"from step {stopped_at}" in first and "step" not in second
    assert [s for s, *_ in losses(tmp_path / "two")] == list(range(1, steps + 1))
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(tmp_path / "one"), rtol=1e-4)
    one, two = result(tmp_path / "one"), result(tmp_path / "two")
    assert one.keys() == two.keys() and len(one) == 6
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=1e-4, atol=1e-6)
    # Another number of processes cannot know where each one's data stood.
    (alone,) = start(tmp_path / "two", 1, mesh=(2, 2), steps=steps)
    told = alone.communicate(timeout=PATIENCE_S)[0]
    assert alone.returncode != 0 and "another number of processes" in told


def run(*extra: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "train.run", "--config", "configs/smoke.py", "--workdir", str(tmp_path / "w")]
    return subprocess.run([*command, *extra], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--coordinator", "127.0.0.1:1"], ["--num-processes, --process-id is missing"]),
        (["--coordinator", "here", "--num-processes", "2", "--process-id", "0"], ["HOST:PORT"]),
        (["--coordinator", "127.0.0.1:9", "--num-processes", "2", "--process-id", "2"], ["--process-id 2", "0 to 1"]),
        (["--coordinator", "x.invalid:9", "--num-processes", "2", "--process-id", "0"], ["x.invalid", "known host"]),
        ([], ["what the cluster says", "--coordinator HOST:PORT"]),
        (
            ["--coordinator", "127.0.0.1:9", "--num-processes", "2", "--process-id", "1", "--start-timeout", "2"],
            ["process 1 of 2 at 127.0.0.1:9", "did not come within 2 s"],
        ),
    ],
)
def test_a_failed_start_says_why(tmp_path: Path, extra: list[str], words: list[str]) -> None:
    found = run("--distributed", *extra, tmp_path=tmp_path)
    assert found.returncode == 2 and found.stderr.startswith("error: "), found.stderr
    assert all(word in found.stderr for word in words) and "Traceback" not in found.stderr, found.stderr
    assert not (tmp_path / "w").exists()
