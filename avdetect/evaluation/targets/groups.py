"""Decisions of the verdict, of all clips and by what the clips are: data set, language, lightness of the face crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from avdetect import metrics
from avdetect.calibration import Calibration
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.calibration_errors import even_weights

ROUNDS = 1000
LEAST = 3
"""Clips of a class for which a figure is stated."""


def verdict_figures(table: ScoreTable, calibration: Calibration) -> dict[str, Any]:
    """AUC, ECE and the four shares of decisions, each as value and interval over people.

    Args:
        table: scores; clips without a probability count as inconclusive.
        calibration: its thresholds.
    """
    fake, p = table.fake(), table.numbers("probability_fake")
    known = np.flatnonzero(~np.isnan(fake))
    fake, p, people = fake[known] == 1, p[known], table.clusters()[known].tolist()
    called_fake, called_real = p >= calibration.fake_above, p <= calibration.real_below

    def share(of: np.ndarray, among: np.ndarray, rows: np.ndarray) -> float:
        rows = rows[among[rows]]
        return float(of[rows].mean()) if len(rows) else float("nan")

    def auc(rows: np.ndarray) -> float:
        rows = rows[np.isfinite(p[rows])]
        return metrics.auc(p[rows][fake[rows]], p[rows][~fake[rows]])

    def ece(rows: np.ndarray) -> float:
        rows = rows[np.isfinite(p[rows])]
        return metrics.expected_calibration_error(p[rows], fake[rows]) if len(rows) else float("nan")

    def even_ece(rows: np.ndarray) -> float:
        rows = rows[np.isfinite(p[rows])]
        if fake[rows].all() or not fake[rows].any():
            return float("nan")
        return metrics.expected_calibration_error(p[rows], fake[rows], weights=even_weights(fake[rows]))

    figures: dict[str, Any] = {"clips": len(known), "forged": int(fake.sum()), "genuine": int((~fake).sum())}
    of = {
        "auc": auc,
        "ece": ece,
        "even_ece": even_ece,
        "genuine_called_fake": lambda rows: share(called_fake, ~fake, rows),
        "genuine_called_real": lambda rows: share(called_real, ~fake, rows),
        "forged_called_fake": lambda rows: share(called_fake, fake, rows),
        "forged_called_real": lambda rows: share(called_real, fake, rows),
    }
    for name, statistic in of.items():
        low, high = metrics.bootstrap(statistic, people, rounds=ROUNDS) if len(known) else (float("nan"),) * 2
        figures[name] = statistic(np.arange(len(known))) if len(known) else float("nan")
        figures[f"{name}_ci"] = [low, high]
    return figures


def by_group(
    table: ScoreTable, calibration: Calibration, languages: Mapping[str, str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures within each data set, language and third of the lightness; of those with enough clips.

    Args:
        table: scores of prepared clips.
        calibration: its thresholds.
        languages: by data set; those that are not named are left out there.
    """
    source = np.array([str(x or "") for x in table["source"]])
    light = table.numbers("light")
    edges = np.nanquantile(light, [1 / 3, 2 / 3]) if np.isfinite(light).any() else np.array([np.nan, np.nan])
    names = [f"darkest third (< {edges[0]:.2f})", "middle third", f"lightest third (> {edges[1]:.2f})"]
    third = ["" if np.isnan(x) else names[int(np.searchsorted(edges, x, "right"))] for x in light]
    columns: dict[str, Sequence[str]] = {
        "data set": source.tolist(),
        "language": [languages.get(s, "") for s in source],
        "lightness of the face crop": third,
    }
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for column, values in columns.items():
        for value in sorted(set(values) - {""}):
            part = table.take(np.array([v == value for v in values]))
            figures = verdict_figures(part, calibration)
            if figures["clips"] >= LEAST:
                found.setdefault(column, {})[value] = figures
    return found
