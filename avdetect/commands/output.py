"""Where results go: a table on a terminal, tab-separated lines in a pipe, any format that is asked for, files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from avdetect.api import Reporter
from avdetect.commands.batch import UsageError
from avdetect.commands.inputs import Input
from avdetect.report import REPORTERS
from avdetect.report.forms import Forms
from avdetect.report.reporters import dump
from avdetect.report.schema import writable

FOLDER = "folder"
"""Kind of target: one JSON file per input."""


@dataclass
class Output:
    """Takes results one by one; what a format has to say of each appears at once.

    Attributes:
        forms: of the results.
        screen: name of the format on stdout.
        single: whether one file was named, rather than a folder or several.
        target: file or folder that is written too.
        kind: name of the format there, or ``FOLDER``.
    """

    forms: Forms
    screen: str
    single: bool
    target: Path | None = None
    kind: str = ""
    _shown: Reporter | None = None
    _written: Reporter | None = None
    _results: list[Any] = field(default_factory=list)
    _file: IO[str] | None = None
    _names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        # Made now, so that a format that does not exist or is broken is known before anything is scored.
        self._shown = REPORTERS.create(self.screen, self.forms, single=self.single)
        if self.kind not in ("", FOLDER):
            self._written = REPORTERS.create(self.kind, self.forms, single=self.single)

    def open(self) -> None:
        """Find out now, not after an hour, that the target cannot be written.

        Raises:
            UsageError: it cannot.
        """
        try:
            if self.target is not None and self.kind == FOLDER:
                self.target.mkdir(parents=True, exist_ok=True)
            elif self.target is not None:
                self.target.parent.mkdir(parents=True, exist_ok=True)
                if self.kind != "json":
                    self._file = self.target.open("w", encoding="utf-8")
                elif self.target.is_dir():
                    raise IsADirectoryError(f"{self.target} is a folder")
        except OSError as error:
            raise UsageError(f"cannot write --out {self.target}: {error}") from error
        self._say(lambda reporter: reporter.head())

    def add(self, item: Input, result: Any) -> None:
        """Take the result of one input."""
        self._results.append(result)
        self._say(lambda reporter: reporter.each(result))
        if self.kind == FOLDER and self.target is not None:
            _write(self.target / self._name(item), dump(self.forms.as_dict(result), indent=2) + "\n")

    def close(self) -> None:
        """All results are in: print and write what comes last."""
        self._say(lambda reporter: reporter.tail(self._results))
        if self._file is not None:
            self._file.close()
        if self.kind == "json" and self.target is not None and self._written is not None:
            _write(self.target, self._written.tail(self._results))

    def _say(self, of: Callable[[Reporter], str]) -> None:
        if self._shown is not None and (text := _asked(self.screen, self._shown, of)):
            _print(text)
        if self._file is not None and self._written is not None and (text := _asked(self.kind, self._written, of)):
            self._file.write(writable(text))
            self._file.flush()

    def _name(self, item: Input) -> Path:
        """``clip.mp4`` becomes ``clip.mp4.json``; a second file of that name ``clip.mp4.2.json``."""
        base, number = str(item.relative), 1
        name = f"{base}.json"
        while name in self._names:
            number += 1
            name = f"{base}.{number}.json"
        self._names.add(name)
        return Path(name)


def choose_output(
    forms: Forms, *, as_json: bool, as_jsonl: bool, out: Path | None, single: bool, form: str = ""
) -> Output:
    """The output that the options ask for.

    With ``out``, the data go there, in the format asked for or that of its ending, and stdout shows what it shows
    without options.

    Raises:
        UsageError: the options contradict each other.
        PluginError: there is no such format, or it cannot be used.
    """
    asked = [name for name in ("json" if as_json else "", "jsonl" if as_jsonl else "", form) if name]
    if len(asked) > 1:
        raise UsageError("--json, --jsonl and --format exclude each other: give one")
    wanted = asked[0] if asked else ""
    plain = "table" if sys.stdout.isatty() else "tsv"
    if out is None:
        return Output(forms, wanted or plain, single)
    if out.is_dir() or str(out).endswith(os.sep) or (not out.suffix and not wanted):
        if wanted not in ("", "json", "jsonl"):
            raise UsageError(f"--out {out} is a folder, which gets JSON; name a file for the format {wanted!r}")
        kind = FOLDER
    elif wanted or out.suffix in (".json", ".jsonl"):
        kind = wanted or out.suffix[1:]
    else:
        raise UsageError(
            f"--out {out} must end in .json or .jsonl, or be a folder; or add --json, --jsonl or --format NAME"
        )
    return Output(forms, plain, single, target=out, kind=kind)


def _asked(name: str, reporter: Reporter, of: Callable[[Reporter], str]) -> str:
    """What a reporter says; one from outside that fails is named."""
    if name in REPORTERS.builtins():
        return of(reporter)
    try:
        text = of(reporter)
        if not isinstance(text, str):
            raise TypeError(f"it gave {type(text).__name__} instead of text")
    except Exception as error:
        raise REPORTERS.blame(name, f"writing failed: {type(error).__name__}: {error}") from error
    return text


def _print(text: str) -> None:
    data = writable(text).encode("utf-8")
    sys.stdout.flush()
    if hasattr(sys.stdout, "buffer"):  # JSON is UTF-8 whatever the terminal's locale
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(data.decode("utf-8"))


def _write(path: Path, text: str) -> None:
    """All or nothing: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
