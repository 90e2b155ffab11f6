"""Building the neural codec: what is refused before anything is unpacked, and what a failed build says."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tools import neural_codec


def archive_of(folder: Path, configure: str) -> Path:
    path = folder / "opus.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(f"{neural_codec.OPUS}/configure")
        info.mode, info.size = 0o755, len(configure)
        tar.addfile(info, io.BytesIO(configure.encode()))
    return path


def test_another_archive_is_refused(tmp_path: Path) -> None:
    other = archive_of(tmp_path, "#!/bin/sh\n")
    run = CliRunner().invoke(neural_codec.app, [str(other), "--out", str(tmp_path / "codec")])
    assert run.exit_code == 2 and "SHA-256" in run.output and "opus-1.5.2" in run.output
    assert not (tmp_path / "codec").exists()


def test_no_archive_is_said(tmp_path: Path) -> None:
    run = CliRunner().invoke(neural_codec.app, [str(tmp_path / "none.tar.gz"), "--out", str(tmp_path / "codec")])
    assert run.exit_code == 2 and "none.tar.gz: No such file" in run.output


def test_a_failed_build_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = archive_of(tmp_path, "#!/bin/sh\necho no compiler here >&2\nexit 77\n")
    monkeypatch.setattr(neural_codec, "SHA256", hashlib.sha256(broken.read_bytes()).hexdigest())
    run = CliRunner().invoke(neural_codec.app, [str(broken), "--out", str(tmp_path / "codec")])
    assert run.exit_code == 2 and "./configure" in run.output and "no compiler here" in run.output
    assert not (tmp_path / "codec").exists()
