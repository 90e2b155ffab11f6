"""What every test runs under: JAX on the CPU as four devices, with one compilation cache."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

# Also for the programs that tests start. Set before JAX is imported, which reads it once.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# Most of what tests wait for is compilation, of programs that run once: XLA's first level makes them in two thirds of
# the time, and they are no slower.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=1")
_CACHE = None
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _CACHE = tempfile.TemporaryDirectory(prefix="avdetect-test-cache-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _CACHE.name

import jax  # noqa: E402

from tests.clean_environment import clean_python, wheel  # noqa: E402

__all__ = ["clean_python", "wheel"]

jax.config.update("jax_num_cpu_devices", 4)


def pytest_unconfigure() -> None:
    if _CACHE is not None:
        _CACHE.cleanup()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trainings, which take longest, first: otherwise one process is left with them in the end."""
    items.sort(key=lambda item: item.path.parent.name != "train")


@pytest.fixture(scope="session")
def compile_cache() -> Path:
    """The compilation cache that this session and the programs it starts share."""
    return Path(os.environ["JAX_COMPILATION_CACHE_DIR"])


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips; tests that need it are skipped where it is absent."""
    if not (SHARED_DATA / "INDEX.csv").is_file():
        pytest.skip(f"no real clips: {SHARED_DATA} is absent")
    return SHARED_DATA


@pytest.fixture(scope="session")
def talking_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of a drawn speaker, 640x360, sound and lips together."""
    from avdetect.testing import write_synthetic_video

    return write_synthetic_video(tmp_path_factory.mktemp("media") / "talking.mp4", seconds=8, seed=1)


@pytest.fixture(scope="session")
def late_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the sound 320 ms late."""
    from avdetect.testing import write_synthetic_video

    return write_synthetic_video(tmp_path_factory.mktemp("media") / "late.mp4", seconds=8, seed=1, offset_ms=320)
