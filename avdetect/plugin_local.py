"""Code that is named by its place: ``package.module:attribute`` or ``path/to/file.py:attribute``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any


def is_local(spec: str) -> bool:
    """Whether a name is a place rather than the name of something registered."""
    return ":" in spec


def attribute_at(target: str) -> Any:
    """What stands at a place; its module is imported.

    Args:
        target: ``package.module:attribute`` or ``path/to/file.py:attribute``; the attribute may have dots.

    Raises:
        ValueError: it is no such text.
        FileNotFoundError: there is no such file.
        AttributeError: the module has no such attribute.
        Exception: whatever the module raises while it is imported.
    """
    place, colon, attribute = target.rpartition(":")
    if not colon or not place or not attribute:
        raise ValueError(f"{target!r} is not of the form package.module:attribute or path/to/file.py:attribute")
    module = _file_module(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    try:
        return reduce(getattr, attribute.split("."), module)
    except AttributeError:
        known = ", ".join(sorted(name for name in vars(module) if not name.startswith("_"))) or "nothing"
        raise AttributeError(f"{place} has no {attribute!r}; it has: {known}") from None


def _file_module(path: Path) -> ModuleType:
    """The module in a file, run once a process; it is no part of any package, so it bears a name of its own."""
    path = path.expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    name = f"avdetect_local_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while it is being made
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
