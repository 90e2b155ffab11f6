"""The table of known shifts, and one real shift from file to number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdetect.calibration import Calibration, Platt
from avdetect.data.manifest import Entry
from avdetect.evaluation import shifts
from avdetect.testing import write_synthetic_video
from tests.small_nets import small_detector


def row(path: str, shift: float, found: float | None, faint: float | None = None, identity: str = "p") -> dict:
    return {
        "path": path,
        "folder": "f",
        "label": "RVRA",
        "identity": identity,
        "shift_ms": shift,
        "before_ms": None if found is None else 0.0,
        "after_ms": found,
        "found_ms": found,
        "found_any_ms": found if faint is None else faint,
    }


def test_a_shift_that_was_not_reported_counts_as_not_found() -> None:
    rows = [row("a", 80, 85), row("a", -80, None, -75), row("b", 80, 125), row("b", -80, -40)]
    table, figures = shifts.shift_table(rows, tolerance_ms=40)
    everything = figures["groups"]["all"]
    assert (everything["shifts"], everything["found"], everything["not_reported"]) == (4, 0.5, 1)
    assert everything["found_any"] == 0.75, "one was right and too faint to be reported"
    assert figures["clips"] == 2 and figures["clips_with_all_found"] == 0.0
    assert "| all | 4 | 50.0%" in table


def test_thresholds_of_offsets_are_those_of_offsets_alone() -> None:
    full = Calibration(
        visual=Platt(2.0), sync=Platt(3.0), fake_above=0.9, zero_offset_ms=-20.0, offset_stability=0.8, fitted_on="x"
    )
    kept = shifts.of_offsets(full)
    assert kept == Calibration(zero_offset_ms=-20.0, offset_stability=0.8)


def test_a_file_is_shifted_audited_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = tmp_path / "speaker.mp4"
    write_synthetic_video(video, seconds=2.0)
    heard: list[float] = []
    real = shifts.analyse

    def counting(path: Path, detector: object) -> object:
        heard.append(1)
        return real(path, detector)  # type: ignore[arg-type]

    monkeypatch.setattr(shifts, "analyse", counting)
    entry = Entry(video, "speaker.mp4", {"label": "RVRA"})
    rows = shifts.shift_rows(entry, [120.0], small_detector(), keep=tmp_path / "rows")
    assert len(heard) == 2 and rows[0]["shift_ms"] == 120.0 and "error" not in rows[0]
    again = shifts.shift_rows(entry, [120.0], small_detector(), keep=tmp_path / "rows")
    assert len(heard) == 2, "a finished clip is not audited again"
    assert json.dumps(again) == json.dumps(rows)
    shifts.shift_rows(entry, [160.0], small_detector(), keep=tmp_path / "rows")
    assert len(heard) == 4, "other shifts are"


def test_a_half_written_row_is_measured_again_and_labels_are_those_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Path] = []
    monkeypatch.setattr(shifts, "_offsets", lambda path, _: heard.append(path) or (0.0, 0.0))
    monkeypatch.setattr(shifts, "remux_shifted", lambda *_: None)

    def rows(label: str) -> list[dict]:
        entry = Entry(tmp_path / "a.mp4", "f/a.mp4", {"label": label})
        return shifts.shift_rows(entry, [80.0], small_detector("audio"), keep=tmp_path / "rows")

    first = rows("RVRA")
    assert len(heard) == 2
    (kept,) = (tmp_path / "rows").iterdir()
    kept.write_text(kept.read_text()[:40])
    assert rows("RVRA") == first and len(heard) == 4
    assert rows("RVFA") == [{**first[0], "label": "RVFA"}] and len(heard) == 4


def test_no_shifts_are_no_table() -> None:
    with pytest.raises(ValueError, match="no shift was tried"):
        shifts.shift_table([], tolerance_ms=40)


def test_a_broken_file_is_a_row_with_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("not a video")
    rows = shifts.shift_rows(Entry(broken, "broken.mp4", {}), [80.0, -80.0], small_detector(), keep=tmp_path / "rows")
    assert len(rows) == 2 and all("broken.mp4" in r["error"] and r["found_ms"] is None for r in rows)
