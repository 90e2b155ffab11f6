"""The page of results: what is missing is named, worst values count, tables are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from avdetect.evaluation.targets.aims import Aim, voice_systems
from avdetect.evaluation.targets.page import (
    TABLES,
    aims_table,
    compression_table,
    fill,
    left_out_table,
    number,
    section_table,
    sweep_table,
    voices_table,
)
from tools.results import SECTIONS

ROOT = Path(__file__).resolve().parents[2]


def test_places_are_filled_and_missing_ones_named() -> None:
    assert fill("a {{x}} b {{y}}", {"x": "1\n", "y": "2"}) == "a 1 b 2"
    with pytest.raises(KeyError, match="nothing measured for: y"):
        fill("{{x}} {{y}}", {"x": "1"})


def test_the_template_asks_for_what_is_measured() -> None:
    text = (ROOT / "configs" / "results_page.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\{\{(\w+)\}\}", text)) == {*SECTIONS, "aims", "name", "risk"}
    assert set(TABLES) == set(SECTIONS)


def test_figures_of_an_older_version_are_to_be_measured_again() -> None:
    with pytest.raises(ValueError, match=r"sweep: .*python -m tools.results sweep --again"):
        section_table("sweep", {"rows": [{"kind": "clean"}]})


def test_numbers_with_intervals() -> None:
    assert number(0.5, [0.25, 0.75]) == "0.500 (0.250 – 0.750)"
    assert number(0.012, None, percent=True) == "1.2 %"
    assert number(float("nan")) == number(None) == "–"


@pytest.mark.parametrize(
    ("values", "lower", "said"),
    [
        ({"a": 0.99}, False, "aim"),
        ({"a": 0.99, "b": 0.9}, False, "yes"),
        ({"a": 0.99, "b": 0.7}, False, "1 of 2"),
        ({"a": 0.1}, False, "no"),
        ({"a": 0.99}, True, "no"),
        ({"a": float("nan")}, False, "not measured"),
    ],
)
def test_the_worst_value_counts(values: dict[str, float], lower: bool, said: str) -> None:
    aim = Aim("m", 0.8, 0.95, values, lower=lower)
    assert aim.reached == said
    assert f"| {said} |" in aims_table([aim])


def test_a_row_a_comparison() -> None:
    rows = [{"title": "Wav2Lip", "forged": 3, "genuine": 4, "people": 5, "auc": 0.75, "ci": [0.5, 1.0]}]
    assert left_out_table({"rows": rows}).splitlines()[-1] == "| Wav2Lip | 3 / 4 | 5 | 0.750 (0.500 – 1.000) |"


def test_voices_stand_beside_their_own_true_clips_where_there_are_any() -> None:
    row = {"title": "SVTS", "forged": 3, "genuine": 4, "people": 5, "auc": 0.75, "ci": [0.5, 1.0]}
    shown = voices_table({"rows": [row | {"own": 2, "own_auc": 0.5}, row | {"own": 0, "own_auc": float("nan")}]})
    assert [line.split(" | ")[-1] for line in shown.splitlines()[-2:]] == ["0.500 (2) |", "– |"]


def test_people_that_decisions_were_made_on_reach_nothing() -> None:
    rows = [{"title": "SVTS, data set left out too", "auc": 0.75}]
    rows.append({"title": "SVTS, validation people", "auc": 0.99, "validation": True})
    assert voice_systems({"rows": rows}) == {"SVTS": 0.75}


def test_compression_has_a_row_for_the_verdict_and_for_each_branch() -> None:
    row = {"title": "verdict", "scored": 8, "forged": 4, "silent_after": 1, "before": 1.0, "after": 0.5, "lost": 0.5}
    row |= {f"{name}_ci": [0.25, 0.75] for name in ("before", "after", "lost")}
    (line,) = compression_table({"files": 9, "rows": [row]}).splitlines()[2:]
    assert line.startswith("| verdict | 8 of 9 (4 forged) | 1.000 (0.250 – 0.750) |") and line.endswith("| 1 |")


def test_the_sweep_is_a_row_a_corruption_and_a_column_a_severity() -> None:
    def row(kind: str, severity: int, auc: float | None) -> dict:
        return {"kind": kind, "severity": severity, "scored": 9, "auc": {"value": auc, "ci": [0.5, 0.9]}}

    rows = [row("clean", 0, 0.7), row("blur", 1, 0.65), row("blur", 5, 0.5), row("sound_noise", 1, None)]
    lines = sweep_table({"rows": rows}).splitlines()
    assert "0.700 (0.500 – 0.900)" in lines[0]
    assert lines[-3:] == ["|---|---|---|", "| blur | 0.650 | 0.500 |", "| sound noise | – | – |"]
