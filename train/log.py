"""What a run tells: ``log.jsonl`` and a TensorBoard file in the work folder, and lines or a bar on the terminal."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Log:
    """Writes figures of steps; on resuming, those of steps that will be run again are dropped.

    Args:
        workdir: where ``log.jsonl`` and ``tensorboard/`` are.
        start_step: steps done before.
        steps: steps in all.
        primary: False = say and write nothing (all processes but the first).
        tensorboard: write for TensorBoard too, where it is installed.
    """

    def __init__(
        self, workdir: Path, *, start_step: int, steps: int = 0, primary: bool = True, tensorboard: bool = False
    ):
        self._primary, self._steps = primary, steps
        self._start, self._board = start_step, tensorboard
        self._workdir = workdir
        self._events: Any = None
        self._bar: Progress | None = None
        if not primary:
            return
        path = workdir / "log.jsonl"
        if path.exists():
            lines = [line for line in path.read_text().splitlines() if _step(line) <= start_step]
            path.write_text("".join(line + "\n" for line in lines))
        self._file = path.open("a")
        if sys.stderr.isatty():
            columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task("", total=steps, completed=start_step)
            self._bar.start()

    def __enter__(self) -> Log:
        return self

    def write(self, step: int, **values: float) -> None:
        """One line."""
        if not self._primary:
            return
        row = {k: round(float(v), 6) if math.isfinite(v) else None for k, v in values.items()}
        self._file.write(json.dumps({"step": step, **row}) + "\n")
        self._file.flush()
        self._write_events(step, values)
        text = "  ".join(f"{k} {v:.4g}" for k, v in values.items())
        if self._bar is not None:
            self._bar.console.print(f"step {step:6d}  {text}", highlight=False)
            # "loss" is in the lines of training, not in those of validation
            self._bar.update(self._task, description=f"loss {values['loss']:.4g}" if "loss" in values else None)
        else:
            if (rate := values.get("steps_per_s")) and step < self._steps:
                text += f"  eta {_clock((self._steps - step) / rate)}"
            print(f"step {step:6d}  {text}", file=sys.stderr, flush=True)

    def advance(self, step: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(self._task, completed=step)

    def _write_events(self, step: int, values: dict[str, float]) -> None:
        if not self._board:
            return
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            self._board = False
            return
        protos: Any = (event_pb2, summary_pb2)  # generated code, unknown to type checkers
        events, summaries = protos
        if self._events is None:
            self._events = EventFileWriter(str(self._workdir / "tensorboard"))
            if self._start:  # TensorBoard forgets what an earlier file says of later steps
                again = events.SessionLog(status=events.SessionLog.START)
                self._events.add_event(events.Event(wall_time=time.time(), step=self._start + 1, session_log=again))
        points = [summaries.Summary.Value(tag=_tag(k), simple_value=float(v)) for k, v in values.items()]
        summary = summaries.Summary(value=points)
        self._events.add_event(events.Event(wall_time=time.time(), step=step, summary=summary))
        self._events.flush()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._primary:
            return
        self._file.close()
        if self._events is not None:
            self._events.close()
        if self._bar is not None:
            self._bar.stop()


def _tag(name: str) -> str:
    """Curves of one kind beside each other."""
    if name.startswith("val_"):
        return f"val/{name[4:]}"
    return f"speed/{name}" if name in ("steps_per_s", "wait_share", "peak_share") else f"train/{name}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def _step(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):  # the last line of a killed run may be cut
        return sys.maxsize
