"""A table of a configuration that stands for several: ``each = [names]`` makes one for each name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def one_for_each(rules: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tables without ``each``; in the texts of one with it, each name is put for ``{each}``."""
    for rule in rules:
        for name in rule.get("each", [""]):
            yield {k: v.replace("{each}", name) if isinstance(v, str) else v for k, v in rule.items() if k != "each"}
