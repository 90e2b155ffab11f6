"""What is wrong with what a tool was given, as one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from avdetect.commands.refusal import refuse
from avdetect.plugin_errors import PluginError


@contextlib.contextmanager
def said_plainly(after: str = "") -> Iterator[None]:
    """Errors of files, names and values end the program with one line and status 2; also a decorator of commands.

    Args:
        after: what is added to the line.
    """
    try:
        yield
    except (OSError, KeyError, ValueError, PluginError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        if isinstance(error, OSError) and error.strerror and error.filename is not None:
            text = f"{error.filename}: {error.strerror}"
        refuse(f"{str(text) or type(error).__name__}{after}")
