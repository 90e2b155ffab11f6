"""``log.jsonl`` in the work folder, and one line on the terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import TracebackType


class Log:
    """Appends JSON lines; on resuming, lines of steps that will be run again are dropped."""

    def __init__(self, workdir: Path, *, start_step: int):
        self._path = workdir / "log.jsonl"
        if self._path.exists():
            lines = [line for line in self._path.read_text().splitlines() if _step(line) <= start_step]
            self._path.write_text("".join(line + "\n" for line in lines))
        self._file = self._path.open("a")

    def __enter__(self) -> Log:
        return self

    def write(self, step: int, **values: float) -> None:
        """One line."""
        row = {"step": step, **{k: round(float(v), 6) for k, v in values.items()}}
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        text = "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "step")
        print(f"step {step:6d}  {text}", file=sys.stderr, flush=True)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def _step(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError):  # the last line of a killed run may be cut
        return sys.maxsize
