"""What the command that prepares data says of a manifest that it cannot read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

from tools.prepare import _entries


@pytest.mark.parametrize("source", ["", "manifest"])
def test_parquet_without_pyarrow_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    table = tmp_path / "manifest.parquet"
    table.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(typer.Exit) as raised:
        _entries(table, source)
    told = capsys.readouterr().err
    assert raised.value.exit_code == 2
    assert told.startswith("error: ") and "reading Parquet needs pyarrow" in told
