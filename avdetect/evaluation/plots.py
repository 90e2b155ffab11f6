"""Plots of a score table: ROC, DET, reliability, offsets, risk against coverage."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avdetect.evaluation.metric import HEADS, view
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.calibration_errors import reliability
from avdetect.metrics.ranking import auc, roc


def plot_scores(table: ScoreTable, path: Path) -> None:
    """Write one PNG of five panels; a panel without clips says so."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from scipy.special import ndtri

    figure = Figure(figsize=(15, 8.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3).ravel()
    rates = np.array([0.01, 0.05, 0.2, 0.5, 0.8, 0.95])
    for head in HEADS.values():
        v = view(table, head)
        if min(len(v.positive), len(v.negative)) < 3:
            continue
        alarms, hits, _ = roc(v.positive, v.negative)
        axes[0].plot(alarms, hits, drawstyle="steps-post", label=f"{head.name}, AUC {auc(v.positive, v.negative):.3f}")
        inside = np.clip([alarms, 1 - hits], 1e-3, 1 - 1e-3)
        axes[1].plot(*ndtri(inside), label=head.name)
    axes[0].plot([0, 1], [0, 1], ":", color="grey")
    axes[0].set(title="ROC", xlabel="false-alarm rate", ylabel="hit rate")
    axes[1].set(title="DET", xlabel="false-alarm rate", ylabel="miss rate", xticks=ndtri(rates), yticks=ndtri(rates))
    axes[1].set_xticklabels([f"{r:.0%}" for r in rates])
    axes[1].set_yticklabels([f"{r:.0%}" for r in rates])
    v = view(table, HEADS["verdict"])
    if len(v.scores):
        stated, observed, share, _ = np.array(reliability(v.scores, v.labels)).T
        axes[2].plot(stated, observed, "o-")
        axes[2].bar(stated, share, width=0.04, alpha=0.3, label="share of clips")
        wrong = (v.scores >= 0.5) != v.labels
        order = np.argsort(-np.abs(v.scores - 0.5), kind="stable")
        n = np.arange(1, len(order) + 1)
        axes[4].plot(n / max(v.labelled, 1), np.cumsum(wrong[order]) / n)
    axes[2].plot([0, 1], [0, 1], ":", color="grey")
    axes[2].set(title="Reliability of the verdict", xlabel="stated probability", ylabel="share that is forged")
    axes[4].set(title="Risk against coverage", xlabel="share of clips answered, surest first", ylabel="share wrong")
    axes[4].set(xlim=(0, 1), ylim=(0, None))
    found = table.numbers("offset_ms") - np.nan_to_num(table.numbers("true_offset_ms"))
    found = found[(table.fake() == 0) & np.isfinite(found)]
    if len(found):
        axes[3].hist(found, bins=np.arange(-620, 621, 40))
    axes[3].set(
        title=f"Offset of {len(found)} genuine clips", xlabel="found less true, ms (sound late: +)", ylabel="clips"
    )
    axes[5].axis("off")
    for axis in axes[:5]:
        if not axis.has_data():
            axis.text(0.5, 0.5, "no clips", ha="center", transform=axis.transAxes)
        if axis.get_legend_handles_labels()[1]:
            axis.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, facecolor="white")
