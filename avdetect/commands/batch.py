"""Work on many files: one failing file is one error line, progress is on stderr, an interrupt is clean."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from avdetect.commands.inputs import Input
from avdetect.commands.stdout import silence_stdout, stdout_for_data
from avdetect.plugin_errors import PluginError, PluginWarning
from avdetect.report.schema import FailedReport, writable
from avdetect.report.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Report = Callable[[float], None]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
USAGE, FAILED, MATCHED, INTERRUPTED, PIPE_CLOSED = 2, 1, 3, 130, 141


class UsageError(Exception):
    """The command cannot run as it was called; its text is for the user."""


class OutputError(Exception):
    """Results cannot be written any more, so there is no use in going on; its text is for the user."""


def say(message: str) -> None:
    """A line on stderr; what would steer a terminal, as in the name of a file, is written out."""
    with contextlib.suppress(OSError):  # nobody hears it, which is no reason to lose results
        print(visible(writable(message)), file=sys.stderr, flush=True)


def load_detector(bundle: Path | None) -> Any:
    """The detector of a bundle.

    Raises:
        UsageError: there is no such bundle, or it does not fit this version.
    """
    import avdetect

    try:
        with stdout_for_data():
            return avdetect.load(bundle)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot load the detector: {error}") from error


def describe(error: BaseException, path: str) -> str:
    """An exception as the ``error`` of a file; what is not expected is named by its type, a plugin by its name."""
    from avdetect.media.errors import MediaError

    if isinstance(error, MediaError):
        return str(error)
    if isinstance(error, PluginError):
        return f"{path}: {error}"
    text = str(error).strip() or "no further message"
    return f"{path}: {type(error).__name__}: {text}"


def work_through(
    inputs: Sequence[Input], work: Callable[[Input, Report], T], *, quiet: bool = False
) -> Generator[T | FailedReport, None, None]:
    """Results in the order of the inputs; any exception of a file becomes its :class:`FailedReport`.

    Args:
        inputs: the files.
        work: makes the result of one, and may report the part done in [0, 1].
        quiet: show no progress even on a terminal.
    """
    with _progress(len(inputs), quiet=quiet) as (begin, part):
        for item in inputs:
            begin(item.path)
            if item.error:
                yield FailedReport(item.path, item.error)
                continue
            try:
                with stdout_for_data():
                    result = work(item, part)
            except Exception as error:  # a batch survives whatever one file does
                yield FailedReport(item.path, describe(error, item.path))
            else:
                yield result


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[tuple[Callable[[str], None], Report]]:
    if quiet or not sys.stderr.isatty():
        yield (lambda path: None), (lambda part: None)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    # stdout stays untouched: it is for data.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=float(total))
        count = -1

        def begin(path: str) -> None:
            nonlocal count
            count += 1
            name = visible(os.path.basename(path))
            bar.update(task, description=escape(name if total == 1 else f"{count + 1}/{total} {name}"), completed=count)

        yield begin, lambda part: bar.update(task, completed=count + min(max(part, 0.0), 1.0))


def guarded(run: Callable[[], int]) -> int:
    """Run a command and turn its ways to end into exit codes, without a traceback for the expected ones."""
    # Importing and tracing make millions of objects that live on: looking through them for cycles took a tenth of the
    # time of scoring a short clip.
    gc.set_threshold(50_000, 20, 50)
    try:
        with warnings.catch_warnings():
            _show_plainly()
            code = run()
        sys.stdout.flush()
        return code
    except (UsageError, PluginError) as error:
        say(f"avdetect: {error}")
        return USAGE
    except OutputError as error:
        say(f"avdetect: {error}")
        return FAILED
    except KeyboardInterrupt as stop:
        say(f"avdetect: interrupted: {stop}" if str(stop) else "avdetect: interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has gone (head, less): be quiet
        silence_stdout()
        return PIPE_CLOSED
    except OSError as error:
        if error.filename is not None or error.errno not in _FULL:
            raise
        silence_stdout()
        say(f"avdetect: cannot write to stdout: {error.strerror}")
        return FAILED


def _show_plainly() -> None:
    """A warning about plugins is a line for the user, not one of a program's."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, PluginWarning):
            say(f"avdetect: {message}")
        else:
            usual(message, category, *where, **more)

    warnings.showwarning = show
