"""Two detectors on the same clips, and the plots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.evaluation.comparison import compare, comparison_table
from avdetect.evaluation.plots import plot_scores
from avdetect.evaluation.table import ScoreTable


def table(skill: float, seed: int) -> ScoreTable:
    rng = np.random.default_rng(seed)
    return ScoreTable.of_rows(
        {
            "key": f"{i}", "identity": f"p{i // 4}", "visual_fake": bool(i % 2), "audio_fake": False, "error": "",
            "probability_fake": float(1 / (1 + np.exp(-rng.normal(skill * (i % 2 - 0.5), 1)))), "offset_ms": 12.0,
        }
        for i in range(120)
    )  # fmt: skip


def test_a_better_detector_is_found_better_and_itself_is_not() -> None:
    rows = compare(table(0.2, 0), table(4.0, 1), metrics=["auc"], rounds=200)
    (row,) = [r for r in rows if r["head"] == "verdict"]
    assert row["difference"] > 0.2 and row["low"] > 0 and row["p"] < 0.02 and row["delong_p"] < 1e-4
    same = compare(table(1, 0), table(1, 0), metrics=["auc"], rounds=50)
    assert all(r["p"] == 1.0 and r["delong_p"] == 1.0 and r["difference"] == 0 for r in same)
    assert "| verdict | auc | 120 |" in comparison_table(rows)
    with pytest.raises(ValueError, match="no clip in common"):
        compare(table(1, 0), ScoreTable.of_rows([{"key": "other"}]))


def test_plots_are_written_with_and_without_scores(tmp_path: Path) -> None:
    plot_scores(table(2, 0), tmp_path / "a.png")
    plot_scores(ScoreTable.of_rows([{"key": "a", "error": "broken"}]), tmp_path / "b.png")
    assert all((tmp_path / n).read_bytes().startswith(b"\x89PNG") for n in ("a.png", "b.png"))
