"""espeak-ng: formant synthesis."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avdetect.forge.engines.program import ProgramEngine

VOICES = ("en-us", "en-gb", "en-gb-scotland", "en-us+f2", "en-us+m3", "en-gb+f4", "en-gb+m7")


def _arguments(rng: np.random.Generator, target: Path) -> list[str]:
    voice = VOICES[int(rng.integers(len(VOICES)))]
    return [
        "-v",
        voice,
        "-s",
        str(rng.integers(130, 200)),
        "-p",
        str(rng.integers(30, 70)),
        "-w",
        str(target),
        "--stdin",
    ]


ENGINE = ProgramEngine("espeak-ng", "on Debian: apt-get install espeak-ng", _arguments, api_version=1)
