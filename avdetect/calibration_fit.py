"""Fit a detector's calibration on validation clips: scalings, the zero of the offset, and the operating points.

Probabilities are stated for a prior of one half: the share of forgeries among validation clips says nothing of the
share among the clips that somebody will ask about.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from avdetect import metrics
from avdetect.calibration import Calibration, Platt, fit_platt, logit
from avdetect.data.records import clip_of_record
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.sync.speaking import lip_activity, mouth_opening
from avdetect.types import Clip, Evidence
from avdetect.verdict import TrackEvidence
from avdetect.verdict.judge import combined
from avdetect.verdict.tracks import TrackFindings, decide_speaking, measure_track

FALSE_ALARMS = 0.02
"""Share of genuine validation clips that may be called fake."""
MISSES = 0.10
"""Share of forged validation clips that may be called real."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """A validation clip as the uncalibrated detector sees it, with its own sound and with another clip's."""

    row: int
    identity: str
    visual_fake: bool | None
    audio_fake: bool | None
    own: TrackFindings
    swapped: TrackFindings | None


def measure(detector: Detector, store: RecordStore, rows: Sequence[int]) -> list[Measured]:
    """Evidence and findings of the clips; the swapped sound is that of the next clip of the same source."""
    neutral = Calibration(offset_confidence=0.0, offset_sharpness=0.0)
    mates = sound_mates(store, rows)
    found = []
    for i in rows:
        row, clip = store.index[i], clip_of_record(store.read(i))
        if clip.track is None and clip.audio is None:
            continue
        own = measure_track(track_evidence(clip, detector.evidence(clip)), neutral)
        swapped = None
        if clip.track is not None and clip.audio is not None and i in mates:
            other = with_sound(clip, clip_of_record(store.read(mates[i], pictures=())))
            swapped = measure_track(track_evidence(other, detector.evidence(other)), neutral)
        found.append(
            Measured(
                row=i,
                identity=str(row.get("identity") or row["path"]),
                visual_fake=_flag(row.get("visual_fake")),
                audio_fake=_flag(row.get("audio_fake")),
                own=own,
                swapped=swapped,
            )
        )
    return found


def _flag(value: object) -> bool | None:
    return {"1": True, "0": False}.get(str(value))


def sound_mates(store: RecordStore, rows: Sequence[int]) -> dict[int, int]:
    """For each genuine clip with sound, the next genuine one of the same source that has another sound."""
    by_source: dict[str, list[int]] = {}
    for i in rows:
        row = store.index[i]
        if str(row.get("visual_fake")) == "0" and str(row.get("audio_fake")) == "0":
            by_source.setdefault(str(row.get("source")), []).append(i)
    return {
        i: group[(n + 1) % len(group)] for group in by_source.values() if len(group) > 1 for n, i in enumerate(group)
    }


def with_sound(clip: Clip, other: Clip) -> Clip:
    """The face of one clip with the sound of another, repeated or cut to its length."""
    assert other.audio is not None and clip.audio is not None
    audio = np.resize(other.audio, len(clip.audio)).astype(np.float32)
    return dataclasses.replace(clip, audio=audio, audio_valid=np.resize(other.audio_valid, clip.n_ticks))


def track_evidence(clip: Clip, evidence: Evidence) -> TrackEvidence:
    """A clip's evidence with what is measured of its picture, on a clock of its own."""
    track = clip.track
    return TrackEvidence(
        track_id=-1 if track is None else track.track_id,
        start_tick=0,
        evidence=evidence,
        quality=None if track is None else track.quality,
        visible=None if track is None else track.visible,
        audio_valid=clip.audio_valid,
        lip_motion=None if track is None else lip_activity(mouth_opening(track.landmarks), track.visible),
    )


def fit_calibration(
    detector: Detector,
    store: RecordStore,
    rows: Sequence[int],
    *,
    genuine: Sequence[int],
    in_sync: Sequence[int],
    description: str,
) -> tuple[Calibration, dict[str, Any]]:
    """Everything that is fitted, and figures on the clips it was fitted on.

    Args:
        detector: uncalibrated.
        store: the records.
        rows: validation clips, for the scalings.
        genuine: more clips of which those that are genuine set the thresholds: a false alarm in fifty cannot be seen in
            twenty clips.
        in_sync: clips known to be in sync, for the zero of the offset.
        description: of the validation clips, stored with the calibration.
    """
    clips = measure(detector, store, rows)
    honest = _genuine(clips)
    many = _genuine(measure(detector, store, genuine))
    branches: dict[str, tuple[np.ndarray, np.ndarray]] = {
        "visual": _labelled([(mean_logit(c.own.visual_ticks), c.visual_fake) for c in clips]),
        "audio": _labelled([(mean_logit(c.own.audio_ticks), c.audio_fake) for c in clips]),
        "sync": _labelled(
            [(mean_logit(c.own.sync_ticks), False) for c in honest]
            + [(mean_logit(c.swapped.sync_ticks), True) for c in honest if c.swapped is not None]
        ),
    }
    scalings, figures = {}, {}
    for name, (scores, fake) in branches.items():
        scalings[name] = balanced_platt(scores, fake)
        figures[f"{name}_auc"] = round(metrics.auc(scores[fake], scores[~fake]), 4)
        figures[f"{name}_clips"] = [int((~fake).sum()), int(fake.sum())]
    base = Calibration(**scalings, zero_offset_ms=zero_offset(detector, store, in_sync), fitted_on=description)
    base = _confidences(base, many)
    scores, fake = _labelled([(combined_logit(c.own.track, base), _any(c)) for c in clips])
    verdict = balanced_platt(scores, fake)
    probability = verdict.probability(scores)
    alarms = verdict.probability(np.array([combined_logit(c.own.track, base) for c in many]))
    above, below = operating_points(alarms[np.isfinite(alarms)], probability[fake])
    figures["threshold_clips"] = [int(np.isfinite(alarms).sum()), int(fake.sum())]
    figures["verdict_auc"] = round(metrics.auc(scores[fake], scores[~fake]), 4)
    figures["verdict_ece"] = round(metrics.expected_calibration_error(probability, fake), 4)
    calibration = dataclasses.replace(base, verdict=verdict, fake_above=above, real_below=below)
    return calibration, figures


def _genuine(clips: Sequence[Measured]) -> list[Measured]:
    return [c for c in clips if c.visual_fake is False and c.audio_fake is False]


def balanced_platt(scores: np.ndarray, fake: np.ndarray) -> Platt:
    """Platt scaling for a prior of one half. A branch that learned nothing is flattened to one half."""
    if fake.all() or not fake.any():
        return Platt(temperature=1e6)
    try:
        fitted = fit_platt(scores, fake)
    except ValueError:
        return Platt(temperature=1e6)
    return Platt(fitted.temperature, fitted.bias - float(np.log(fake.sum() / (~fake).sum())))


def zero_offset(detector: Detector, store: RecordStore, rows: Sequence[int]) -> float:
    """Median offset over the genuine ones of the clips; the middle one of a few good clips is better than a mean."""
    found = []
    for clip in measure(detector, store, rows):
        estimate = clip.own.estimate
        if clip.visual_fake is False and clip.audio_fake is False and estimate is not None:
            if estimate.offset_ms is not None and estimate.sharpness >= 4:
                found.append(estimate.offset_ms)
    return round(float(np.median(found)), 1) if found else 0.0


def _confidences(calibration: Calibration, genuine: list[Measured]) -> Calibration:
    """Where own and foreign sound are told apart best (Youden's index), for believing an offset and for speaking."""
    own = [c.own.estimate.confidence for c in genuine if c.own.estimate is not None]
    other = [c.swapped.estimate.confidence for c in genuine if c.swapped and c.swapped.estimate is not None]
    own, other = np.array(own)[np.isfinite(own)], np.array(other)[np.isfinite(other)]
    if len(own) < 5 or len(other) < 5:
        return calibration
    best = max(np.unique(np.concatenate([own, other])), key=lambda c: (own >= c).mean() - (other >= c).mean())
    # Nearly all true offsets are reported; whether one is noise, its standard error tells better (offset_sharpness).
    report = min(float(best), float(np.quantile(own, 0.05)))
    return dataclasses.replace(
        calibration, speaking_confidence=round(float(best), 4), offset_confidence=round(report, 4)
    )


def operating_points(genuine: np.ndarray, forged: np.ndarray) -> tuple[float, float]:
    """``fake_above`` and ``real_below`` from the calibrated probabilities of genuine and forged clips."""
    above = float(np.clip(np.quantile(genuine, 1 - FALSE_ALARMS) + 1e-3, 0.5, 0.99))
    below = float(np.clip(np.quantile(forged, MISSES), 0.01, 0.5))
    return round(above, 4), round(min(below, above), 4)


def combined_logit(track: TrackEvidence, calibration: Calibration) -> float:
    """Logit of what the verdict's rule makes of a track, before the verdict's own scaling; NaN if not measured."""
    plain = dataclasses.replace(calibration, verdict=Platt())
    findings = decide_speaking([measure_track(track, plain)], plain)
    probability = combined(findings, plain)
    return float("nan") if probability is None else float(logit(probability))


def _any(clip: Measured) -> bool | None:
    if clip.visual_fake or clip.audio_fake:
        return True
    return None if clip.visual_fake is None or clip.audio_fake is None else False


def _labelled(pairs: Sequence[tuple[float, bool | None]]) -> tuple[np.ndarray, np.ndarray]:
    kept = [(s, f) for s, f in pairs if f is not None and np.isfinite(s)]
    return np.array([s for s, _ in kept]), np.array([f for _, f in kept], bool)


def mean_logit(ticks: np.ndarray) -> float:
    """Mean over the measured ticks, NaN where there are none."""
    return float(np.nanmean(ticks)) if np.isfinite(ticks).any() else float("nan")
