"""Stdout holds nothing but data, and names cannot steer the terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from avdetect.commands.batch import say
from avdetect.commands.stdout import stdout_for_data
from tests.pseudo_terminal import drain

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.report.fake_engine"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
LOUD = """
import ctypes, os
print("imported")

class Loud:
    api_version = 1

    def __init__(self, forms, /, *, single):
        print("made")
        self.forms = forms

    def head(self):
        ctypes.CDLL(None).puts(b"from C")
        os.system("echo from a program")
        return ""

    def each(self, result):
        print("printed")
        return self.forms.as_dict(result)["verdict"] + "\\n"

    def tail(self, results):
        return ""
"""


def test_what_plugins_print_goes_to_stderr(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    (tmp_path / "real.mp4").write_text("real")
    done = subprocess.run(
        [*COMMAND, "score", "real.mp4", "--format", "loud.py:Loud"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "real\n", done.stderr
    assert {"imported", "made", "from C", "from a program", "printed"} <= set(done.stderr.splitlines())


def test_stdout_comes_back_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), stdout_for_data():
        os.write(1, b"aside\n")
        raise ZeroDivisionError
    os.write(1, b"data\n")
    out, err = capfd.readouterr()
    assert out == "data\n" and err == "aside\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["score", "real.mp4", "--json"], ["score", "real.mp4"], ["plugins"]])
def test_a_full_stdout_is_a_line(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "real.mp4").write_text("real")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1 and done.stderr == "avdetect: cannot write to stdout: No space left on device\n"


def test_a_closed_pipe_does_not_cost_the_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").write_text("real")
    script = f"{' '.join(COMMAND)} score a.mp4 b.mp4 --out all.json | true"
    done = subprocess.run(script, shell=True, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stderr == "" and len(json.loads((tmp_path / "all.json").read_text())) == 2


def test_a_line_on_stderr_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("avdetect: evil\x1b[2K\nreal.mp4")
    assert capsys.readouterr().err == "avdetect: evil\\x1b[2K\\nreal.mp4\n"


def test_names_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    name = "x\x1b[1A\x1b[2K[red]\x9b3my.mp4"
    (tmp_path / name).write_text("fake")
    main, other = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "score", name, "absent\x1b[1A.mp4"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "TERM": "dumb"},
        stdout=other,
        stderr=other,
    )
    os.close(other)
    shown = drain(main, process)
    assert process.wait(90) == 1
    assert "x\\x1b[1A\\x1b[2K[red]\\x9b3my.mp4" in shown
    assert "\x1b[1A\x1b[2K" not in shown and "\x9b" not in shown
