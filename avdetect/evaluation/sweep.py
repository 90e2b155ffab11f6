"""AUC and ECE of the verdict as picture or sound get worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from avdetect.augment.corruptions import PICTURE_CORRUPTIONS, SEVERITIES, SOUND_CORRUPTIONS, corrupt_clip
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.evaluation.metric import HEADS, Context, Metric, view
from avdetect.evaluation.registry import METRICS
from avdetect.evaluation.results import measured
from avdetect.evaluation.scoring import score_records
from avdetect.evaluation.table import ScoreTable

KINDS = (*PICTURE_CORRUPTIONS, *SOUND_CORRUPTIONS)


def sweep(
    detector: Detector,
    store: RecordStore,
    rows: Sequence[int],
    out: Path,
    *,
    kinds: Sequence[str] = KINDS,
    severities: Sequence[int] = SEVERITIES,
    rounds: int = 200,
    evidence: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[dict[str, Any]]:
    """Score clean and corrupted clips into ``out`` (one table each; finished ones are kept) and measure them.

    ``evidence`` as `avdetect.evaluation.scoring.score_records`.
    """
    found = []
    for kind, severity in [("clean", 0), *((k, s) for k in kinds for s in severities)]:
        if progress is not None:
            progress(f"{kind} {severity}")

        def change(clip: Any, key: str, kind: str = kind, severity: int = severity) -> Any:
            return corrupt_clip(clip, kind, severity, key)

        path = out / f"{kind}-{severity}.parquet"
        how: dict[str, Any] = {"change": change, "changed": f"{kind} {severity}"} if severity else {}
        table = score_records(detector, store, rows, path, evidence=evidence, **how)
        found.append({"kind": kind, "severity": severity, **_figures(table, rounds)})
    return found


def _figures(table: ScoreTable, rounds: int) -> dict[str, Any]:
    head = HEADS["verdict"]
    metrics: dict[str, Metric] = {n: METRICS.get(n) for n in ("auc", "ece")}
    v = view(table, head)
    return {"scored": len(v.scores), "labelled": v.labelled, **measured(table, metrics, Context(head), rounds=rounds)}


def sweep_table(found: Sequence[dict[str, Any]]) -> str:
    """As Markdown, a row for each kind and severity."""
    lines = ["| corruption | severity | scored | AUC (95 %) | ECE (95 %) |", "|---|---|---|---|---|"]
    for r in found:
        cells = [_cell(r[n]) for n in ("auc", "ece")]
        lines.append(f"| {r['kind']} | {r['severity']} | {r['scored']} / {r['labelled']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(found: dict[str, Any]) -> str:
    if found.get("value") is None:
        return found.get("why_not") or "–"
    low, high = (("–" if x is None else f"{x:.3f}") for x in found["ci"])
    return f"{found['value']:.3f} ({low}–{high})"
