"""Festival by its ``text2wave``: diphones or HMM voices, whichever are installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avdetect.forge.engines.program import ProgramEngine


def _arguments(rng: np.random.Generator, target: Path) -> list[str]:
    stretch = float(rng.uniform(0.85, 1.2))
    return ["-eval", f"(Parameter.set 'Duration_Stretch {stretch:.3f})", "-F", "16000", "-o", str(target)]


ENGINE = ProgramEngine("text2wave", "on Debian: apt-get install festival festvox-kallpc16k", _arguments, api_version=1)
