"""Real or forged picture and sound, from the four class probabilities."""

from __future__ import annotations

import numpy as np

from avdetect.evaluation.metric import Context, Metric
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.four_way import class_f1, confusion, macro_f1


def four_way_table(table: ScoreTable) -> np.ndarray:
    """Confusion of the clips whose picture and sound both have a label and that have class probabilities."""
    visual, audio = table.numbers("visual_fake"), table.numbers("audio_fake")
    use = [
        i
        for i, c in enumerate(table["classes"])
        if c is not None and np.isfinite(c).all() and np.isfinite(visual[i] + audio[i])
    ]
    truth = (visual[use] + 2 * audio[use]).astype(int)  # RVRA, FVRA, RVFA, FVFA
    found = np.array([int(np.argmax(table["classes"][i])) for i in use], int)
    return confusion(truth, found)


def _four_way(table: ScoreTable, context: Context) -> dict[str, float]:
    del context
    counts = four_way_table(table)
    total = counts.sum()
    return {
        "macro F1": macro_f1(counts),
        "accuracy": float(np.trace(counts) / total) if total else float("nan"),
        **{f"F1 {name}": value for name, value in class_f1(counts).items()},
    }


FOUR_WAY = Metric(_four_way, "four-way", needs=("classes",), per_head=False, api_version=1)
