"""How well a head's scores rank forged clips above genuine ones."""

from __future__ import annotations

from avdetect.evaluation.metric import Context, Metric
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics import auc, eer
from avdetect.metrics.ranking import average_precision, hits_at_alarms

RATES = (0.01, 0.05)


def _auc(table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    return auc(v.positive, v.negative)


def _ap(table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    return average_precision(v.positive, v.negative) if len(v.negative) else float("nan")


def _eer(table: ScoreTable, context: Context) -> float:
    v = context.view(table)
    return eer(v.positive, v.negative)


def _hits(table: ScoreTable, context: Context) -> dict[str, float]:
    v = context.view(table)
    return {f"{rate:.0%}": hits_at_alarms(v.positive, v.negative, rate) for rate in RATES}


AUC = Metric(_auc, "AUC", api_version=1)
AP = Metric(_ap, "average precision", api_version=1)
EER = Metric(_eer, "equal error rate", better="lower", api_version=1)
TPR_AT_FPR = Metric(_hits, "TPR at FPR", api_version=1)
