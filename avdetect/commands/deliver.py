"""Results to where they go, one by one; what is done is never lost, however the work ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from avdetect.commands.batch import OutputError, Report, work_through
from avdetect.commands.inputs import Input
from avdetect.commands.output import Output


class Interrupted(KeyboardInterrupt):
    """The user stopped the command; the text says how far it was."""


def deliver(
    inputs: Sequence[Input],
    work: Callable[[Input, Report], Any],
    output: Output,
    note: Callable[[Input, Any], None],
) -> None:
    """Work on the inputs and hand each result to the output, which is closed at the end.

    Args:
        inputs: the files.
        work: see :func:`avdetect.commands.batch.work_through`.
        output: open.
        note: gets each result after the output has it.

    Raises:
        Interrupted: the user stopped it; what was done by then is written.
        OutputError: results cannot be written any more; what could be is.
    """
    done = 0
    try:
        with closing(work_through(inputs, work, quiet=output.screen == "jsonl")) as results:
            for item, result in zip(inputs, results, strict=True):
                output.add(item, result)
                done += 1
                note(item, result)
    except KeyboardInterrupt as stop:
        if done:
            output.close()
        advice = "; the same command with --skip-done goes on from there" if output.can_go_on else ""
        raise Interrupted(f"{done} of {len(inputs)} done{advice}") from stop
    except OutputError:
        output.close()
        raise
    output.close()
