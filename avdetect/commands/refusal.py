"""How a tool refuses: one line on stderr, and the exit status of a wrong option."""

from __future__ import annotations

from typing import NoReturn

import typer

from avdetect.report.visible import visible


def refuse(reason: BaseException | str) -> NoReturn:
    """Say what is wrong and end the program with status 2.

    Args:
        reason: in words, or an error whose message is for the user.
    """
    # The text of a KeyError is its message in quotes.
    text = reason.args[0] if isinstance(reason, KeyError) and reason.args else reason
    typer.echo(f"error: {visible(str(text)) or type(reason).__name__}", err=True)
    raise typer.Exit(2) from None
