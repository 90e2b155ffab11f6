"""Metrics, each broken in one way; and sound ones that no check may complain of."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from avdetect.evaluation.metric import Context, Metric
from avdetect.evaluation.table import ScoreTable


def gap(table: ScoreTable, context: Context) -> float:
    """Mean rank of forged clips less that of genuine ones; nothing is wrong with it."""
    v = context.view(table)
    if not len(v.positive) or not len(v.negative):
        return float("nan")
    ranks = np.searchsorted(np.sort(v.scores), v.scores) / len(v.scores)
    return float(ranks[v.labels].mean() - ranks[~v.labels].mean())


def errors(table: ScoreTable, context: Context) -> dict[str, float]:
    """Misses and alarms at the threshold; nothing is wrong with it."""
    v = context.view(table)
    assert context.threshold is not None
    hit, alarm = v.positive >= context.threshold, v.negative >= context.threshold
    return {
        "misses": float((~hit).mean()) if len(hit) else float("nan"),
        "alarms": float(alarm.mean()) if len(alarm) else float("nan"),
    }


def metric(function: Callable[[ScoreTable, Context], Any], title: str = "made up", **more: Any) -> Metric:
    """A metric for which higher is better, unless something else is said."""
    return Metric(function, title, **{"api_version": 1, **more})


def more(change: Callable[[float, ScoreTable, Context], Any]) -> Callable[[ScoreTable, Context], Any]:
    """`gap`, and something wrong."""
    return lambda table, context: change(gap(table, context), table, context)


class WithoutWhyNot:
    api_version, title, per_head, needs, also, better = 1, "no why_not", True, (), (), "higher"

    def values(self, name: str, table: ScoreTable, context: Context) -> dict[str, float]:
        """See `Metric`."""
        return {name: gap(table, context)}


class Numbers(WithoutWhyNot):
    """Gives what its function gives."""

    about = "numbers"

    def __init__(self, made: Callable[[str, float], Any]):
        self.made = made

    def why_not(self, table: ScoreTable, context: Context) -> str:
        """See `Metric`."""
        return ""

    def values(self, name: str, table: ScoreTable, context: Context) -> Any:
        """See `Metric`."""
        return self.made(name, gap(table, context))


class Refusing(Numbers):
    def why_not(self, table: ScoreTable, context: Context) -> str:
        return "it is Wednesday"


def _share_without(value: float, table: ScoreTable, context: Context) -> float:
    """Counts a clip without a score as wrong, without saying so."""
    return value * float(np.isfinite(table.numbers(context.head.column)).mean()) if len(table) else value


def _half_for_nothing(table: ScoreTable, context: Context) -> float:
    """Takes an abstention for one half."""
    scores = np.nan_to_num(table.numbers(context.head.column), nan=0.5)
    fake = table.fake()
    return float(scores[fake == 1].mean() - scores[fake == 0].mean())


def _divides(table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    return sum(v.positive.tolist()) / len(v.positive) - sum(v.negative.tolist()) / len(v.negative)


def _picks(table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    return gap(table, context) if v.positive[0] > -99 and v.negative[0] > -99 else 0.0


def _by_ticks(value: float, table: ScoreTable, context: Context) -> float:
    """Uses a column that it does not name."""
    return value if not len(table) else value * float(np.nan_to_num(table.numbers("ticks")).mean()) / 100


def _first_counts(value: float, table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    return value + 0.01 * float(v.labels[0]) if len(v.labels) else value


def _remembers(value: float, table: ScoreTable, context: Context) -> float:
    """Keeps its result for tables of a length, as if bootstrap drew the same clips again."""
    return context.cache.setdefault(("made up", len(table)), value)


def _of_chance(value: float, table: ScoreTable, context: Context) -> float:
    return value + 1e-6 * random.random()


def _sorts(table: ScoreTable, context: Context) -> float:
    """Leaves the table without labels."""
    value = gap(table, context)
    for name in ("method", "split"):
        if len(table):
            table[name][0] = "seen"
    return value


def _threshold(table: ScoreTable, context: Context) -> float:
    """Needs a threshold without saying so."""
    assert context.threshold is not None, "no threshold"
    return gap(table, context)


SOUND = [metric(gap), metric(errors, also=("threshold",), better="lower")]
BROKEN: dict[str, list[Any]] = {
    "api_version": [metric(gap, "of another version", api_version=2), Metric(gap, "of none")],
    "declared": [
        WithoutWhyNot(),
        metric(gap, ""),
        metric(gap, "of a list", needs=["ticks"]),
        metric(gap, "of an unknown need", also=("weather",)),
        metric(gap, "of no direction", better="more"),
        Refusing(lambda name, value: {name: value}),
    ],
    "numbers": [
        Numbers(lambda name, value: value),
        Numbers(lambda name, value: {}),
        Numbers(lambda name, value: {"other": value}),
        Numbers(lambda name, value: {name: f"{value:.2f}"}),
        metric(more(lambda value, table, context: float("inf")), "infinite"),
        metric(more(lambda value, table, context: float("nan")), "never measured"),
        metric(_threshold, "in need of a threshold"),
    ],
    "deterministic": [metric(more(_of_chance), "of chance")],
    "orientation": [
        metric(gap, "the wrong way round", better="lower"),
        metric(more(lambda value, table, context: value**2), "of no direction"),
        metric(more(lambda value, table, context: 0.5), "always one half"),
        metric(more(lambda value, table, context: -abs(value)), "best for constant scores"),
    ],
    "known_values": [metric(more(lambda value, table, context: value + 0.1), "a tenth too high")],
    "unscored": [
        metric(more(_share_without), "less for what has no score"),
        metric(_half_for_nothing, "one half for nothing", also=("probability",)),
    ],
    "single_class": [metric(_divides, "divides by nothing"), metric(_picks, "takes the first")],
    "missing_columns": [metric(more(_by_ticks), "of a column that it does not name")],
    "order": [metric(more(_first_counts), "the first counts more")],
    "resampling": [metric(more(_remembers), "remembers")],
    "input_kept": [metric(_sorts, "writes")],
}
