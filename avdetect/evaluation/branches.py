"""AUC, calibration and false alarms of the branches and the verdict on prepared clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from avdetect import metrics
from avdetect.calibration_fit import Measured, combined_logit, mean_logit, measure
from avdetect.data.store import RecordStore
from avdetect.detector import Detector

Row = dict[str, Any]


def branch_rows(detector: Detector, store: RecordStore, rows: Sequence[int]) -> list[Row]:
    """Mean logits, probabilities and labels of the clips."""
    measured = measure(detector, store, rows)
    return [_row(store.index[c.row], c, detector) for c in measured]


def _row(row: dict[str, Any], clip: Measured, detector: Detector) -> Row:
    calibration = detector.calibration
    combined = combined_logit(clip.own.track, calibration)
    return {
        "path": row["path"],
        "folder": str(row["path"]).split("/")[0],
        "generator": row.get("generator") or "",
        "identity": clip.identity,
        "visual_fake": clip.visual_fake,
        "audio_fake": clip.audio_fake,
        "visual": mean_logit(clip.own.visual_ticks),
        "audio": mean_logit(clip.own.audio_ticks),
        "sync": mean_logit(clip.own.sync_ticks),
        "sync_swapped": mean_logit(clip.swapped.sync_ticks) if clip.swapped else float("nan"),
        "ticks": clip.own.track.n_ticks,
        "probability": float(calibration.verdict.probability(combined)),
        "calibration": calibration,
    }


def branch_table(rows: Sequence[Row]) -> tuple[str, dict[str, Any]]:
    """Markdown tables and the figures behind them."""
    lines = ["| branch | positives | negatives | n | AUC (95 % interval) |", "|---|---|---|---|---|"]
    figures: dict[str, Any] = {"auc": {}}

    def add(branch: str, what: str, positive: list[Row], negative: list[Row], of: Callable[[Row], float]) -> None:
        positive = [r for r in positive if np.isfinite(of(r))]
        negative = [r for r in negative if np.isfinite(of(r))]
        if len(positive) < 3 or len(negative) < 3:
            return
        value, low, high = clustered_auc(positive, negative, of)
        lines.append(
            f"| {branch} | {what} | genuine | {len(positive)} / {len(negative)} | {value:.3f} ({low:.3f}–{high:.3f}) |"
        )
        figures["auc"][f"{branch}: {what}"] = [value, low, high, len(positive), len(negative)]

    real_face = [r for r in rows if r["visual_fake"] is False]
    real_voice = [r for r in rows if r["audio_fake"] is False]
    genuine = [r for r in real_face if r["audio_fake"] is False]
    fake_face = [r for r in rows if r["visual_fake"]]
    fake_voice = [r for r in rows if r["audio_fake"]]
    add("visual", "all forged faces", fake_face, real_face, lambda r: r["visual"])
    for folder in sorted({r["folder"] for r in fake_face}):
        add("visual", folder, [r for r in fake_face if r["folder"] == folder], real_face, lambda r: r["visual"])
    add("audio", "all false voices", fake_voice, real_voice, lambda r: r["audio"])
    for name in sorted({r["generator"] for r in fake_voice}):
        add("audio", name, [r for r in fake_voice if r["generator"] == name], real_voice, lambda r: r["audio"])
    swapped = [{**r, "sync": r["sync_swapped"]} for r in genuine]
    add("sync", "another clip's sound", swapped, genuine, lambda r: r["sync"])
    for low, high in ((0, 50), (50, 100), (100, 10**6)):
        text = f"another clip's sound, {low / 25:g}–{high / 25:g} s" if high < 10**6 else "another clip's sound, > 4 s"
        own = [r for r in genuine if low <= r["ticks"] < high]
        add("sync", text, [r for r in swapped if low <= r["ticks"] < high], own, lambda r: r["sync"])
    forged = [r for r in rows if r["visual_fake"] or r["audio_fake"]]
    add("verdict", "anything forged", forged, genuine, lambda r: r["probability"])
    figures |= _verdict_figures(forged, genuine)
    lines += ["", "| verdict | value |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {figures[name]:.3f} |" for name in VERDICT_FIGURES if name in figures]
    return "\n".join(lines) + "\n", figures


VERDICT_FIGURES = ("genuine_called_fake", "genuine_called_real", "forged_called_fake", "forged_called_real", "ece")


def _verdict_figures(forged: list[Row], genuine: list[Row]) -> dict[str, float]:
    both = [r for r in (*forged, *genuine) if np.isfinite(r["probability"])]
    if not both:
        return {}
    probability = np.array([r["probability"] for r in both])
    fake = np.array([bool(r["visual_fake"] or r["audio_fake"]) for r in both])
    calibration = both[0]["calibration"]
    called_fake, called_real = probability >= calibration.fake_above, probability <= calibration.real_below
    return {
        "genuine_called_fake": float(called_fake[~fake].mean()) if (~fake).any() else float("nan"),
        "genuine_called_real": float(called_real[~fake].mean()) if (~fake).any() else float("nan"),
        "forged_called_fake": float(called_fake[fake].mean()) if fake.any() else float("nan"),
        "forged_called_real": float(called_real[fake].mean()) if fake.any() else float("nan"),
        "ece": metrics.expected_calibration_error(probability, fake),
    }


def clustered_auc(
    positive: list[Row], negative: list[Row], of: Callable[[Row], float], *, rounds: int = 500
) -> tuple[float, float, float]:
    """AUC with a bootstrap interval that resamples people."""
    scores = np.array([of(r) for r in (*positive, *negative)])
    label = np.arange(len(scores)) < len(positive)
    people = [r["identity"] for r in (*positive, *negative)]

    def auc(i: np.ndarray) -> float:
        return metrics.auc(scores[i][label[i]], scores[i][~label[i]])

    low, high = metrics.bootstrap(auc, people, rounds=rounds)
    return auc(np.arange(len(scores))), low, high
