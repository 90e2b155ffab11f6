"""Curves of the corruption sweep: how fast a detector gives way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avdetect.augment.corruptions import PICTURE_CORRUPTIONS, SOUND_CORRUPTIONS

FIGURES = (("auc", "AUC of the verdict"), ("ece", "ECE of the verdict"))
HALVES = (("picture", PICTURE_CORRUPTIONS), ("sound", SOUND_CORRUPTIONS))


def plot_sweep(found: Sequence[dict[str, Any]], path: Path) -> None:
    """Write one PNG of four panels: AUC and ECE against severity (0 = clean), for the picture and for the sound.

    Args:
        found: of `avdetect.evaluation.sweep.sweep`.
        path: of the PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    values = {n: {(r["kind"], r["severity"]): r[n].get("value") for r in found} for n, _ in FIGURES}
    for row, (name, title) in enumerate(FIGURES):
        clean = values[name].get(("clean", 0))
        for column, (half, kinds) in enumerate(HALVES):
            axis = axes[row][column]
            for kind in kinds:
                points = sorted((s, v) for (k, s), v in values[name].items() if k == kind and v is not None)
                if points:
                    start = [] if clean is None else [(0, clean)]
                    axis.plot(*zip(*start, *points, strict=True), "o-", markersize=4, label=kind.replace("_", " "))
            axis.set(title=f"{title}, {half} corrupted", xlabel="severity", ylabel=title.split()[0])
            axis.set_xticks(range(6))
            if not axis.has_data():
                axis.text(0.5, 0.5, "not measured", ha="center", transform=axis.transAxes)
            elif row == 0:
                axis.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, facecolor="white")
