"""Where results go: a table on a terminal, tab-separated lines in a pipe, any format that is asked for, files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avdetect.api import Reporter
from avdetect.commands.batch import OutputError, UsageError, say
from avdetect.commands.inputs import SUFFIXES, Input
from avdetect.commands.kept import Kept, place_of
from avdetect.commands.stdout import silence_stdout, stdout_for_data
from avdetect.commands.targets import Folder, Lines, Target, Whole
from avdetect.commands.writing import identity, refuse_existing, refuse_input, why
from avdetect.report import REPORTERS
from avdetect.report.forms import Forms
from avdetect.report.schema import writable

FOLDER = "folder"
"""Kind of target: one JSON file per input."""
_AT_THE_END = ("json", "table")
"""Formats that say everything at the end."""
_GOES_ON = "--out FOLDER or --out FILE.jsonl"


@dataclass
class Output:
    """Takes results one by one; what a format has to say of each appears at once.

    Attributes:
        forms: of the results.
        screen: name of the format on stdout.
        single: whether one file was named, rather than a folder or several.
        target: file or folder that is written too.
        kind: name of the format there, or ``FOLDER``.
        force: overwrite the file if it is there.
        skip_done: leave out what the target has already.
        schema: of the results.
        failed: whether some result could not be written.
        done: reports that the target had already.
    """

    forms: Forms
    screen: str
    single: bool
    target: Path | None = None
    kind: str = ""
    force: bool = False
    skip_done: bool = False
    schema: str = ""
    failed: bool = False
    done: list[Kept] = field(default_factory=list)
    _shown: Reporter | None = None
    _written: Reporter | None = None
    _place: Target | None = None
    _results: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Made now, so that a format that does not exist or is broken is known before anything is scored.
        self._shown = REPORTERS.create(self.screen, self.forms, single=self.single)
        if self.kind not in ("", FOLDER):
            self._written = REPORTERS.create(self.kind, self.forms, single=self.single)

    @property
    def can_go_on(self) -> bool:
        """Whether a later run may leave out what this one has done."""
        return self.kind in (FOLDER, "jsonl")

    def waiting(self, inputs: Sequence[Input]) -> list[Input]:
        """The inputs that are to be worked on: all, or those that the target has no report of.

        Raises:
            UsageError: the target is one of the inputs, or is there and was not to be overwritten.
        """
        if self.target is None:
            return list(inputs)
        if self.kind == FOLDER:
            self._place = Folder(self.target, {identity(item.path) for item in inputs})
        else:
            refuse_input("--out", self.target, inputs)
            advice = ", or --skip-done to go on where it ends" if self.kind == "jsonl" else ""
            refuse_existing("--out", self.target, force=self.force or self.skip_done, advice=advice)
            lines = self.kind not in _AT_THE_END
            self._place = Lines(self.target, go_on=self.skip_done) if lines else Whole(self.target)
        return self._not_done(inputs) if self.skip_done else list(inputs)

    def _not_done(self, inputs: Sequence[Input]) -> list[Input]:
        from avdetect.media.digest import file_digest

        place, known = self._place, {}
        for kept in place.kept() if isinstance(place, Lines) else ():
            if not kept.failed and kept.schema == self.schema:
                known.setdefault(kept.place, []).append(kept)
        waiting = []
        for item in inputs:
            old = [] if item.error else known.get(place_of(item.path), [])
            if isinstance(place, Folder) and not item.error:
                old = list(place.kept(item, self.schema))
            try:
                digest = file_digest(item.path) if old else ""
            except OSError:  # it is tried again, which says what is wrong with it
                digest = ""
            same = [kept for kept in old if kept.sha256 == digest]
            if same:
                self.done.append(same[-1])
            else:
                waiting.append(item)
        if self.done:
            say(f"avdetect: {len(self.done)} of {len(inputs)} files done already, left out (--skip-done)")
        return waiting

    def open(self, inputs: Sequence[Input] = ()) -> None:
        """Find out now, not after an hour, that the target cannot be written.

        Args:
            inputs: that are waiting.

        Raises:
            UsageError: it cannot.
        """
        if self.target is not None and self._place is None:
            self.waiting(inputs)
        if self._place is not None:
            try:
                if self.skip_done and isinstance(self._place, Lines):
                    self._place.leave_out({place_of(item.path) for item in inputs})
                self._place.open()
            except OSError as error:
                raise UsageError(f"cannot write --out {self.target}: {why(error)}") from error
        self._say(lambda reporter: reporter.head())

    def add(self, item: Input, result: Any) -> None:
        """Take the result of one input.

        Raises:
            OutputError: it cannot be written, and so will be none that follow.
        """
        self._results.append(result)
        if isinstance(self._place, Folder):
            try:
                self._place.add(item, self.forms.as_dict(result))
            except OSError as error:  # of this report; the others may be written
                self.failed = True
                say(f"avdetect: {item.path}: its report cannot be written: {why(error)}")
        self._say(lambda reporter: reporter.each(result))

    def close(self) -> None:
        """All results are in: print and write what comes last.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            self._write(lambda reporter: reporter.tail(self._results))
            if self._place is not None:
                self._place.close()
        finally:
            self._show(lambda reporter: reporter.tail(self._results))

    def _say(self, of: Callable[[Reporter], str]) -> None:
        try:
            self._write(of)
        finally:
            self._show(of)

    def _write(self, of: Callable[[Reporter], str]) -> None:
        if self._written is not None and self._place is not None and (text := _asked(self.kind, self._written, of)):
            self._place.say(text)

    def _show(self, of: Callable[[Reporter], str]) -> None:
        if self._shown is None or not (text := _asked(self.screen, self._shown, of)):
            return
        try:
            _print(text)
        except OSError as error:
            self._shown = None
            if self._place is None and isinstance(error, BrokenPipeError):
                raise
            silence_stdout()
            if isinstance(error, BrokenPipeError):
                return  # whoever read us has gone; the file is still wanted
            if self._place is None:
                raise OutputError(f"cannot write to stdout: {why(error)}") from error
            self.failed = True
            say(f"avdetect: cannot write to stdout: {why(error)}")


def choose_output(
    forms: Forms,
    *,
    as_json: bool,
    as_jsonl: bool,
    out: Path | None,
    single: bool,
    form: str = "",
    force: bool = False,
    skip_done: bool = False,
    schema: str = "",
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
    if force and skip_done:
        raise UsageError("--force and --skip-done exclude each other: overwrite the file, or go on with it")
    wanted = asked[0] if asked else ""
    plain = "table" if sys.stdout.isatty() else "tsv"
    if out is None:
        if skip_done:
            raise UsageError(f"--skip-done needs {_GOES_ON}")
        return Output(forms, wanted or plain, single)
    if out.is_dir() or str(out).endswith(os.sep) or (not out.suffix and not wanted):
        if wanted not in ("", "json", "jsonl"):
            raise UsageError(f"--out {out} is a folder, which gets JSON; name a file for the format {wanted!r}")
        kind = FOLDER
    elif out.suffix.lower() in SUFFIXES:
        raise UsageError(f"--out {out} has the ending of a media file; name one in .json or .jsonl, or a folder")
    elif wanted or out.suffix in (".json", ".jsonl"):
        kind = wanted or out.suffix[1:]
    else:
        raise UsageError(
            f"--out {out} must end in .json or .jsonl, or be a folder; or add --json, --jsonl or --format NAME"
        )
    if skip_done and kind not in (FOLDER, "jsonl"):
        raise UsageError(f"--skip-done cannot go on with {out}, which is written at the end: it needs {_GOES_ON}")
    return Output(forms, plain, single, target=out, kind=kind, force=force, skip_done=skip_done, schema=schema)


def _asked(name: str, reporter: Reporter, of: Callable[[Reporter], str]) -> str:
    """What a reporter says; one from outside that fails is named."""
    if name in REPORTERS.builtins():
        return of(reporter)
    try:
        with stdout_for_data():
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
