"""Two detectors on the same clips: differences, intervals, and probabilities corrected for being several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from avdetect.evaluation.metric import HEADS, Context, Metric, view
from avdetect.evaluation.registry import metric_called
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.paired import delong, holm, paired_bootstrap


def compare(
    first: ScoreTable, second: ScoreTable, *, metrics: Sequence[str] = ("auc", "ap", "eer", "ece"), rounds: int = 1000
) -> list[dict[str, Any]]:
    """Second minus first for each head and metric, on the clips that both scored.

    The bootstrap resamples people; DeLong's test of the AUC, given beside it, takes clips to be independent. ``holm``
    corrects the bootstrap's probabilities over all rows.

    Raises:
        ValueError: the tables have no clip in common.
    """
    place = {key: i for i, key in enumerate(second["key"])}
    rows = [(i, place[key]) for i, key in enumerate(first["key"]) if key in place]
    if not rows:
        raise ValueError("the two tables have no clip in common; score the same records with both bundles")
    a, b = (t.take(np.array(n)) for t, n in zip((first, second), zip(*rows, strict=True), strict=True))
    out: list[dict[str, Any]] = []
    for head in HEADS.values():
        names = (head.column, head.swapped) if head.swapped else (head.column,)
        both = np.all([np.isfinite(t.numbers(n)) for t in (a, b) for n in names], axis=0)
        x, y, context = a.take(np.flatnonzero(both)), b.take(np.flatnonzero(both)), Context(head)
        v, w = view(x, head), view(y, head)
        if min(len(v.positive), len(v.negative)) < 3:
            continue
        for name in metrics:
            metric: Metric = metric_called(name)
            if metric.why_not(x, context):
                continue
            for value in metric.values(name, x, context):
                found = paired_bootstrap(
                    _both(metric, name, value, (x, y), context), x.clusters().tolist(), rounds=rounds
                )
                row = {"head": head.name, "metric": value, "clips": len(v.scores), **asdict(found)}
                if name == "auc":
                    row["delong_p"] = delong((v.positive, v.negative), (w.positive, w.negative)).p
                out.append(row)
    for row, p in zip(out, holm([r["p"] for r in out]), strict=True):
        row["holm"] = p
    return out


def _both(
    metric: Metric, name: str, value: str, tables: tuple[ScoreTable, ScoreTable], context: Context
) -> Callable[[np.ndarray], tuple[float, float]]:
    def of(rows: np.ndarray) -> tuple[float, float]:
        first, second = (metric.values(name, t.take(rows), context)[value] for t in tables)
        return first, second

    return of


def comparison_table(rows: Sequence[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = ["| head | figure | clips | first | second | difference (95 %) | p | p (Holm) |", "|---" * 8 + "|"]
    for r in rows:
        also = f" (DeLong {r['delong_p']:.3f})" if "delong_p" in r else ""
        lines.append(
            f"| {r['head']} | {r['metric']} | {r['clips']} | {r['first']:.3f} | {r['second']:.3f} | "
            f"{r['difference']:+.3f} ({r['low']:+.3f} to {r['high']:+.3f}) | {r['p']:.3f}{also} | {r['holm']:.3f} |"
        )
    return "\n".join(lines) + "\n"
