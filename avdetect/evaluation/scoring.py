"""Prepared clips through a detector into a score table; stopped and repeated, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avdetect import __version__ as VERSION
from avdetect.calibration_fit import mean_logit
from avdetect.calibration_table import sound_mates, track_evidence, with_sound
from avdetect.data.records import clip_of_record
from avdetect.data.sample import read_segments
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.detectors.clip_scorer import ClipScorer
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.sync import distances, lip_sync_errors, offset_hits
from avdetect.types import TICK_RATE, Clip
from avdetect.verdict.judge import combined
from avdetect.verdict.tracks import decide_speaking, measure_track

Row = dict[str, Any]
SAVE_EVERY = 50
_LEFT_OUT = {"shard", "row", "sha256", "picture_hash", "sound_hash", "generator", "offset_ms"}


def score_records(
    detector: Detector | ClipScorer,
    store: RecordStore,
    rows: Sequence[int],
    out: Path,
    *,
    change: Callable[[Clip, str], Clip] | None = None,
    progress: Callable[[int], None] | None = None,
) -> ScoreTable:
    """Score clips and write the table.

    Args:
        detector: of a bundle, or one of others.
        store: the records.
        rows: of its index.
        out: table to write; rows in it that the same detector scored are kept, those with an error are tried again.
        change: what is done to a clip (and its key) before it is scored.
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
    mates = sound_mates(store, rows)
    for n, i in enumerate(rows, 1):
        key = store.index[i]["key"]
        found.append(done[key] if key in done else _scored(detector, store, i, mates.get(i), change))
        if n % SAVE_EVERY == 0 and key not in done:
            rest = [r for k, r in done.items() if k not in {f["key"] for f in found}]
            ScoreTable.of_rows([*found, *rest], about).write(out)
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


def _scored(
    detector: Detector | ClipScorer,
    store: RecordStore,
    i: int,
    mate: int | None,
    change: Callable[[Clip, str], Clip] | None,
) -> Row:
    about = _known(store.index[i])
    try:
        clip = clip_of_record(store.read(i))
        if change is not None:
            clip = change(clip, about["key"])
        scores = clip_scores(detector, clip, true_offset_ms=about["true_offset_ms"])
        if mate is not None and clip.track is not None and clip.audio is not None:
            other = with_sound(clip, clip_of_record(store.read(mate, pictures=())))
            scores["sync_swapped"] = clip_scores(detector, other)["sync"]
        return {**about, **scores}
    except Exception as error:  # one bad clip must not end the run, and must be counted
        return {**about, "error": f"{type(error).__name__}: {error}"}


def _known(row: Row) -> Row:
    flags = {n: {"1": True, "0": False}.get(str(row.get(n))) for n in ("visual_fake", "audio_fake")}
    offset = row.get("offset_ms")
    segments = [[s.start_s, s.end_s, s.kind] for s in read_segments(row.get("segments"))]
    kept = {k: v for k, v in row.items() if k not in _LEFT_OUT}
    more = {"method": row.get("generator") or "", "segments": segments or None}
    return {**kept, **more, **flags, "true_offset_ms": None if offset in (None, "") else float(offset), "error": ""}


def clip_scores(detector: Detector | ClipScorer, clip: Clip, *, true_offset_ms: float | None = None) -> Row:
    """What the detector says of one clip, as columns of the score table.

    Args:
        detector: with its calibration.
        clip: any clip.
        true_offset_ms: for the offset hits; a clip of which nothing is known is taken to be in sync.
    """
    calibration = detector.calibration
    evidence = detector.evidence(clip)
    needs = detector.needs if isinstance(detector, ClipScorer) else frozenset()
    measured = measure_track(track_evidence(clip, evidence), calibration, needs=needs)
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
        "ticks": clip.n_ticks,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
