"""Piper: a neural voice (VITS) from an ONNX file that the user has; ``AVDETECT_PIPER_VOICE`` names it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from avdetect.forge.contract import CannotForge
from avdetect.forge.engines.program import ProgramEngine

VARIABLE = "AVDETECT_PIPER_VOICE"


@dataclass(frozen=True)
class Piper:
    """The program ``piper`` with the voice that the environment names."""

    api_version = 1

    def available(self) -> str:
        """See `avdetect.forge.engines.program.Engine`."""
        voice = os.environ.get(VARIABLE, "")
        if not voice or not Path(voice).is_file():
            return f"no Piper voice: set {VARIABLE} to its .onnx file (pip install piper-tts brings the program)"
        return self._program(voice).available()

    def speak(self, text: str, rng: np.random.Generator) -> tuple[Float32[np.ndarray, " s"], int]:
        """See `avdetect.forge.engines.program.Engine`."""
        if missing := self.available():
            raise CannotForge(missing)
        return self._program(os.environ[VARIABLE]).speak(text, rng)

    def _program(self, voice: str) -> ProgramEngine:
        def arguments(rng: np.random.Generator, target: Path) -> list[str]:
            scale = float(rng.uniform(0.85, 1.2))
            return [
                "--model",
                str(Path(voice).resolve()),
                "--length-scale",
                f"{scale:.3f}",
                "--output_file",
                str(target),
            ]

        return ProgramEngine("piper", "pip install piper-tts", arguments, api_version=1)


ENGINE = Piper()
