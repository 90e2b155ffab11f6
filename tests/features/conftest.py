from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def strict_shapes() -> Iterator[None]:
    """Features are plain array code: a broadcast over a missing axis is a mistake here."""
    with jax.numpy_rank_promotion("raise"):
        yield
