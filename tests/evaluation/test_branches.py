"""The table of the branches."""

from __future__ import annotations

import numpy as np

from avdetect.calibration import Calibration
from avdetect.evaluation.branches import branch_table, clustered_auc


def clip(i: int, *, visual: bool, audio: bool, score: float, folder: str = "f") -> dict:
    return {
        "path": f"{folder}/{i}.mp4",
        "folder": folder,
        "generator": "maker" if visual or audio else "",
        "identity": f"p{i}",
        "visual_fake": visual,
        "audio_fake": audio,
        "visual": score,
        "audio": score,
        "sync": -1.0,
        "sync_swapped": 1.0,
        "ticks": 80,
        "probability": 0.9 if visual or audio else 0.1,
        "calibration": Calibration(fake_above=0.8, real_below=0.2),
    }


def test_separable_scores_give_an_auc_of_one_and_the_verdict_its_shares() -> None:
    rows = [clip(i, visual=False, audio=False, score=-1.0 - i) for i in range(6)]
    rows += [clip(10 + i, visual=True, audio=False, score=2.0 + i) for i in range(4)]
    rows[0]["probability"] = 0.85  # one genuine clip of six is called fake
    rows[6]["probability"] = 0.5  # one forged clip of four is neither
    table, figures = branch_table(rows)
    assert figures["auc"]["visual: all forged faces"][0] == 1.0
    assert figures["auc"]["sync: another clip's sound"][0] == 1.0
    assert "audio: all false voices" not in figures["auc"], "there are no false voices"
    np.testing.assert_allclose(figures["genuine_called_fake"], 1 / 6)
    np.testing.assert_allclose(figures["forged_called_fake"], 3 / 4)
    assert figures["forged_called_real"] == 0.0
    assert "| visual | all forged faces | genuine | 4 / 6 | 1.000" in table


def test_unmeasured_clips_are_left_out_and_said_so_by_the_counts() -> None:
    rows = [clip(i, visual=i % 2 == 0, audio=False, score=float(i % 2 == 0)) for i in range(12)]
    rows[0]["visual"] = rows[1]["visual"] = float("nan")
    _, figures = branch_table(rows)
    assert figures["auc"]["visual: all forged faces"][3:] == [5, 5]


def test_the_interval_counts_people_not_clips() -> None:
    rng = np.random.default_rng(0)
    few = [{"identity": f"p{i % 4}", "s": rng.normal(i % 2)} for i in range(200)]
    many = [{**r, "identity": f"q{i}"} for i, r in enumerate(few)]

    def width(rows: list[dict]) -> float:
        _, low, high = clustered_auc(rows[1::2], rows[0::2], lambda r: r["s"], rounds=200)
        return high - low

    spread = {f"p{i}": rng.normal(0, 1.5) for i in range(4)}
    for r, m in zip(few, many, strict=True):
        r["s"] += spread[r["identity"]]
        m["s"] = r["s"]
    assert width(few) > 1.5 * width(many)
