"""Records through small networks into a score table: resumed, and failures counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.evaluation import scoring
from avdetect.evaluation.table import ScoreTable
from avdetect.evidence_folder import track_evidence
from avdetect.testing import synthetic_clip
from tests.small_nets import small_detector


def test_scores_are_resumed_and_failures_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordWriter(tmp_path) as writer:
        for i in range(3):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "s", "identity": f"p{i}", "track_id": 0,
                    "start_tick": 0, "visual_fake": "0", "audio_fake": "0", "generator": ""}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 60), meta["key"], meta, speech=np.ones(60))), meta)
    store, out, detector = RecordStore(tmp_path), tmp_path / "scores.parquet", small_detector()
    real = scoring.scores_of
    calls = []

    def once_broken(*args, **options):
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("broken")
        return real(*args, **options)

    monkeypatch.setattr(scoring, "scores_of", once_broken)
    first = scoring.score_records(detector, store, range(3), out)
    assert [bool(e) for e in first["error"]] == [True, False, False]
    assert first["probability_fake"][0] is None and "broken" in first["error"][0]
    monkeypatch.setattr(scoring, "scores_of", lambda *a, **k: calls.append(1) or real(*a, **k))
    calls.clear()
    again = scoring.score_records(detector, store, range(3), out)
    assert len(calls) == 2, "only the failed clip is scored again, with its own and with another sound"
    assert not any(again["error"]) and again.rows()[1:] == first.rows()[1:]
    assert np.isfinite(again.numbers("sync")).all() and np.isfinite(again.numbers("sync_swapped")).all()
    assert all(set(h) == {"5", "7", "9", "11", "13", "15"} for h in again["context_hits"])
    assert ScoreTable.read(out).rows() == again.rows()


def test_kept_scores_are_of_the_same_file_and_sound_and_labels_of_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordWriter(tmp_path) as writer:
        for i in range(4):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "s", "identity": f"p{i}", "track_id": 0,
                    "start_tick": 0, "visual_fake": "0", "audio_fake": "0", "generator": "", "sha256": f"{i}",
                    "duration_s": 1.2, "audio": "stereo"}  # fmt: skip
            writer.add(b"no record", meta)
    store, out, detector = RecordStore(tmp_path), tmp_path / "scores.parquet", small_detector("audio")
    scored: list[int] = []

    def scorer(*_: object) -> object:
        return lambda i: scored.append(i) or {"probability_fake": 0.5, "audio": 1.5, "sync_swapped": 2.5}

    monkeypatch.setattr(scoring, "_scorer", scorer)

    def again() -> tuple[list[int], ScoreTable]:
        scored.clear()
        table = scoring.score_records(detector, store, range(4), out)
        return list(scored), table

    assert again()[0] == [0, 1, 2, 3] and again()[0] == []
    for row in store.index:
        row |= {"identity": "other", "generator": "pen"}
    done, table = again()
    assert done == [] and set(table["identity"]) == {"other"} and set(table["method"]) == {"pen"}
    assert set(table["audio"]) == {1.5}, "a column of the manifest is no score"
    assert table["swapped_with"][3] == "c0#0@0 0"
    store.index[1]["sha256"] = "another"
    assert again()[0] == [0, 1], "the file, and the clip that is shown with its sound"
    store.index[1]["visual_fake"] = "1"
    done, table = again()
    assert done == [0, 1] and table["visual_fake"][1] is True, "a forged clip is neither shown nor heard so"
    store.index[1]["offset_ms"] = 40.0
    assert again()[0] == [1]
    before = ScoreTable.read(out)
    old = [{k: v for k, v in row.items() if k not in ("sha256", "swapped_with")} for row in before.rows()]
    ScoreTable.of_rows(old, before.about).write(out)
    assert again()[0] == [0, 1, 2, 3], "a table that says neither"


def test_the_columns_that_are_scores() -> None:
    detector, clip = small_detector("audio"), synthetic_clip(0, 40, face=False)
    said = scoring.scores_of(track_evidence(clip, detector.evidence(clip)), detector.calibration)
    assert {*said, "sync_swapped"} == set(scoring.SAID)


@pytest.mark.slow
def test_a_sweep_scores_clean_and_corrupted_clips(tmp_path: Path) -> None:
    from avdetect.evaluation.sweep import sweep, sweep_table

    with RecordWriter(tmp_path) as writer:
        for i in range(4):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "s", "identity": f"p{i}", "track_id": 0,
                    "start_tick": 0, "visual_fake": str(i % 2), "audio_fake": "0", "generator": ""}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 50), meta["key"], meta, speech=np.ones(50))), meta)
    found = sweep(small_detector(), RecordStore(tmp_path), range(4), tmp_path / "out",
                  kinds=("gaussian_noise", "clipping"), severities=(5,), rounds=20)  # fmt: skip
    assert [(r["kind"], r["severity"]) for r in found] == [("clean", 0), ("gaussian_noise", 5), ("clipping", 5)]
    clean, noise, clipping = (ScoreTable.read(tmp_path / "out" / f"{n}.parquet") for n in (
        "clean-0", "gaussian_noise-5", "clipping-5"))  # fmt: skip
    assert not any(clean["error"]) and not any(noise["error"])
    assert (noise.numbers("visual") != clean.numbers("visual")).all() and (noise["audio"] == clean["audio"]).all()
    assert (clipping.numbers("audio") != clean.numbers("audio")).all()
    assert "| clipping | 5 | 4 / 4 |" in sweep_table(found)
