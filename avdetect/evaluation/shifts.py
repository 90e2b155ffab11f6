"""Move the sound of a file by a known amount and see whether the audit finds it, from file to number."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from avdetect import metrics
from avdetect.calibration import Calibration
from avdetect.data.manifest import Entry
from avdetect.detector import Detector
from avdetect.evaluation.kept_json import read_json, write_json
from avdetect.inference import analyse
from avdetect.media.errors import MediaError
from avdetect.media.remux import remux_shifted
from avdetect.verdict.audit import audit_sync

_ROWS = 2
"""Of what is kept of a row: one more when something is added."""


def shift_rows(entry: Entry, amounts: Sequence[float], detector: Detector, *, keep: Path) -> list[dict[str, Any]]:
    """One row for each shift of a file: what was done and what the audit reads before and after.

    Args:
        entry: the file.
        amounts: milliseconds by which the sound is moved later.
        detector: whose audit is tested.
        keep: folder where finished rows are kept, so that a stopped evaluation goes on.
    """
    done = keep / f"{entry.name.replace('/', '__')}.json"
    wanted = {"amounts": list(amounts), "model": detector.card.get("sha256"), "rows": _ROWS}
    stored = read_json(done)
    if stored.get("wanted") == wanted:
        return [{**row, **_known(entry)} for row in stored["rows"]]
    rows = []
    try:
        before = _offsets(entry.path, detector)
        with tempfile.TemporaryDirectory() as folder:
            for amount in amounts:
                copy = Path(folder) / f"shifted{entry.path.suffix}"
                copy.unlink(missing_ok=True)
                remux_shifted(entry.path, copy, amount)
                rows.append(_row(entry, amount, before, _offsets(copy, detector)))
    except MediaError as error:
        return [
            {**_row(entry, amount, (None, None), (None, None)), "error": str(error)} for amount in amounts
        ]  # to be tried again
    write_json(done, {"wanted": wanted, "rows": rows})
    return rows


def _offsets(path: Path, detector: Detector) -> tuple[float | None, float | None]:
    """The offset that the audit reports, and the one that it would report were every one good enough."""
    found = analyse(path, detector)
    every = replace(detector.calibration, offset_confidence=0.0, offset_stability=0.0)
    return audit_sync(found, detector.calibration).offset_ms, audit_sync(found, every).offset_ms


def _row(
    entry: Entry,
    amount: float,
    before: tuple[float | None, float | None],
    after: tuple[float | None, float | None],
) -> dict[str, Any]:
    found, of_every = (None if b is None or a is None else a - b for b, a in zip(before, after, strict=True))
    return {
        **_known(entry),
        "shift_ms": amount,
        "before_ms": before[0],
        "after_ms": after[0],
        "found_ms": found,
        "found_any_ms": of_every,
    }


def _known(entry: Entry) -> dict[str, Any]:
    return {
        "path": entry.name,
        "folder": entry.name.split("/")[0],
        "label": entry.columns.get("label"),
        "identity": entry.columns.get("identity") or entry.name,
    }


def of_offsets(calibration: Calibration) -> Calibration:
    """Only what says where sound lies and whether that is reported: no scaling, no verdict."""
    plain = Calibration()
    verdict = ("visual", "audio", "sync", "verdict", "rule", "fake_above", "real_below", "fitted_on")
    return replace(calibration, **{name: getattr(plain, name) for name in verdict})


def shift_table(rows: Sequence[dict[str, Any]], *, tolerance_ms: float) -> tuple[str, dict[str, Any]]:
    """A Markdown table by folder and the figures. A shift that was not reported counts as not found.

    The column after that has the same were every offset reported, however faint.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("no shift was tried, so there is no share of those found")
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(f"{row['folder']} {row['label']}", []).append(row)
    lines = [
        f"| clips | shifts | found within ±{tolerance_ms:g} ms | were every offset reported | not reported "
        "| median error (reported), ms |",
        "|---|---|---|---|---|---|",
    ]
    figures: dict[str, Any] = {"tolerance_ms": tolerance_ms, "groups": {}}
    for name, group in [*sorted(groups.items()), ("all", list(rows))]:
        hit = np.array([_hit(r, tolerance_ms) for r in group], float)
        any_hit = float(np.mean([_hit(r, tolerance_ms, "found_any_ms") for r in group]))
        errors = [abs(r["found_ms"] - r["shift_ms"]) for r in group if r["found_ms"] is not None]
        missing = len(group) - len(errors)
        share = float(hit.mean())
        low, high = metrics.bootstrap(lambda i, h=hit: float(h[i].mean()), [r["identity"] for r in group], rounds=500)
        error = f"{np.median(errors):.0f}" if errors else "–"
        lines.append(
            f"| {name} | {len(group)} | {share:.1%} ({low:.1%}–{high:.1%}) | {any_hit:.1%} | {missing} | {error} |"
        )
        told = {"shifts": len(group), "found": share, "ci": [low, high], "found_any": any_hit, "not_reported": missing}
        figures["groups"][name] = told
    by_clip: dict[str, list[bool]] = {}
    for row in rows:
        by_clip.setdefault(row["path"], []).append(_hit(row, tolerance_ms))
    every = float(np.mean([all(hits) for hits in by_clip.values()]))
    figures["clips"], figures["clips_with_all_found"] = len(by_clip), every
    lines.append("")
    lines.append(f"Clips on which every shift tried was found: {every:.1%} of {len(by_clip)}.")
    return "\n".join(lines) + "\n", figures


def _hit(row: dict[str, Any], tolerance_ms: float, column: str = "found_ms") -> bool:
    return row[column] is not None and abs(row[column] - row["shift_ms"]) <= tolerance_ms
