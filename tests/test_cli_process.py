"""The command as a process: pipes, signals, terminals, start-up."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pseudo_terminal import drain

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "tests.report.fake_engine"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("real", "fake", "broken", "slow"):
        (tmp_path / f"{name}.mp4").write_text(name)
    return tmp_path


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, avdetect.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"numpy", "jax", "flax", "av", "cv2", "rich", "matplotlib", "scipy", "avdetect.types", "jaxtyping"}
    assert not heavy & set(listed)
    seconds = []
    for _ in range(3):
        before = os.times()
        done = subprocess.run([sys.executable, "-m", "avdetect", "--help"], capture_output=True, text=True, check=True)
        after = os.times()
        # Processor time: the wall clock of a shared machine says little.
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert "score" in done.stdout
    assert min(seconds) < 0.5


def test_a_closed_pipe_is_quiet(files: Path) -> None:
    script = f"{sys.executable} -m tests.report.fake_engine score --jsonl real.mp4 fake.mp4 real.mp4 | head -c 10"
    done = subprocess.run(script, shell=True, cwd=files, env=ENVIRONMENT, capture_output=True, text=True)
    assert len(done.stdout) == 10 and done.stderr == ""


def test_stdout_is_data_and_stderr_is_the_rest(files: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "score", "--json", "real.mp4", "broken.mp4"], cwd=files, env=ENVIRONMENT, capture_output=True
    )
    assert done.returncode == 1 and done.stderr == b""
    assert [entry["file"]["path"] for entry in json.loads(done.stdout)] == ["real.mp4", "broken.mp4"]


def test_json_is_utf8_whatever_the_locale(files: Path) -> None:
    odd = files / os.fsdecode("Gespräch \udcff.mp4".encode("utf-8", "surrogateescape"))
    odd.write_text("real")
    done = subprocess.run(
        [*COMMAND, "score", "--jsonl", str(odd)],
        env={**ENVIRONMENT, "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("utf-8"))["file"]["path"].endswith("Gespräch \\xff.mp4")


def test_an_interrupt_ends_cleanly(files: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "score", "--jsonl", "real.mp4", "slow.mp4"],
        cwd=files, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A test run that was started in the background ignores Ctrl+C, and what it starts would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None and process.stderr.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 130
    assert len(out.splitlines()) == 1 and err == "avdetect: interrupted: 1 of 2 done\n"


def test_a_terminal_gets_colours_and_progress(files: Path) -> None:
    main, other = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [*COMMAND, "score", "real.mp4", "fake.mp4", "broken.mp4"],
        cwd=files,
        env=environment,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    shown = drain(main, process)
    assert process.wait(90) == 1
    assert "\x1b[1;31mfake" in shown and "it is not a media file" in shown and "1/3 real.mp4" in shown
    assert "\t" not in shown


def test_progress_goes_to_the_terminal_and_data_to_the_pipe(files: Path) -> None:
    main, other = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "score", "--json", "real.mp4"], cwd=files, env={**ENVIRONMENT, "TERM": "xterm"},
        stdout=subprocess.PIPE, stderr=other,
    )  # fmt: skip
    os.close(other)
    shown = drain(main, process)
    out, _ = process.communicate(timeout=90)
    assert json.loads(out)["verdict"] == "real"
    assert "real.mp4" in shown


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "avdetect", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("avdetect ")
    started = time.monotonic()
    wrong = subprocess.run([sys.executable, "-m", "avdetect", "score"], capture_output=True, text=True)
    assert wrong.returncode == 2 and wrong.stdout == "" and time.monotonic() - started < 20
