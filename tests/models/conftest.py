"""Networks that the tests of this folder share, and sound to feed them with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from flax import nnx

from avdetect.types import SAMPLES_PER_TICK
from tests.small_nets import small_net


@pytest.fixture(scope="session")
def net() -> nnx.Module:
    return small_net()


@pytest.fixture(scope="session")
def half_net() -> nnx.Module:
    """The same numbers, computed with in bfloat16."""
    return small_net(dtype="bfloat16")


@pytest.fixture
def noise() -> Callable[[int, int], np.ndarray]:
    """``noise(ticks, seed)``: sound that fills every band and whose level wanders."""

    def make(ticks: int, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        level = np.interp(np.arange(ticks * SAMPLES_PER_TICK), np.arange(0, ticks * 640 + 2000, 2000),
                          rng.uniform(0.02, 0.2, len(np.arange(0, ticks * 640 + 2000, 2000))))  # fmt: skip
        return (rng.standard_normal(ticks * SAMPLES_PER_TICK) * level).astype(np.float32)

    return make
