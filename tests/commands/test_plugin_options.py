"""What ``--allow-plugin`` and ``--no-plugins`` say is known where bundles are loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

import avdetect
from avdetect.cli import app
from avdetect.plugin_scan import allowed, plugins_off
from tests.fake_distributions import Site, site

__all__ = ["site"]


@pytest.mark.parametrize("command", ["score", "audit", "doctor"])
def test_what_is_allowed_is_known_when_the_bundle_is_loaded(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("AVDETECT_ALLOW_PLUGINS", "before")
    seen: list[tuple[list[str], bool]] = []

    def load(bundle: Path | None = None) -> None:
        seen.append((allowed(), plugins_off()))
        raise ValueError("not today")

    monkeypatch.setattr(avdetect, "load", load)
    (tmp_path / "a.mp4").touch()
    paths = [] if command == "doctor" else [str(tmp_path / "a.mp4")]
    CliRunner().invoke(app, [command, *paths, "--allow-plugin", "hum", "--allow-plugin", "avdetect-wave"])
    assert seen == [(["before", "hum", "avdetect-wave"], False)]
    assert os.environ["AVDETECT_ALLOW_PLUGINS"] == "before,hum,avdetect-wave", "for the processes it starts"
    CliRunner().invoke(app, [command, *paths, "--no-plugins"])
    assert seen[1][1]
