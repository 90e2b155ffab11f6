"""Compressed copies: what they are, that finished ones are kept, that a broken file ends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avdetect.data.shared_copies import Sharing
from avdetect.evaluation.targets import compression
from avdetect.testing import write_synthetic_video
from tests.small_nets import small_detector


@pytest.mark.slow
def test_files_are_scored_twice_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, broken = tmp_path / "good.mp4", tmp_path / "broken.mp4"
    write_synthetic_video(good, seconds=1.2)
    broken.write_bytes(b"no video at all")
    files = [(p, f"f/{p.name}", {"source": "s", "identity": p.stem, "visual_fake": "0"}) for p in (good, broken)]

    def rows() -> list[dict]:
        how = Sharing(crf=40, share=0.5, kbps=16)
        return compression.compressed_rows(files, small_detector(), keep=tmp_path / "kept", sharing=how)

    first = rows()
    assert set(first[0]["before"]) == {"verdict", "visual", "audio"} and "error" not in first[0]
    assert first[0]["fake"] == {"verdict": False, "visual": False, "audio": None}
    assert first[1]["before"]["verdict"] is None and "broken.mp4" in first[1]["error"]
    monkeypatch.setattr(compression, "score_file", None)
    assert json.dumps(rows()) == json.dumps(first), "nothing is scored again"


def test_a_half_written_row_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[Path] = []
    monkeypatch.setattr(compression, "score_file", lambda path, _: scored.append(path))
    monkeypatch.setattr(compression, "_said", lambda _: {"verdict": 0.5, "visual": None, "audio": None})
    monkeypatch.setattr(compression, "compress", lambda *_: None)

    def rows() -> list[dict]:
        files = [(tmp_path / "a.mp4", "f/a.mp4", {"source": "s"})]
        how = Sharing(crf=40, share=0.5, kbps=16)
        return compression.compressed_rows(files, small_detector("audio"), keep=tmp_path / "kept", sharing=how)

    first = rows()
    assert len(scored) == 2 and rows() == first and len(scored) == 2
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_text(kept.read_text()[:40])
    assert rows() == first and len(scored) == 4 and rows() == first and len(scored) == 4


def test_the_loss_is_of_the_same_files() -> None:
    def row(person: str, fake: bool, before: float | None, after: float | None) -> dict:
        flags = {"verdict": fake, "visual": fake, "audio": None}
        return {
            "fake": flags,
            "person": person,
            "before": {"verdict": before, "visual": before, "audio": before},
            "after": {"verdict": after, "visual": None, "audio": after},
        }

    rows = [row(f"p{i}", bool(i % 2), 0.2 + 0.5 * (i % 2), 0.5) for i in range(8)]
    rows.append(row("q", True, 0.9, None))
    found = compression.compression_figures(rows)
    verdict, visual, audio = found["rows"]
    assert (found["files"], verdict["scored"], verdict["silent_after"]) == (9, 8, 1)
    assert (verdict["before"], verdict["after"], verdict["lost"]) == (1.0, 0.5, 0.5)
    assert np.isfinite(verdict["lost_ci"]).all()
    assert (visual["scored"], visual["silent_after"], audio["scored"]) == (0, 9, 0)
    assert np.isnan(visual["lost"])
