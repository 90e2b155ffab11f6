"""Detectors written to files, as a user would, and short videos to score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from avdetect.detectors.named import Named, load_named
from avdetect.testing import write_synthetic_video

HEAD = """
import numpy as np
from avdetect.api import Evidence, InputContract


class Base:
    api_version = 1
    name, version = "made", "0.3"
    modalities = frozenset({"picture"})
    contract = InputContract(max_ticks=20, min_ticks=4, batch=2)
    jittable = False
    calls = 0


"""

Write = Callable[[str], str]


@pytest.fixture
def plugin(tmp_path: Path) -> Write:
    """Writes the body of a class ``Made`` to a file of its own; gives the spec to name it by."""
    made = []

    def write(body: str, *, head: str = "") -> str:
        path = tmp_path / f"made{len(made)}.py"
        made.append(path)
        lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
        path.write_text(f"{HEAD}{head}\nclass Made(Base):\n{lines}")
        return f"{path}:Made"

    return write


@pytest.fixture
def load(plugin: Write) -> Callable[..., Named]:
    """A detector from the body of its class."""
    return lambda body, **more: load_named(plugin(body, **more))


@pytest.fixture(scope="session")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a drawn speaker."""
    path = tmp_path_factory.mktemp("media") / "speaker.mp4"
    return write_synthetic_video(path, seconds=2, seed=2, width=320, height=240)


@pytest.fixture(scope="session")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The face alone, 1.2 s."""
    path = tmp_path_factory.mktemp("media") / "silent.mp4"
    return write_synthetic_video(path, seconds=1.2, seed=2, width=320, height=240, sound=False)


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The voice alone, 2 s."""
    return write_synthetic_video(tmp_path_factory.mktemp("media") / "voice.mp4", seconds=2, seed=2, picture=False)


@pytest.fixture(scope="session")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture without a face, and a voice, 1.2 s."""
    path = tmp_path_factory.mktemp("media") / "wall.mp4"
    return write_synthetic_video(path, seconds=1.2, seed=2, face_scale=0.005, width=96, height=64)
