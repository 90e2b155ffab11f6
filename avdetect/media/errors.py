"""The one exception of this room."""

from __future__ import annotations

import os


class MediaError(Exception):
    """A media file could not be read or written.

    Attributes:
        path: the file, as the caller named it.
        cause: what is wrong with it, a phrase without a full stop.
        hint: what the reader of the message can do next, or an empty string.
    """

    def __init__(self, path: str | os.PathLike[str], cause: str, hint: str = "") -> None:
        self.path = os.fspath(path)
        self.cause = cause
        self.hint = hint
        super().__init__(f"{self.path}: {cause}" + (f"; {hint}" if hint else ""))

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, str, str]]:
        # Exceptions are rebuilt from their arguments when they cross a process pool.
        return type(self), (self.path, self.cause, self.hint)
