"""Decisions at the threshold that validation clips gave."""

from __future__ import annotations

from avdetect.evaluation.metric import Context, Metric
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.thresholds import accuracy, balanced_accuracy


def _accuracy(table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    assert context.threshold is not None
    return accuracy(v.positive, v.negative, context.threshold)


def _balanced(table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    assert context.threshold is not None
    return balanced_accuracy(v.positive, v.negative, context.threshold)


ACCURACY = Metric(_accuracy, "accuracy", also=("threshold",), api_version=1)
BALANCED_ACCURACY = Metric(_balanced, "balanced accuracy", also=("threshold",), api_version=1)
