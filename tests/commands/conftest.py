"""A folder of stand-in media files, and the stand-in engine that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report import fake_engine


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: ``real.mp4`` and others, and ``x/c.mp4`` (real) and ``y/c.mp4`` (fake)."""
    fake_engine.install(monkeypatch)
    for name in ("real", "fake", "late", "broken", "stop"):
        (tmp_path / f"{name}.mp4").write_text(name)
    for name, text in (("x", "real"), ("y", "fake")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "c.mp4").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path
