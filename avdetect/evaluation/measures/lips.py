"""Lip sync on genuine clips: offsets found from little context, LSE-C and LSE-D."""

from __future__ import annotations

import numpy as np

from avdetect.evaluation.metric import Context, Metric
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.sync import CONTEXTS


def _offsets(table: ScoreTable, context: Context) -> dict[str, float]:
    del context
    counts = {k: np.zeros(2) for k in CONTEXTS}
    for fake, hits in zip(table.fake(), table["context_hits"], strict=True):
        if fake == 0 and hits:
            for k in CONTEXTS:
                counts[k] += hits.get(str(k), (0, 0))
    return {f"K={k}": float(h / n) if n else float("nan") for k, (h, n) in counts.items()}


def _lse(table: ScoreTable, context: Context) -> dict[str, float]:
    del context
    genuine = table.fake() == 0
    out = {}
    for name, column in (("C", "lse_c"), ("D", "lse_d")):
        values = table.numbers(column)[genuine]
        values = values[np.isfinite(values)]
        out[name] = float(values.mean()) if len(values) else float("nan")
    return out


OFFSET_ACCURACY = Metric(_offsets, "offset within one tick", needs=("context_hits",), per_head=False, api_version=1)
LSE = Metric(_lse, "lip-sync error", needs=("lse_c",), per_head=False, api_version=1)
