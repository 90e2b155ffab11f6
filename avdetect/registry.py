"""Names to implementations: a built-in is one line, and nothing is imported until it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any


class Registry:
    """Implementations of one kind by name.

    Args:
        kind: what they are, for messages ("forgery").
        places: name to ``package.module:attribute``.
    """

    def __init__(self, kind: str, places: Mapping[str, str]):
        self.kind = kind
        self._places = dict(places)

    def names(self) -> list[str]:
        """All names, in order of their lines; imports nothing."""
        return list(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def get(self, name: str) -> Any:
        """The implementation called ``name``.

        Raises:
            KeyError: there is none; the message lists those that exist.
        """
        if name not in self._places:
            raise KeyError(f"no {self.kind} is called {name!r}; there are: {', '.join(self._places)}")
        module, _, attribute = self._places[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
