"""What is left of the verdict when files are shared the way people share them: halved, compressed hard, thin sound.

The files themselves are coded again and scored from end to end, faces found anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from avdetect import metrics
from avdetect.data.columns import flag
from avdetect.data.shared_copies import Sharing, compress
from avdetect.detector import Detector
from avdetect.evaluation.kept_json import read_json, write_json
from avdetect.inference import score_file
from avdetect.media.errors import MediaError
from avdetect.report.schema import Report

ROUNDS = 1000
LABELS = {"visual": "visual_fake", "audio": "audio_fake"}
"""Branches whose forgeries these files have, and the columns that say which."""


def compressed_rows(
    files: Sequence[tuple[Path, str, dict[str, Any]]],
    detector: Detector,
    *,
    keep: Path,
    sharing: Sharing,
    progress: Callable[[int], None] | None = None,
) -> list[dict[str, Any]]:
    """What is said of files as they are and compressed: probabilities of the verdict and of each branch.

    Args:
        files: path, name and index row (``visual_fake``, ``audio_fake``, ``identity``) of each.
        detector: with its calibration.
        keep: folder where finished rows are kept.
        sharing: how they are coded again.
        progress: called with the number of finished files.
    """
    how = {"model": detector.card.get("sha256"), **asdict(sharing)}
    found = []
    for n, (path, name, row) in enumerate(files, 1):
        done = keep / f"{name.replace('/', '__')}.json"
        stored = read_json(done)
        if stored.get("how") != how:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "copy.mp4"
                try:
                    before = _said(score_file(path, detector))
                    compress(path, copy, sharing)
                    stored = {"how": how, "before": before, "after": _said(score_file(copy, detector))}
                except MediaError as error:
                    nothing = dict.fromkeys(("verdict", *LABELS))
                    stored = {"how": how, "before": nothing, "after": nothing, "error": str(error)}
            write_json(done, stored)
        flags = {branch: flag(row.get(label)) for branch, label in LABELS.items()}
        person = f"{row.get('source')}/{row.get('identity') or name}"
        found.append({"path": name, "fake": flags | {"verdict": any(flags.values())}, "person": person, **stored})
        if progress is not None:
            progress(n)
    return found


def _said(report: Report) -> dict[str, float | None]:
    """Of the verdict, and of each branch where it is most suspicious."""
    found: dict[str, float | None] = {"verdict": report.probability_fake}
    for branch in LABELS:
        values = [getattr(t, branch).probability_fake for t in report.tracks]
        found[branch] = max((v for v in values if v is not None), default=None)
    return found


def compression_figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """AUC before and after and the loss, with intervals over people, of the verdict and of each branch.

    Of each only files count of which it says something both times.
    """
    return {"files": len(rows), "rows": [_lost(name, rows) for name in ("verdict", *LABELS)]}


def _lost(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    known = [r for r in rows if r["fake"][name] is not None and r["before"][name] is not None]
    kept = [r for r in known if r["after"][name] is not None]
    fake = np.array([r["fake"][name] for r in kept], bool)
    values = {when: np.array([r[when][name] for r in kept], float) for when in ("before", "after")}

    def auc(when: str, i: np.ndarray) -> float:
        return metrics.auc(values[when][i][fake[i]], values[when][i][~fake[i]])

    def lost(i: np.ndarray) -> float:
        return auc("before", i) - auc("after", i)

    people, every = [r["person"] for r in kept], np.arange(len(kept))
    figures: dict[str, Any] = {"title": name, "scored": len(kept), "forged": int(fake.sum())}
    for when in ("before", "after"):
        figures[when] = auc(when, every)
        figures[f"{when}_ci"] = list(metrics.bootstrap(lambda i, w=when: auc(w, i), people, rounds=ROUNDS))
    figures["silent_after"] = len(known) - len(kept)
    return figures | {"lost": lost(every), "lost_ci": list(metrics.bootstrap(lost, people, rounds=ROUNDS))}
