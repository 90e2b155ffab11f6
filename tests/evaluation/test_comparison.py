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


def stretches(found: tuple[float, float]) -> ScoreTable:
    return ScoreTable.of_rows(
        {
            "key": f"{i}", "identity": f"p{i // 2}", "visual_fake": bool(i % 2), "audio_fake": False, "error": "",
            "probability_fake": 0.1 + 0.8 * (i % 2), "visual": float(i % 2),
            "segments": [[1.0, 2.0, "visual"]] if i % 2 else None,
            "predicted": [[*found, "visual", 0.9]] if i % 2 else None,
        }
        for i in range(20)
    )  # fmt: skip


def test_stretches_of_two_detectors_are_compared_once_and_with_each_other() -> None:
    metrics = ["segment_ap", "auc"]
    rows = compare(stretches((1.0, 2.0)), stretches((5.0, 6.0)), metrics=metrics, rounds=20)
    assert [r["head"] for r in rows if r["metric"] == "segment_ap mean"] == ["clips"]
    (row,) = [r for r in rows if r["metric"] == "segment_ap @0.5"]
    assert (row["first"], row["second"], row["clips"]) == (1.0, 0.0, 20) and row["high"] < 0
    assert {r["head"] for r in rows if r["metric"] == "auc"} == {"verdict", "visual"}


def test_clips_on_which_one_failed_or_said_nothing_are_not_compared() -> None:
    first, second = ([{**r, "classes": [0.7, 0.1, 0.1, 0.1]} for r in stretches((1.0, 2.0)).rows()] for _ in range(2))
    first[0]["error"], second[2]["classes"] = "broken", None
    rows = compare(ScoreTable.of_rows(first), ScoreTable.of_rows(second), metrics=["four_way"], rounds=5)
    assert rows and all(r["clips"] == 18 and r["difference"] == 0 for r in rows if not np.isnan(r["first"]))


def test_plots_are_written_with_and_without_scores(tmp_path: Path) -> None:
    plot_scores(table(2, 0), tmp_path / "a.png")
    plot_scores(ScoreTable.of_rows([{"key": "a", "error": "broken"}]), tmp_path / "b.png")
    assert all((tmp_path / n).read_bytes().startswith(b"\x89PNG") for n in ("a.png", "b.png"))
