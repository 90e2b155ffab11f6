"""Files that a command writes: never over an input, never over what was there unasked, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from avdetect.commands.batch import UsageError
from avdetect.commands.inputs import Input
from avdetect.whole_file import replacing

_NAME_BYTES = 255


def why(error: OSError) -> str:
    """What is wrong, without number and file name."""
    return error.strerror or str(error) or type(error).__name__


def refuse_input(option: str, target: Path, inputs: Sequence[Input]) -> None:
    """Raises UsageError: the target is one of the inputs, under its name or another (a link)."""
    if (which := identity(target)) is None:
        return
    for item in inputs:
        if identity(item.path) == which:
            raise UsageError(f"{option} {target} is the input {item.path}: name another file")


def identity(path: str | Path) -> tuple[int, int] | None:
    """What a file is under whatever name; ``None`` where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # not there, or a name that cannot be
        return None
    return found.st_dev, found.st_ino


def refuse_existing(option: str, target: Path, *, force: bool, advice: str = "") -> None:
    """Raises UsageError: there is a file with something in it, and overwriting was not asked for."""
    if not force and not is_device(target) and target.is_file() and target.stat().st_size:
        raise UsageError(f"{option} {target} is there already: remove it, or add --force to overwrite it{advice}")


def is_device(target: Path) -> bool:
    """Whether it is no file but something to write into, such as ``/dev/stdout`` or a named pipe."""
    if str(target) in ("/dev/stdout", "/dev/stderr") or str(target.parent) in ("/dev/fd", "/proc/self/fd"):
        return True  # also where the shell has made a file of it
    return target.exists() and not target.is_file() and not target.is_dir()


def probe(folder: Path) -> None:
    """Make a folder, if need be, and see that files can be made in it.

    Raises:
        OSError: they cannot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / f".{secrets.token_hex(8)}.part"
    trial.touch(exist_ok=False)
    trial.unlink()


def write_whole(path: Path, text: str) -> None:
    """Write a text: a reader never sees half a file.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    if is_device(path):
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as half:
        half.write_text(text, encoding="utf-8")


def names(folder: Path, relative: Path, ending: str) -> Iterator[Path]:
    """Places for what is made of an input: ``clip.mp4.json``, ``clip.mp4.2.json`` and so on.

    A name that would be too long for the folder is cut, and keeps apart from others by a digest of the whole.
    """
    longest = _longest_name(folder)
    number = 1
    while True:
        tail = ending if number == 1 else f".{number}{ending}"
        yield folder / relative.with_name(_fitted(relative.name, tail, longest))
        number += 1


def _fitted(name: str, tail: str, longest: int) -> str:
    coded = os.fsencode(name)
    if len(coded) + len(tail) <= longest:
        return name + tail
    tail = f"~{hashlib.sha256(coded).hexdigest()[:8]}{tail}"
    return coded[: longest - len(tail)].decode("utf-8", "ignore") + tail


def _longest_name(folder: Path) -> int:
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        return _NAME_BYTES
