"""Which plugins are installed: read from the metadata of distributions, without importing any of them."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from avdetect.plugin_errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PREFIX = "avdetect."
"""Entry-point groups are ``avdetect.<kind>s``."""
SWITCH = "AVDETECT_PLUGINS"
ALLOW = "AVDETECT_ALLOW_PLUGINS"
_ON, _OFF = ("", "on", "1", "true", "yes"), ("off", "0", "false", "no")


@dataclass(frozen=True)
class Found:
    """An entry point of an installed distribution: ``name`` of a ``group`` stands for ``target``."""

    group: str
    name: str
    target: str
    distribution: str
    version: str


def plugins_off() -> bool:
    """Whether ``AVDETECT_PLUGINS`` switches everything off that is not built in.

    Raises:
        PluginError: the variable has a value that says neither on nor off.
    """
    value = os.environ.get(SWITCH, "").strip().lower()
    if value in _OFF:
        return True
    if value in _ON:
        return False
    raise PluginError(f"{SWITCH} is {value!r}; set it to 'on' or 'off'")


def switch_off() -> None:
    """Leave built-ins only, in this process and those that it starts."""
    os.environ[SWITCH] = "off"


def allow(names: Sequence[str]) -> None:
    """Let bundles and stored configurations load these plugins, in this process and those that it starts."""
    os.environ[ALLOW] = ",".join([*allowed(), *names])


def allowed() -> list[str]:
    """Names of plugins or distributions that bundles may load, from ``AVDETECT_ALLOW_PLUGINS``; ``*`` = any."""
    return [name for part in os.environ.get(ALLOW, "").split(",") if (name := part.strip())]


def installed(group: str) -> list[Found]:
    """Entry points of a group by name; the order of folders differs between machines."""
    return [found for found in _scan(tuple(sys.path))[0] if found.group == group]


def unreadable() -> list[str]:
    """Distributions that seem to offer plugins but whose list of them cannot be read, each with the reason."""
    return list(_scan(tuple(sys.path))[1])


def look_again() -> None:
    """Forget what was found: to be called where a program installs plugins while it runs."""
    _scan.cache_clear()


@functools.lru_cache(maxsize=8)
def _scan(path: tuple[str, ...]) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """All groups at once: reading the metadata of a few hundred distributions takes some ten milliseconds."""
    from importlib import metadata  # twenty milliseconds that --help need not wait for

    found: list[Found] = []
    complaints: list[str] = []
    seen: set[str] = set()
    for distribution in metadata.distributions(path=list(path)):
        try:
            points = [p for p in distribution.entry_points if p.group.startswith(PREFIX)]
            if not points:
                continue
            name, version = (str(distribution.metadata[field] or "") for field in ("Name", "Version"))
            if not name or not version:
                raise ValueError("it has no name or no version")
        except Exception as error:  # whatever another package's files hold, the rest must go on
            if f"[{PREFIX}" in (distribution.read_text("entry_points.txt") or ""):
                complaints.append(f"{_folder(distribution)} offers plugins that cannot be read: {error}")
            continue
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:  # found once more further down the path, where nothing is imported from
            continue
        seen.add(key)
        found += [Found(p.group, p.name, p.value, name, version) for p in points]
    return tuple(sorted(found, key=lambda f: (f.group, f.name, f.distribution))), tuple(sorted(complaints))


def _folder(distribution: Distribution) -> str:
    """Where it lies, for one whose name may be what cannot be read."""
    return str(getattr(distribution, "_path", None) or distribution.locate_file(""))
