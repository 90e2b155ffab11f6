"""Proof of a kit: every check is failed by plugins that are broken in that way, and by no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from avdetect.testing.conformance import ConformanceError, Kit, named


def cases(broken: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Check and plugin, for ``pytest.mark.parametrize``."""
    return [(check, plugin) for check, plugins in broken.items() for plugin in plugins]


def case_names(broken: Mapping[str, Sequence[Any]]) -> list[str]:
    """What pytest calls them."""
    return [f"{check}-{_short(plugin)}" for check, plugin in cases(broken)]


def _short(plugin: Any) -> str:
    return str(
        getattr(plugin, "about", "") or getattr(plugin, "title", "") or named(plugin).rpartition(":")[2]
    ).replace(" ", "_")


def failed_checks(kit: Kit[Any], plugin: Any, *args: Any, **options: Any) -> dict[str, ConformanceError]:
    """All checks that a plugin fails."""
    found = {}
    for name, check in kit.pairs():
        try:
            check(plugin, *args, **options)
        except ConformanceError as error:
            assert error.check in (name, "loads")
            found[name] = error
    return found


def names_of(kit: Kit[Any]) -> list[str]:
    """Of all checks."""
    return [name for name, _ in kit.pairs()]
