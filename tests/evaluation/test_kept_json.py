"""JSON that evaluations keep: NaN is null, and what cannot be read is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.evaluation.kept_json import plain, read_json, write_json


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.json"
    assert read_json(path) == {}
    write_json(path, {"a": [np.float64(1.5), float("nan"), (np.inf, True)], 5: "–"})
    assert read_json(path) == {"a": [1.5, None, [None, True]], "5": "–"}
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]
    path.write_text(path.read_text()[:10])
    assert read_json(path) == {}
    assert plain(np.int64(3)) == 3


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [1])
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", [object()])
    assert read_json(tmp_path / "a.json") == [1]
