"""Everything that is reported of a score table: figures with intervals, slices, shortcuts, coverage."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from avdetect.calibration import fit_isotonic, fit_platt, fit_temperature, sigmoid
from avdetect.evaluation.kept_json import plain
from avdetect.evaluation.measures.probabilities import log_odds
from avdetect.evaluation.metric import HEADS, Context, Head, Metric, View, view
from avdetect.evaluation.registry import METRICS, metric_called
from avdetect.evaluation.shortcuts import shortcut_auc
from avdetect.evaluation.table import ScoreTable, check_disjoint
from avdetect.metrics.calibration_errors import brier, expected_calibration_error, log_loss
from avdetect.metrics.intervals import percentiles, resamples
from avdetect.metrics.thresholds import fit_threshold

SCHEMA = "avdetect.evaluation/1"
FEW = 10
"""Fewer clips of a class than this are marked as few; below three nothing is stated."""


def results(
    table: ScoreTable,
    validation: ScoreTable | None = None,
    *,
    metrics: Sequence[str] = (),
    rounds: int = 500,
) -> dict[str, Any]:
    """Figures of a table as plain JSON types; NaN is ``None``.

    Args:
        table: what is reported on.
        validation: of other people; without it nothing that needs a threshold is stated.
        metrics: names; all that are built in if none is named.
        rounds: of the bootstrap, by person.

    Raises:
        ValueError: the two tables share clips, groups or people.
        PluginError: an unknown metric (a ``KeyError`` too), or one from outside that cannot be used or failed.
    """
    if validation is not None:
        check_disjoint(table, validation)
    chosen: dict[str, Metric] = {name: metric_called(name) for name in metrics or METRICS.builtins()}
    failed = int(sum(bool(e) for e in table["error"]))
    out: dict[str, Any] = {
        "schema": SCHEMA,
        "about": dict(table.about),
        "coverage": {
            "clips": len(table),
            "failed": failed,
            "people": len(set(table.clusters())),
            "rejected": table.about.get("rejected"),
        },
        "heads": {},
    }
    for head in HEADS.values():
        v, context = view(table, head), Context(head)
        if not len(v.scores):
            continue
        if validation is not None:
            w = view(validation, head)
            if len(w.positive) and len(w.negative):
                context.threshold = fit_threshold(w.positive, w.negative)
        per_head = {n: m for n, m in chosen.items() if m.per_head}
        out["heads"][head.name] = {
            "labelled": v.labelled,
            "scored": len(v.scores),
            "forged": len(v.positive),
            "genuine": len(v.negative),
            "threshold": context.threshold,
            "metrics": measured(table, per_head, context, rounds=rounds),
            "calibrated": {} if validation is None else recalibrated(v, view(validation, head), head),
            "slices": {} if head.swapped else _slices(table, context, rounds),
        }
    out["clips"] = measured(table, {n: m for n, m in chosen.items() if not m.per_head}, Context(), rounds=rounds)
    fake = [None if math.isnan(x) else bool(x) for x in table.fake()]
    out["shortcuts"] = shortcut_auc(table.rows(), fake, table.clusters().tolist())
    return plain(out)


def measured(table: ScoreTable, metrics: dict[str, Metric], context: Context, *, rounds: int) -> dict[str, Any]:
    """Each metric's values with 95 % intervals, all from the same resamples, or ``why_not``."""
    skipped = {n: {"why_not": why} for n, m in metrics.items() if (why := m.why_not(table, context))}
    used = {n: m for n, m in metrics.items() if n not in skipped}

    def every(part: ScoreTable) -> dict[str, float]:
        return {k: x for n, m in used.items() for k, x in m.values(n, part, context).items()}

    whole = every(table)
    drawn = [list(every(table.take(r)).values()) for r in resamples(table.clusters().tolist(), rounds=rounds)]
    low, high = percentiles(np.array(drawn, float).reshape(len(drawn), len(whole)))
    return {
        **{k: {"value": x, "ci": [low[i], high[i]]} for i, (k, x) in enumerate(whole.items())},
        **skipped,
    }


def recalibrated(v: View, w: View, head: Head) -> dict[str, dict[str, float]]:
    """ECE, Brier score and log loss as they are and after maps fitted on validation clips ``w``."""
    as_logits = log_odds if head.probability else np.asarray
    x, held = as_logits(v.scores), as_logits(w.scores)
    if min(len(v.scores), len(w.positive), len(w.negative)) == 0:
        return {}
    out = {}
    fits: dict[str, Callable[..., Any]] = {"temperature": fit_temperature, "Platt": fit_platt, "isotonic": fit_isotonic}
    for name, fit in {"before": None, **fits}.items():
        try:
            p = sigmoid(x) if fit is None else fit(held, w.labels).probability(x)
        except ValueError:  # the scores rank the wrong way round there: nothing to scale
            continue
        out[name] = {
            "ece": expected_calibration_error(p, v.labels),
            "brier": brier(p, v.labels),
            "nll": log_loss(p, v.labels),
        }
    return out


def _slices(table: ScoreTable, context: Context, rounds: int) -> dict[str, Any]:
    """AUC of each method against all genuine clips, and within each data set and compression."""
    label = table.fake() if context.head.label == "fake" else table.numbers(context.head.label)
    auc: dict[str, Metric] = {"auc": METRICS.get("auc")}
    out: dict[str, Any] = {}
    for column in ("method", "source", "compression"):
        values = np.array([str(x or "") for x in table[column]])
        for value in sorted({x for x in values[label == 1] if x}):
            mask = (values == value) & (label == 1) | ((label == 0) & ((column == "method") | (values == value)))
            part = table.take(np.flatnonzero(mask))
            v = context.view(part)
            least = min(len(v.positive), len(v.negative))
            entry: dict[str, Any] = {"forged": len(v.positive), "genuine": len(v.negative), "few": least < FEW}
            if least >= 3:
                entry |= measured(part, auc, context, rounds=min(rounds, 200))["auc"]
            out.setdefault(column, {})[value] = entry
    return out


def summary(found: dict[str, Any]) -> str:
    """What a reader asks first, in lines that fit a terminal: heads with their AUC, coverage, shortcut baseline."""
    c = found["coverage"]
    lines = [f"{c['clips']} clips of {c['people']} people, {c['failed']} failed"]
    if c.get("rejected"):
        lines.append(f"{c['rejected']} files or clips were rejected in preparation (all splits)")
    lines.append(f"{'':10}{'forged':>8}{'genuine':>9}   {'AUC (95 %)':24}{'EER':>7}{'ECE':>8}")
    for name, head in found["heads"].items():
        values = head["metrics"]

        def cell(metric: str, values: dict[str, Any] = values) -> str:
            value = values.get(metric, {}).get("value")
            return "–" if value is None else f"{value:.3f}"

        low, high = (values.get("auc", {}).get("ci") or [None, None])[:2]
        interval = "" if low is None or high is None else f" ({low:.3f}–{high:.3f})"
        counts = f"{name:10}{head['forged']:8}{head['genuine']:9}"
        lines.append(f"{counts}   {cell('auc') + interval:24}{cell('eer'):>7}{cell('ece'):>8}")
    s = found["shortcuts"]
    lines.append("file alone (codecs, sizes, levels): " + (s["why"] if s["auc"] is None else f"AUC {s['auc']:.3f}"))
    return "\n".join(lines)


def markdown(found: dict[str, Any]) -> str:
    """The figures as tables."""
    c = found["coverage"]
    lines = [f"{c['clips']} clips of {c['people']} people; {c['failed']} failed and have no score."]
    for name, head in found["heads"].items():
        lines += ["", f"## {name}: {head['forged']} forged, {head['genuine']} genuine", ""]
        lines += [
            f"Scored {head['scored']} of {head['labelled']}.",
            "",
            "| figure | value (95 % interval) |",
            "|---|---|",
        ]
        lines += _lines(head["metrics"])
        if head["calibrated"]:
            lines += ["", "| scores | ECE | Brier | log loss |", "|---|---|---|---|"]
            for how, e in head["calibrated"].items():
                lines.append(f"| {how} | {e['ece']:.3f} | {e['brier']:.3f} | {e['nll']:.3f} |")
        for column, parts in head["slices"].items():
            lines += ["", f"| {column} | forged / genuine | AUC |", "|---|---|---|"]
            for value, e in parts.items():
                few = " (few)" if e["few"] else ""
                lines.append(f"| {value} | {e['forged']} / {e['genuine']}{few} | {_text(e)} |")
    lines += ["", "## All clips", "", "| figure | value (95 % interval) |", "|---|---|", *_lines(found["clips"])]
    s = found["shortcuts"]
    said = s["why"] if s["auc"] is None else f"AUC {_text({'value': s['auc'], 'ci': s['ci']})}"
    lines += ["", f"A classifier that sees only the file (container, codecs, sizes, levels): {said}."]
    return "\n".join(lines) + "\n"


def _lines(metrics: dict[str, Any]) -> list[str]:
    return [f"| {name} | {e.get('why_not') or _text(e)} |" for name, e in metrics.items()]


def _text(e: dict[str, Any]) -> str:
    if e.get("value") is None:
        return "–"
    low, high = e["ci"]
    return f"{e['value']:.3f}" + ("" if low is None else f" ({low:.3f}–{high:.3f})")
