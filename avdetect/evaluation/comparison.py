"""Two detectors on the same clips: differences, intervals, and probabilities corrected for being several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from avdetect.evaluation.metric import HEADS, Context, Head, Metric, view
from avdetect.evaluation.registry import metric_called
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.paired import delong, holm, paired_bootstrap


def compare(
    first: ScoreTable, second: ScoreTable, *, metrics: Sequence[str] = ("auc", "ap", "eer", "ece"), rounds: int = 1000
) -> list[dict[str, Any]]:
    """Second minus first for each head and metric, on the clips that both scored.

    A metric that looks at no head's scores is compared once, as of the head ``clips``. The bootstrap resamples people;
    DeLong's test of the AUC, given beside it, takes clips to be independent. ``holm`` corrects the bootstrap's
    probabilities over all rows.

    Raises:
        ValueError: the tables have no clip in common.
    """
    place = {key: i for i, key in enumerate(second["key"])}
    rows = [(i, place[key]) for i, key in enumerate(first["key"]) if key in place]
    if not rows:
        raise ValueError("the two tables have no clip in common; score the same records with both bundles")
    a, b = (t.take(np.array(n)) for t, n in zip((first, second), zip(*rows, strict=True), strict=True))
    chosen: dict[str, Metric] = {name: metric_called(name) for name in metrics}
    out: list[dict[str, Any]] = []
    for head in HEADS.values():
        names = (head.column, head.swapped) if head.swapped else (head.column,)
        both = np.all([np.isfinite(t.numbers(n)) for t in (a, b) for n in names], axis=0)
        x, y = a.take(np.flatnonzero(both)), b.take(np.flatnonzero(both))
        v, w = view(x, head), view(y, head)
        if min(len(v.positive), len(v.negative)) < 3:
            continue
        for name, metric in chosen.items():
            for row in _differences(metric, name, (x, y), head, rounds) if metric.per_head else ():
                row |= {"head": head.name, "clips": len(v.scores)}
                if name == "auc":
                    row["delong_p"] = delong((v.positive, v.negative), (w.positive, w.negative)).p
                out.append(row)
    for name, metric in chosen.items():
        if not metric.per_head:
            x, y = _told_by_both(metric, a, b)
            found = _differences(metric, name, (x, y), HEADS["verdict"], rounds)
            out += [{**row, "head": "clips", "clips": len(x)} for row in found]
    for row, p in zip(out, holm([r["p"] for r in out]), strict=True):
        row["holm"] = p
    return out


def _told_by_both(metric: Metric, a: ScoreTable, b: ScoreTable) -> tuple[ScoreTable, ScoreTable]:
    """The clips on which neither failed and of which both have, or both lack, what the metric needs."""
    use = np.array([not (e or f) for e, f in zip(a["error"], b["error"], strict=True)], bool)
    for column in metric.needs:
        use &= np.array([(v is None) == (w is None) for v, w in zip(a[column], b[column], strict=True)], bool)
    return a.take(np.flatnonzero(use)), b.take(np.flatnonzero(use))


def _differences(
    metric: Metric, name: str, tables: tuple[ScoreTable, ScoreTable], head: Head, rounds: int
) -> list[dict[str, Any]]:
    """A row for each value of a metric; none where it cannot be measured on both tables."""
    # A context each: metrics keep in it what they found of a clip.
    of = [(table, Context(head)) for table in tables]
    if not len(tables[0]) or any(metric.why_not(table, context) for table, context in of):
        return []
    people = tables[0].clusters().tolist()

    def both(value: str) -> Callable[[np.ndarray], tuple[float, float]]:
        def values(rows: np.ndarray) -> tuple[float, float]:
            first, second = (metric.values(name, table.take(rows), context)[value] for table, context in of)
            return first, second

        return values

    return [
        {"metric": value, **asdict(paired_bootstrap(both(value), people, rounds=rounds))}
        for value in metric.values(name, *of[0])
    ]


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
