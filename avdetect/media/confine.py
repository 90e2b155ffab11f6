"""What the decoder process takes away from itself before it touches the file."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator

from avdetect.media.limits import Limits

_COMPLAINTS_BYTES = 1 << 16


def confine(limits: Limits, *, written_bytes: int | None = _COMPLAINTS_BYTES) -> None:
    """Bound the address space, processor time, written bytes and open files of this process; no core dumps.

    Args:
        limits: the bounds.
        written_bytes: the largest file that may be written, ``None`` for no bound. The decoder writes to standard
            error only, and a file that makes FFmpeg chatter must not fill the disk behind it.
    """
    _bound("RLIMIT_AS", limits.memory_bytes)
    _bound("RLIMIT_CPU", max(1, int(limits.cpu_s)))
    _bound("RLIMIT_CORE", 0)
    if written_bytes is not None:
        _bound("RLIMIT_FSIZE", written_bytes)
    _shut(0, forever=False)


@contextlib.contextmanager
def allow_opens(count: int) -> Iterator[None]:
    """Let this process open ``count`` descriptors inside the context; before and after it, none."""
    _shut(count, forever=False)
    try:
        yield
    finally:
        _shut(0, forever=False)


def forbid_opens() -> None:
    """Let this process open nothing any more."""
    _shut(0, forever=True)


def _shut(room: int, *, forever: bool) -> None:
    # The limit bounds descriptor numbers and not their count: the numbers that come next are found by taking them.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    taken = [os.dup(0) for _ in range(room + 1)]
    for descriptor in taken:
        os.close(descriptor)
    limit = max(taken)  # the last of them is the first that may not be had
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit if forever else hard))


def _bound(name: str, value: int) -> None:
    kind = getattr(resource, name, None)
    if kind is None:
        return
    with contextlib.suppress(ValueError, OSError):  # a system that does not bound this, or already bounds it lower
        resource.setrlimit(kind, (value, value))
