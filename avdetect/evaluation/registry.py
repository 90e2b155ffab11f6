"""Figures of merit by name; one more is one new file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avdetect.registry import Registry

if TYPE_CHECKING:
    from avdetect.evaluation.metric import Context, Metric
    from avdetect.evaluation.table import ScoreTable

METRICS = Registry(
    "metric",
    "avdetect.metrics",
    {
        "auc": "avdetect.evaluation.measures.ranking:AUC",
        "ap": "avdetect.evaluation.measures.ranking:AP",
        "eer": "avdetect.evaluation.measures.ranking:EER",
        "tpr_at_fpr": "avdetect.evaluation.measures.ranking:TPR_AT_FPR",
        "accuracy": "avdetect.evaluation.measures.decisions:ACCURACY",
        "balanced_accuracy": "avdetect.evaluation.measures.decisions:BALANCED_ACCURACY",
        "brier": "avdetect.evaluation.measures.probabilities:BRIER",
        "nll": "avdetect.evaluation.measures.probabilities:NLL",
        "ece": "avdetect.evaluation.measures.probabilities:ECE",
        "ece_even": "avdetect.evaluation.measures.probabilities:ECE_EVEN",
        "cllr": "avdetect.evaluation.measures.probabilities:CLLR",
        "min_cllr": "avdetect.evaluation.measures.probabilities:MIN_CLLR",
        "four_way": "avdetect.evaluation.measures.four_way:FOUR_WAY",
        "offset_accuracy": "avdetect.evaluation.measures.lips:OFFSET_ACCURACY",
        "lse": "avdetect.evaluation.measures.lips:LSE",
        "segment_ap": "avdetect.evaluation.measures.stretches:SEGMENT_AP",
        "segment_ar": "avdetect.evaluation.measures.stretches:SEGMENT_AR",
    },
)


class _Watched:
    """A metric from outside: where it fails, the error says whose it is."""

    def __init__(self, name: str, metric: Metric):
        self._name, self._metric = name, metric

    def __getattr__(self, name: str) -> Any:
        return getattr(self._metric, name)

    def why_not(self, table: ScoreTable, context: Context) -> str:
        try:
            return str(self._metric.why_not(table, context))
        except Exception as error:
            raise METRICS.blame(self._name, f"why_not() failed: {type(error).__name__}: {error}") from error

    def values(self, name: str, table: ScoreTable, context: Context) -> dict[str, float]:
        try:
            return {str(key): float(value) for key, value in self._metric.values(name, table, context).items()}
        except Exception as error:
            raise METRICS.blame(self._name, f"it failed: {type(error).__name__}: {error}") from error


def metric_called(name: str) -> Metric:
    """The metric of that name.

    Raises:
        PluginError: it cannot be used; later, from its methods: it failed.
    """
    metric = METRICS.get(name)
    return metric if name in METRICS.builtins() else _Watched(name, metric)  # type: ignore[return-value]
