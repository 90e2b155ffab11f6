"""A stand-in for the networks: what a "media file" says in its first word is what is found in it.

Run as a program, it is the command ``avdetect`` with this engine.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import avdetect
from avdetect.calibration import Calibration
from avdetect.media.digest import file_digest
from avdetect.media.errors import MediaError
from avdetect.verdict import Analysis, judge

if TYPE_CHECKING:
    import pytest

CARD = {"name": "stand-in", "version": "0", "sha256": "f" * 64}


def load(bundle: Path | None = None) -> Any:
    """A detector without networks."""
    if bundle is not None:
        raise FileNotFoundError(f"{bundle} is not a bundle: it has no model.safetensors")
    return SimpleNamespace(calibration=Calibration(offset_stability=0.9), card=CARD)


def analyse(path: str, detector: Any, *, limits: object = None, progress: Any = None) -> Analysis:
    """Findings, or the failure, that the file's text names."""
    from tests.report.findings import analysis, sound_alone, track

    words = Path(path).read_text().split()
    if words[0] == "broken":
        raise MediaError(path, "it is not a media file")
    if words[0] == "crash":
        raise ZeroDivisionError("of all things")
    if words[0] == "stop":
        raise KeyboardInterrupt
    if words[0] == "slow":
        print("started", file=sys.stderr, flush=True)
        time.sleep(60)
    if progress is not None:
        progress(0.5)
    digest = file_digest(path)
    if words[0] == "voice":
        return replace(analysis(sound_alone(), video=False, name=str(path)), sha256=digest)
    kinds: dict[str, dict[str, Any]] = {
        "real": {},
        "fake": {"visual": 5.0},
        "unsure": {"visual": 0.0},
        "late": {"offset": 8.0},
        "vague": {"height": 0.0},
    }
    return replace(analysis(track(100, **kinds[words[0]]), name=str(path)), sha256=digest)


def score_file(path: str, detector: Any, *, limits: object = None, progress: Any = None) -> Any:
    """As in the package."""
    return judge(analyse(path, detector, progress=progress), detector.calibration, model=detector.card)


def engine() -> ModuleType:
    """A module to put in the place of ``avdetect.inference``."""
    module = ModuleType("avdetect.inference")
    module.analyse, module.score_file = analyse, score_file  # type: ignore[attr-defined]
    return module


def install(patch: pytest.MonkeyPatch) -> None:
    """Let this engine stand for the real one in a test."""
    found = engine()
    patch.setitem(sys.modules, "avdetect.inference", found)
    patch.setattr(avdetect, "inference", found, raising=False)
    patch.setattr(avdetect, "load", load)


if __name__ == "__main__":
    from avdetect.cli import app

    sys.modules["avdetect.inference"] = engine()
    avdetect.inference = sys.modules["avdetect.inference"]  # type: ignore[attr-defined]
    avdetect.load = load
    app(prog_name="avdetect")
