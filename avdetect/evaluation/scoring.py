"""Prepared clips through a detector into a score table; stopped and repeated, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avdetect import __version__ as VERSION
from avdetect.calibration import Calibration
from avdetect.calibration_fit import mean_logit
from avdetect.calibration_table import sound_mates
from avdetect.data.columns import flag
from avdetect.data.sample import read_segments
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.detectors.clip_scorer import ClipScorer
from avdetect.evaluation.table import ScoreTable
from avdetect.evidence_folder import Change, EvidenceFolder, own_and_swapped, track_evidence
from avdetect.metrics.sync import distances, lip_sync_errors, offset_hits
from avdetect.types import TICK_RATE
from avdetect.verdict import TrackEvidence
from avdetect.verdict.judge import combined
from avdetect.verdict.tracks import decide_speaking, measure_track

Row = dict[str, Any]
SAVE_EVERY = 50
_LEFT_OUT = {"shard", "row", "picture_hash", "sound_hash", "generator", "offset_ms"}
SAID = (
    "probability_fake", "visual", "audio", "sync", "sync_swapped", "classes", "offset_ms", "offset_confidence",
    "predicted", "lse_c", "lse_d", "context_hits", "ticks",
)  # fmt: skip
"""Columns that the detector fills; the others are what is known of the clip."""
_DEPENDS_ON = ("sha256", "duration_s", "swapped_with", "true_offset_ms")
"""Of what is known: what the detector's columns depend on."""


def score_records(
    detector: Detector | ClipScorer,
    store: RecordStore,
    rows: Sequence[int],
    out: Path,
    *,
    other_sound: bool = True,
    change: Change | None = None,
    changed: str = "",
    evidence: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> ScoreTable:
    """Score clips and write the table.

    Scores that the same detector gave are kept, those of clips with an error are given again. So are those of a file
    that has changed since, or whose lips are now shown with another clip's sound; a table that says neither counts as
    changed. All that is not a score is of the index as it is.

    Args:
        detector: of a bundle, or one of others.
        store: the records.
        rows: of its index.
        out: table to write, perhaps with scores of before.
        other_sound: whether genuine clips are also scored with another clip's sound.
        change: what is done to a clip (and its key) before it is scored.
        changed: name of the change, for the evidence that is kept.
        evidence: folder where a bundle's evidence is kept (`avdetect.evidence_folder`), so that another calibration of
            the same networks is scored in moments; nothing is kept if not given.
        progress: called with the number of finished clips.
    """
    about = {
        "model": str(detector.card.get("sha256")),
        "detector": _whose(detector),
        "records": len(rows),
        "rejected": store.rejected,
    }
    done: dict[str, Row] = {}
    if out.is_file() and (old := ScoreTable.read(out)).about.get("model") == about["model"]:
        done = {r["key"]: r for r in old.rows() if not r["error"]}
    found: list[Row] = []
    mates = sound_mates(store, rows) if other_sound else {}
    scores = _scorer(detector, store, mates, change, changed, evidence)
    for n, i in enumerate(rows, 1):
        known = _known(store, i, mates.get(i))
        old = done.pop(known["key"], {})
        kept = bool(old) and all(old.get(name) == known.get(name) for name in _DEPENDS_ON)
        found.append({**known, **{name: old.get(name) for name in SAID}} if kept else _scored(scores, known, i))
        if n % SAVE_EVERY == 0 and not kept:
            ScoreTable.of_rows([*found, *done.values()], about).write(out)
        if progress is not None:
            progress(n)
    table = ScoreTable.of_rows(found, about)
    table.write(out)
    return table


def _whose(detector: Detector | ClipScorer) -> dict[str, str]:
    """Which detector made the table, as a combination of several asks."""
    if isinstance(detector, ClipScorer):
        return detector.about
    return {"name": "avnet", "version": str(detector.card.get("version", "")), "distribution": f"avdetect {VERSION}"}


def _scored(scores: Callable[[int], Row], known: Row, i: int) -> Row:
    try:
        return {**known, **scores(i)}
    except Exception as error:  # one bad clip must not end the run, and must be counted
        return {**known, "error": f"{type(error).__name__}: {error}"}


def _scorer(
    detector: Detector | ClipScorer,
    store: RecordStore,
    mates: dict[int, int],
    change: Change | None,
    changed: str,
    evidence: Path | None,
) -> Callable[[int], Row]:
    """From a row of the index to the scores of its clip."""
    folder = None if isinstance(detector, ClipScorer) else EvidenceFolder(detector, evidence)
    needs = _needs(detector)

    def found(i: int) -> tuple[TrackEvidence | None, TrackEvidence | None]:
        if folder is not None:
            return folder.of(store, i, mates.get(i), change=change, changed=changed) or (None, None)
        own, swapped = (
            None if clip is None else track_evidence(clip, detector.evidence(clip))
            for clip in own_and_swapped(store, i, mates.get(i), change)
        )
        return own, swapped

    def scores(i: int) -> Row:
        own, swapped = found(i)
        if own is None:
            raise ValueError("the clip has neither a face nor sound")
        row = scores_of(own, detector.calibration, needs=needs, true_offset_ms=_true_offset(store.index[i]))
        if swapped is not None:
            row["sync_swapped"] = scores_of(swapped, detector.calibration, needs=needs)["sync"]
        return row

    return scores


def _known(store: RecordStore, i: int, mate: int | None) -> Row:
    """What the index says of a clip, and with whose sound its lips are shown."""
    row = store.index[i]
    other = {} if mate is None else store.index[mate]
    flags = {n: flag(row.get(n)) for n in ("visual_fake", "audio_fake")}
    segments = [[s.start_s, s.end_s, s.kind] for s in read_segments(row.get("segments"))]
    kept = {k: v for k, v in row.items() if k not in _LEFT_OUT}
    more = {"method": row.get("generator") or "", "segments": segments or None}
    more["swapped_with"] = f"{other['key']} {other.get('sha256') or ''}".rstrip() if other else None
    return {**kept, **more, **flags, "true_offset_ms": _true_offset(row), "error": ""}


def _true_offset(row: Row) -> float | None:
    offset = row.get("offset_ms")
    return None if offset in (None, "") else float(offset)


def _needs(detector: Detector | ClipScorer) -> frozenset[str]:
    return detector.needs if isinstance(detector, ClipScorer) else frozenset()


def scores_of(
    track: TrackEvidence,
    calibration: Calibration,
    *,
    needs: frozenset[str] = frozenset(),
    true_offset_ms: float | None = None,
) -> Row:
    """What evidence amounts to, as columns of the score table.

    Args:
        track: the evidence.
        calibration: of the detector.
        needs: what it judges clips by (`avdetect.verdict.Analysis.needs`).
        true_offset_ms: for the offset hits; a clip of which nothing is known is taken to be in sync.
    """
    evidence = track.evidence
    measured = measure_track(track, calibration, needs=needs)
    findings = decide_speaking([measured], calibration)
    f = findings[0]
    lse_c, lse_d = lip_sync_errors(distances(evidence.similarity))
    true_lag = round(((true_offset_ms or 0.0) + calibration.zero_offset_ms) * TICK_RATE / 1000)
    hits = offset_hits(evidence.similarity, evidence.lags, true_lag) if abs(true_lag) <= evidence.lags.max() else None
    estimate = f.estimate
    return {
        "probability_fake": combined(findings, calibration),
        "visual": _finite(mean_logit(f.visual_ticks)),
        "audio": _finite(mean_logit(f.audio_ticks)),
        "sync": _finite(mean_logit(f.sync_ticks)),
        "classes": None if evidence.classes is None else np.exp(evidence.classes.astype(float)).tolist(),
        "offset_ms": None if estimate is None else estimate.offset_ms,
        "offset_confidence": None if estimate is None else _finite(estimate.confidence),
        "predicted": [[s.start_s, s.end_s, s.kind, s.probability] for s in f.segments] or None,
        "lse_c": _finite(lse_c),
        "lse_d": _finite(lse_d),
        "context_hits": None if hits is None else {str(k): list(v) for k, v in hits.items()},
        "ticks": track.n_ticks,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
