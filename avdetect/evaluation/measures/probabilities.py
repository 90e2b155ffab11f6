"""Whether the verdict's probabilities are frequencies.

They are stated for a prior of one half. ``ece_even``, ``cllr`` and ``min_cllr`` count both classes alike, as that prior
does; ``brier``, ``nll`` and ``ece`` are of the clips as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from avdetect.evaluation.metric import Context, Metric, View
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics import calibration_errors as errors


def _of(function: Callable[[View], float]) -> Callable[[ScoreTable, Context], float]:
    def measured(table: ScoreTable, context: Context) -> float:
        v = context.view(table)
        return function(v) if len(v.scores) else float("nan")

    return measured


def _even(v: View) -> float:
    return errors.expected_calibration_error(v.scores, v.labels, weights=errors.even_weights(v.labels))


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Logits, kept finite."""
    p = np.clip(probability, errors.LEAST, 1 - errors.LEAST)
    return np.log(p) - np.log1p(-p)


_also = ("probability",)
BRIER = Metric(
    _of(lambda v: errors.brier(v.scores, v.labels)), "Brier score", also=_also, better="lower", api_version=1
)
NLL = Metric(
    _of(lambda v: errors.log_loss(v.scores, v.labels)), "log loss (nats)", also=_also, better="lower", api_version=1
)
ECE = Metric(
    _of(lambda v: errors.expected_calibration_error(v.scores, v.labels)),
    "ECE",
    also=_also,
    better="lower",
    api_version=1,
)
ECE_EVEN = Metric(_of(_even), "ECE, even prior", also=_also, better="lower", api_version=1)
CLLR = Metric(
    _of(lambda v: errors.cllr(log_odds(v.positive), log_odds(v.negative))),
    "Cllr (bits)",
    also=_also,
    better="lower",
    api_version=1,
)
MIN_CLLR = Metric(
    _of(lambda v: errors.min_cllr(v.positive, v.negative)), "least Cllr (bits)", better="lower", api_version=1
)
