"""Decisions by group: shares count abstentions as inconclusive, and groups are what the clips are."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.calibration import Calibration
from avdetect.evaluation.table import ScoreTable
from avdetect.evaluation.targets.groups import by_group, verdict_figures

CALIBRATION = Calibration(fake_above=0.8, real_below=0.2)


def table() -> ScoreTable:
    rows = []
    for i, (source, fake, p, light) in enumerate(
        [
            ("a", 0, 0.1, 0.2), ("a", 0, 0.9, 0.3), ("a", 1, 0.95, 0.4), ("a", 1, None, 0.5),
            ("b", 0, 0.15, 0.6), ("b", 0, 0.5, 0.7), ("b", 1, 0.85, 0.8), ("b", 1, 0.05, 0.9), ("b", 1, 0.9, None),
        ]
    ):  # fmt: skip
        rows.append({"key": str(i), "source": source, "identity": f"p{i}", "visual_fake": bool(fake),
                     "audio_fake": False, "probability_fake": p, "light": light, "error": ""})  # fmt: skip
    return ScoreTable.of_rows(rows)


def test_decisions_are_shares_of_their_class() -> None:
    found = verdict_figures(table(), CALIBRATION)
    assert (found["clips"], found["forged"], found["genuine"]) == (9, 5, 4)
    assert found["genuine_called_fake"] == 0.25 and found["genuine_called_real"] == 0.5
    assert found["forged_called_fake"] == pytest.approx(3 / 5), "the abstention is not called fake"
    assert found["forged_called_real"] == pytest.approx(1 / 5)
    low, high = found["genuine_called_fake_ci"]
    assert 0 <= low <= 0.25 <= high <= 1


def test_groups_are_data_sets_languages_and_thirds_of_lightness() -> None:
    found = by_group(table(), CALIBRATION, {"a": "English"})
    assert set(found["data set"]) == {"a", "b"} and set(found["language"]) == {"English"}
    light = found["lightness of the face crop"]
    assert [name.split()[0] for name in light] == ["darkest", "lightest"], "two clips are no group"
    assert sum(f["clips"] for f in light.values()) == 6, "the clip of unknown lightness is in none"
    assert found["data set"]["b"]["forged_called_fake"] == pytest.approx(2 / 3)


def test_a_group_of_one_class_has_no_auc() -> None:
    genuine = table().take(np.array([0, 1, 4]))
    found = verdict_figures(genuine, CALIBRATION)
    assert np.isnan(found["auc"]) and np.isnan(found["forged_called_fake"]) and found["genuine_called_fake"] == 1 / 3
