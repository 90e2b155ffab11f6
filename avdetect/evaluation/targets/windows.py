"""Lips and sound in short windows: is it another clip's sound, and is the offset the same everywhere in a clip?

Windows are cut before the networks see them, so nothing beyond their ends helps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from avdetect import metrics
from avdetect.calibration import Calibration
from avdetect.calibration_fit import mean_logit
from avdetect.calibration_table import sound_mates
from avdetect.clips import cut_clip
from avdetect.data.records import clip_of_record
from avdetect.data.store import RecordStore
from avdetect.data.sync_examples import advance
from avdetect.detector import Detector
from avdetect.evidence_folder import track_evidence, with_sound
from avdetect.types import TICK_RATE, Clip, Evidence
from avdetect.verdict.tracks import believed, measure_track

ROUNDS = 1000
NEUTRAL = Calibration(offset_confidence=0.0, offset_stability=0.0)
"""Every offset is stated, however faint."""
EACH_CLIP = 3
"""Windows of one length that are cut from a clip at most."""
LEAST_TICKS = 3
"""Ticks with a similarity at a lag for that lag to count."""


@dataclass(frozen=True)
class Window:
    """One stretch with its own sound and with another clip's.

    Attributes:
        identity: the person seen.
        source: the data set.
        own, other: scores, higher = lips and sound belong together less; NaN where nothing could be measured.
    """

    identity: str
    source: str
    own: dict[str, float]
    other: dict[str, float]


def window_starts(ticks: int, length: int, *, most: int) -> list[int]:
    """Where windows of ``length`` ticks start that share nothing, spread over ``ticks``."""
    count = min(ticks // length, most)
    return [round(i * (ticks - length) / max(count - 1, 1)) for i in range(count)]


def other_sound(
    detector: Detector,
    store: RecordStore,
    rows: Sequence[int],
    seconds: Sequence[float],
    *,
    progress: Callable[[int], None] | None = None,
) -> dict[float, list[Window]]:
    """Windows of genuine clips, with their own sound and with that of the next genuine clip of the same source.

    Args:
        detector: any with lips and sound; its calibration says what counts as speech.
        store: the records.
        rows: of its index; clips without face or sound, or alone in their source, are passed over.
        seconds: lengths.
        progress: called with the number of finished clips.
    """
    found: dict[float, list[Window]] = {s: [] for s in seconds}
    mates = sound_mates(store, rows)
    for n, i in enumerate(rows, 1):
        if i in mates:
            clip, mate = clip_of_record(store.read(i)), clip_of_record(store.read(mates[i], pictures=()))
            if clip.track is not None and clip.audio is not None and mate.audio is not None:
                for s, own, other in _pairs(clip, mate, seconds):
                    scores = [mismatch_scores(detector, c) for c in (own, other)]
                    found[s].append(Window(_person(store.index[i]), str(store.index[i]["source"]), *scores))
        if progress is not None:
            progress(n)
    return found


def _pairs(clip: Clip, mate: Clip, seconds: Sequence[float]) -> list[tuple[float, Clip, Clip]]:
    pairs = []
    for s in seconds:
        length = round(s * TICK_RATE)
        if mate.n_ticks < length:
            continue  # a sound that is repeated or ends is no fair question
        for start in window_starts(clip.n_ticks, length, most=EACH_CLIP):
            own = cut_clip(clip, start, start + length)
            at = min(start, mate.n_ticks - length)
            pairs.append((s, own, with_sound(own, cut_clip(replace(mate, track=None), at, at + length))))
    return pairs


def mismatch_scores(detector: Detector, clip: Clip) -> dict[str, float]:
    """``fused``: mean mismatch logit of ticks of speech; ``lag``: the best mean similarity at one lag, negated."""
    evidence = detector.evidence(clip)
    found = measure_track(track_evidence(clip, evidence), detector.calibration)
    return {"fused": mean_logit(found.sync_ticks), "lag": -best_similarity(evidence)}


def best_similarity(evidence: Evidence) -> float:
    """Largest mean over ticks of the similarity at one lag; NaN where no lag has enough ticks."""
    known = np.isfinite(evidence.similarity)
    enough = known.sum(axis=0) >= LEAST_TICKS
    if not enough.any():
        return float("nan")
    means = np.where(known, evidence.similarity, 0.0).sum(axis=0)[enough] / known.sum(axis=0)[enough]
    return float(means.max())


def other_sound_figures(windows: Sequence[Window], score: str) -> dict[str, Any]:
    """AUC of one score with an interval over people."""
    kept = [w for w in windows if np.isfinite(w.own[score]) and np.isfinite(w.other[score])]
    own = np.array([w.own[score] for w in kept])
    other = np.array([w.other[score] for w in kept])

    def auc(rows: np.ndarray) -> float:
        return metrics.auc(other[rows], own[rows])

    people = [f"{w.source}/{w.identity}" for w in kept]
    low, high = metrics.bootstrap(auc, people, rounds=ROUNDS) if kept else (float("nan"),) * 2
    return {
        "windows": len(windows),
        "measured": len(kept),
        "people": len(set(people)),
        "auc": auc(np.arange(len(kept))) if kept else float("nan"),
        "ci": [low, high],
    }


@dataclass(frozen=True)
class OffsetsOfClip:
    """Offsets in ms of the windows of one clip, NaN where none was found.

    Attributes:
        identity: the person.
        path: of the file.
        offsets: of each window.
        reported: whether it would be.
        moved: of each window once the sound was moved, less what it was moved by; empty where it was not.
    """

    identity: str
    path: str
    offsets: np.ndarray
    reported: np.ndarray
    moved: np.ndarray = field(default_factory=lambda: np.zeros(0))


def offsets_in_windows(
    detector: Detector,
    store: RecordStore,
    rows: Iterable[int],
    *,
    seconds: float,
    step_s: float,
    moved_ms: Sequence[float] = (),
) -> list[OffsetsOfClip]:
    """The offset of every window of clips that are at least a second longer than a window.

    Args:
        detector: any with lips and sound.
        store: the records.
        rows: of its index.
        seconds: length of a window.
        step_s: from window to window.
        moved_ms: amounts by which the sound is moved later and all is measured again, one for each clip in turn.
    """
    length, step = round(seconds * TICK_RATE), round(step_s * TICK_RATE)
    found: list[OffsetsOfClip] = []
    for i in rows:
        clip = clip_of_record(store.read(i))
        if clip.track is None or clip.audio is None or clip.n_ticks < length + TICK_RATE:
            continue
        starts = range(0, clip.n_ticks - length + 1, step)
        offsets, reported = _offsets(detector, [cut_clip(clip, start, start + length) for start in starts])
        moved = np.zeros(0)
        if moved_ms:
            amount = moved_ms[len(found) % len(moved_ms)]
            audio, valid = advance(clip.audio, clip.audio_valid, -amount)
            late = replace(clip, audio=audio, audio_valid=valid)
            moved = _offsets(detector, [cut_clip(late, start, start + length) for start in starts])[0] - amount
        row = store.index[i]
        found.append(OffsetsOfClip(_person(row), row["path"], offsets, reported, moved))
    return found


def _offsets(detector: Detector, parts: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
    """Offset of each clip, NaN where there is none, and whether it would be reported."""
    offsets, reported = np.full(len(parts), np.nan), np.zeros(len(parts), bool)
    for n, part in enumerate(parts):
        estimate = measure_track(track_evidence(part, detector.evidence(part)), NEUTRAL).estimate
        if estimate is not None and estimate.offset_ms is not None:
            offsets[n], reported[n] = estimate.offset_ms, believed(estimate, detector.calibration)
    return offsets, reported


def _person(row: dict[str, Any]) -> str:
    return str(row.get("identity") or row["path"])


def offset_figures(clips: Sequence[OffsetsOfClip], *, tolerance_ms: float) -> dict[str, Any]:
    """Share of windows whose offset lies within the tolerance of the median of its clip's windows.

    Returns:
        ``within`` with ``ci``: of all windows, none found counts as wrong; ``within_reported``: of those whose offset
        would be reported; ``reported``: their share; ``moved``: of all windows, once the sound was moved; ``clips``,
        ``windows``.
    """
    hit, sure, moved, person = [], [], [], []
    for clip in clips:
        known = clip.offsets[np.isfinite(clip.offsets)]
        middle = float(np.median(known)) if len(known) else float("nan")
        hit += (np.abs(clip.offsets - middle) <= tolerance_ms).tolist()
        moved += (np.abs(clip.moved - middle) <= tolerance_ms).tolist()
        sure += clip.reported.tolist()
        person += [clip.identity] * len(clip.offsets)
    hits, reported = np.array(hit, float), np.array(sure, bool)
    low, high = metrics.bootstrap(lambda rows: float(hits[rows].mean()), person, rounds=ROUNDS)
    return {
        "clips": len(clips),
        "windows": len(hits),
        "within": float(hits.mean()),
        "ci": [low, high],
        "reported": float(reported.mean()),
        "within_reported": float(hits[reported].mean()) if reported.any() else float("nan"),
        "moved": float(np.mean(moved)) if moved else float("nan"),
    }
