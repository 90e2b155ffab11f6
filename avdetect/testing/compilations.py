"""Counting what JAX compiles while something runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_COMPILED = "/jax/core/compile/backend_compile_duration"
"""JAX's own event for a program that was compiled, or taken from the cache on disk."""


@contextmanager
def compilations() -> Iterator[Callable[[], int]]:
    """Gives a function that says how many programs JAX has compiled since the start of the block."""
    import jax

    seen = [0]

    def count(event: str, duration_secs: float, **kwargs: Any) -> None:
        seen[0] += event == _COMPILED

    jax.monitoring.register_event_duration_secs_listener(count)
    try:
        yield lambda: seen[0]
    finally:
        jax.monitoring.unregister_event_duration_listener(count)
