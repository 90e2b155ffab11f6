"""Damage that does not end the reading of a file."""

from __future__ import annotations


class Faults:
    """What went wrong without ending the file: one line per kind, with a count."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def note(self, what: str, count: int = 1) -> None:
        """Count a fault; ``what`` names its kind."""
        if count:
            self._counts[what] = self._counts.get(what, 0) + count

    def lines(self) -> list[str]:
        """The faults in words."""
        return [what if count == 1 else f"{what} ({count} times)" for what, count in self._counts.items()]
