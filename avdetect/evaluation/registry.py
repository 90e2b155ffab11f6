"""Figures of merit by name; one more is one new file and one line here."""

from __future__ import annotations

from avdetect.registry import Registry

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
