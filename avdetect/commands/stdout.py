"""Nothing but data on stdout, whatever the code that is run in between prints."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def stdout_for_data() -> Iterator[None]:
    """What is printed inside the context goes to stderr: by Python, by C, and by programs that are started there."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    with contextlib.redirect_stdout(sys.stderr), _descriptor_turned():
        yield


@contextlib.contextmanager
def _descriptor_turned() -> Iterator[None]:
    try:
        kept = os.dup(1)
    except OSError:  # it is closed, so nothing can reach it
        yield
        return
    try:
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        _flush_c()
        os.dup2(kept, 1)
        os.close(kept)


def _flush_c() -> None:
    """C keeps what it prints until a buffer is full."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)


def silence_stdout() -> None:
    """Nobody reads it, or it is full: what Python still holds must not fail once more when it is flushed at exit."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
