"""Where results go: a table on a terminal, tab-separated lines in a pipe, JSON or JSON lines, files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from avdetect.commands.batch import UsageError
from avdetect.commands.inputs import Input
from avdetect.report.schema import writable

Kind = Literal["json", "jsonl", "folder"]


@dataclass(frozen=True)
class Forms:
    """How a kind of result is shown.

    Attributes:
        as_dict: for JSON.
        as_line: for a pipe, tab-separated.
        columns: names of the line's fields.
        as_table: for a terminal.
    """

    as_dict: Callable[[Any], dict[str, Any]]
    as_line: Callable[[Any], str]
    columns: Sequence[str]
    as_table: Callable[[Sequence[Any]], Any]


@dataclass
class Output:
    """Takes results one by one; lines appear at once, tables and JSON at the end."""

    forms: Forms
    screen: Literal["table", "lines", "json", "jsonl"]
    single: bool
    target: Path | None = None
    kind: Kind | None = None
    _results: list[Any] = field(default_factory=list)
    _file: IO[str] | None = None
    _names: set[str] = field(default_factory=set)

    def open(self) -> None:
        """Find out now, not after an hour, that the target cannot be written.

        Raises:
            UsageError: it cannot.
        """
        try:
            if self.target is not None and self.kind == "folder":
                self.target.mkdir(parents=True, exist_ok=True)
            elif self.target is not None:
                self.target.parent.mkdir(parents=True, exist_ok=True)
                if self.kind == "jsonl":
                    self._file = self.target.open("w", encoding="utf-8")
                elif self.target.is_dir():
                    raise IsADirectoryError(f"{self.target} is a folder")
        except OSError as error:
            raise UsageError(f"cannot write --out {self.target}: {error}") from error
        if self.screen == "lines":
            self._print("\t".join(self.forms.columns))

    def add(self, item: Input, result: Any) -> None:
        """Take the result of one input."""
        self._results.append(result)
        if self.screen == "lines":
            self._print(self.forms.as_line(result))
        elif self.screen == "jsonl":
            self._print(_dump(self.forms.as_dict(result)))
        if self._file is not None:
            self._file.write(_dump(self.forms.as_dict(result)) + "\n")
            self._file.flush()
        elif self.kind == "folder" and self.target is not None:
            _write(self.target / self._name(item), _dump(self.forms.as_dict(result), indent=2) + "\n")

    def close(self) -> None:
        """All results are in: print the table or the JSON."""
        if self._file is not None:
            self._file.close()
        if self.screen == "table":
            from rich.console import Console

            Console().print(self.forms.as_table(self._results))
        elif self.screen == "json":
            self._print(self._whole())
        if self.kind == "json" and self.target is not None:
            _write(self.target, self._whole() + "\n")

    def _whole(self) -> str:
        data = [self.forms.as_dict(result) for result in self._results]
        return _dump(data[0] if self.single and len(data) == 1 else data, indent=2)

    def _name(self, item: Input) -> Path:
        """``clip.mp4`` becomes ``clip.mp4.json``; a second file of that name ``clip.mp4.2.json``."""
        base, number = str(item.relative), 1
        name = f"{base}.json"
        while name in self._names:
            number += 1
            name = f"{base}.{number}.json"
        self._names.add(name)
        return Path(name)

    @staticmethod
    def _print(line: str) -> None:
        data = (writable(line) + "\n").encode("utf-8")
        sys.stdout.flush()
        if hasattr(sys.stdout, "buffer"):  # JSON is UTF-8 whatever the terminal's locale
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            sys.stdout.write(data.decode("utf-8"))


def choose_output(forms: Forms, *, as_json: bool, as_jsonl: bool, out: Path | None, single: bool) -> Output:
    """The output that the options ask for.

    With ``out``, the data go there, in the form of its ending (or of ``--json`` / ``--jsonl``), and stdout shows what
    it shows without options.

    Raises:
        UsageError: the options contradict each other.
    """
    if as_json and as_jsonl:
        raise UsageError("--json and --jsonl exclude each other: give one")
    plain = "table" if sys.stdout.isatty() else "lines"
    if out is None:
        return Output(forms, "json" if as_json else "jsonl" if as_jsonl else plain, single)
    kind: Kind
    if out.is_dir() or str(out).endswith(os.sep) or (not out.suffix and not (as_json or as_jsonl)):
        kind = "folder"
    elif as_json or as_jsonl:
        kind = "json" if as_json else "jsonl"
    elif out.suffix in (".json", ".jsonl"):
        kind = "json" if out.suffix == ".json" else "jsonl"
    else:
        raise UsageError(f"--out {out} must end in .json or .jsonl, or be a folder; or add --json or --jsonl")
    return Output(forms, plain, single, target=out, kind=kind)


def _dump(data: Any, *, indent: int | None = None) -> str:
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)


def _write(path: Path, text: str) -> None:
    """All or nothing: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
