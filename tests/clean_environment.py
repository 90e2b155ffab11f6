"""The wheel, and an environment in which nothing but the wheel is installed; made once for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
OFFLINE = ["--no-index", "--no-build-isolation", "--quiet"]
"""Options of ``pip install`` that make it do with what is there."""


def attempt(command: list[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run with nothing of this checkout on the path."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=400)


def run(command: list[str], *, cwd: Path) -> str:
    """As :func:`attempt`; the output, or a failure that shows it."""
    done = attempt(command, cwd=cwd)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def packages_of(python: Path) -> Path:
    """The folder that an environment installs into."""
    return Path(run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], cwd=ROOT).strip())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of this checkout."""
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)], cwd=out)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment in which the wheel is installed.

    Its dependencies are borrowed from this environment by a path file, so that the test needs no network. Path files of
    the borrowed folder are not read, so this checkout's editable install is not seen.
    """
    folder = tmp_path_factory.mktemp("clean")
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)], cwd=folder)
    python = folder / "bin" / "python"
    run([*PIP, "--python", str(python), "install", "--no-deps", *OFFLINE, str(wheel)], cwd=folder)
    (packages_of(python) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python
