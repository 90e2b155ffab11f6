"""hibari-tts: a neural voice inside a Python package."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from avdetect.forge.contract import CannotForge

RATE = 24_000


@dataclass(frozen=True)
class Hibari:
    """The package ``hibari`` with the one voice that it contains, imported when it first speaks."""

    api_version = 1

    def available(self) -> str:
        """See `avdetect.forge.engines.program.Engine`."""
        return "" if importlib.util.find_spec("hibari") else "hibari-tts is not installed (pip install hibari-tts)"

    def speak(self, text: str, rng: np.random.Generator) -> tuple[Float32[np.ndarray, " s"], int]:
        """See `avdetect.forge.engines.program.Engine`."""
        if missing := self.available():
            raise CannotForge(missing)
        made = _voice()(text, speed=float(rng.uniform(0.85, 1.2)), seed=int(rng.integers(2**31)))
        return np.asarray(made, np.float32), RATE


@functools.cache
def _voice() -> Any:
    """Loaded once: half a second."""
    from hibari import Hibari as Model  # pyright: ignore[reportMissingImports]

    return Model()


ENGINE = Hibari()
