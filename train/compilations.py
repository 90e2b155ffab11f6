"""Counts what XLA compiles, so that a loop can notice a step that is compiled again and again."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import jax

_COUNTS: Counter[int] = Counter()


def _heard(event: str, duration_secs: float, **_: Any) -> None:
    if event.endswith("backend_compile_duration"):
        _COUNTS[threading.get_ident()] += 1


jax.monitoring.register_event_duration_secs_listener(_heard)


def compilations() -> int:
    """How many programs this thread has had compiled (or loaded from the cache of compiled programs)."""
    return _COUNTS[threading.get_ident()]
