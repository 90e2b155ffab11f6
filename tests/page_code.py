"""Code on the pages of the documentation: marked by a comment before the block, run by tests as it stands there."""

from __future__ import annotations

import importlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"<!-- (\w+)(?:: (\S+))? -->\n```(\w+)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What a page tells to write and to run.

    Attributes:
        text: all of it.
        files: content by path, of blocks marked ``file: path``.
        lines: content by path of the file that it belongs into, of blocks marked ``line: path``.
        commands: those of each console block marked ``run``, in order.
    """

    text: str
    files: dict[str, str]
    lines: dict[str, str]
    commands: tuple[tuple[str, ...], ...]

    def write(self, folder: Path) -> None:
        """All files, below a folder."""
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")


def read_page(name: str) -> Page:
    """A page of ``docs/``."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {"file": {}, "line": {}}
    commands = []
    for mark, path, _, content in _BLOCK.findall(text):
        if mark == "run":
            commands.append(tuple(line[2:] for line in content.splitlines() if line.startswith("$ ")))
        else:
            assert path and path not in found[mark], f"{name}: a block of {path} is there twice"
            found[mark][path] = content
    return Page(text, found["file"], found["line"], tuple(commands))


def run_command(command: str) -> str:
    """What ``avdetect ...`` or ``python -m package.module ...`` prints, run in this process; it must succeed."""
    words = shlex.split(command, comments=True)
    place, words = (words[2], words[3:]) if words[:2] == ["python", "-m"] else (f"{words[0]}.cli", words[1:])
    done = CliRunner().invoke(importlib.import_module(place).app, words)
    assert done.exit_code == 0, f"$ {command}\nended with {done.exit_code}:\n{done.output}\n{done.exception!r}"
    return done.stdout
