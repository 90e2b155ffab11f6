"""Records through small networks into a score table: resumed, and failures counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.evaluation import scoring
from avdetect.evaluation.table import ScoreTable
from avdetect.testing import synthetic_clip
from tests.small_nets import small_detector


def test_scores_are_resumed_and_failures_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordWriter(tmp_path) as writer:
        for i in range(3):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "s", "identity": f"p{i}", "track_id": 0,
                    "start_tick": 0, "visual_fake": "0", "audio_fake": "0", "generator": ""}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 60), meta["key"], meta, speech=np.ones(60))), meta)
    store, out, detector = RecordStore(tmp_path), tmp_path / "scores.parquet", small_detector()
    real = scoring.clip_scores
    calls = []

    def once_broken(detector, clip, **options):
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("broken")
        return real(detector, clip, **options)

    monkeypatch.setattr(scoring, "clip_scores", once_broken)
    first = scoring.score_records(detector, store, range(3), out)
    assert [bool(e) for e in first["error"]] == [True, False, False]
    assert first["probability_fake"][0] is None and "broken" in first["error"][0]
    monkeypatch.setattr(scoring, "clip_scores", lambda *a, **k: calls.append(1) or real(*a, **k))
    calls.clear()
    again = scoring.score_records(detector, store, range(3), out)
    assert len(calls) == 2, "only the failed clip is scored again, with its own and with another sound"
    assert not any(again["error"]) and again.rows()[1:] == first.rows()[1:]
    assert np.isfinite(again.numbers("sync")).all() and np.isfinite(again.numbers("sync_swapped")).all()
    assert all(set(h) == {"5", "7", "9", "11", "13", "15"} for h in again["context_hits"])
    assert ScoreTable.read(out).rows() == again.rows()
