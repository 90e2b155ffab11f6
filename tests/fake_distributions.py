"""Distributions that are installed as far as Python can see: a folder of metadata beside the code."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from avdetect import plugin_scan

FORGERY = """
from avdetect.api import Family

def forge(clip, rng, others=()):
    return clip

FAMILY = Family(forge, changes=("sound",), about="nothing at all", api_version=1)
"""


class Site:
    """A folder on the import path."""

    def __init__(self, folder: Path):
        self.folder = folder

    def install(
        self,
        name: str,
        points: Mapping[str, Mapping[str, str]] | str,
        *,
        version: str = "1.0",
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Add a distribution: its entry points by group (or the text of its list of them), and its modules."""
        if not isinstance(points, str):
            points = "\n".join(
                line
                for group, rows in points.items()
                for line in (f"[{group}]", *(f"{k} = {v}" for k, v in rows.items()))
            )
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(points)
        for file, text in (files or {}).items():
            (self.folder / file).write_text(text)
        plugin_scan.look_again()

    def forget(self) -> None:
        """Take out of memory what was imported from here."""
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(self.folder)):
                del sys.modules[name]
        plugin_scan.look_again()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty one, for one test; plugins are on."""
    made = Site(tmp_path / "site")
    made.folder.mkdir()
    monkeypatch.setenv("AVDETECT_PLUGINS", "on")
    monkeypatch.delenv("AVDETECT_ALLOW_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(made.folder)
    yield made
    made.forget()
