"""A stand-in for the program of the forgery `neural_codec`: as late as that, and with its start left out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from avdetect.forge.neural_codec import LATE, VARIABLE, WARM

PROGRAM = f"""#!{sys.executable}
import sys, array
level, chunk = int(sys.argv[1]), int(sys.argv[2])
assert -1 <= level <= 15 and 1 <= chunk <= 100
sound = array.array("h", sys.stdin.buffer.read())
late = [0] * {LATE} + [x // 2 + (i % 7) for i, x in enumerate(sound)]
array.array("h", late[{WARM}:len(sound)]).tofile(sys.stdout.buffer)
"""


def install_codec(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Writes the program and names it in the environment."""
    program = folder / "codec"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(program))
    return program
