"""Flite: unit selection and diphones, small voices inside the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avdetect.forge.engines.program import ProgramEngine

VOICES = ("kal16", "awb", "rms", "slt")


def _arguments(rng: np.random.Generator, target: Path) -> list[str]:
    voice, stretch = VOICES[int(rng.integers(len(VOICES)))], float(rng.uniform(0.85, 1.2))
    return ["-voice", voice, "--setf", f"duration_stretch={stretch:.3f}", "-f", "/dev/stdin", "-o", str(target)]


ENGINE = ProgramEngine("flite", "on Debian: apt-get install flite", _arguments, api_version=1)
