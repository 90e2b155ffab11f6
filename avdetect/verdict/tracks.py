"""What one track's evidence amounts to: probabilities, offset, who speaks, what could not be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from avdetect.calibration import Calibration, Platt
from avdetect.sync.drift import Drift
from avdetect.sync.offset import OffsetEstimate, estimate_offset
from avdetect.sync.segments import OffsetSegment, offset_segments
from avdetect.sync.speaking import tick_weights
from avdetect.sync.windows import OffsetWindows, offset_windows
from avdetect.types import TICK_RATE, Evidence, Segment, SegmentKind
from avdetect.verdict.analysis import NO_FACE_TRACK, TrackEvidence
from avdetect.verdict.quality import assess, fine_enough
from avdetect.verdict.segments import find_segments


@dataclass(frozen=True)
class TrackFindings:
    """A track, measured and calibrated.

    Attributes:
        track: the evidence that this is about.
        visual_ticks, audio_ticks, sync_ticks: logits per tick that count, NaN elsewhere.
        visual, audio, sync: calibrated probability of each branch, ``None`` where too little was measured.
        segments: suspicious stretches on the file's clock.
        weights: of the ticks for the offset.
        estimate: offset of the whole track; ``None`` without both face and sound.
        windows: offset over time; ``None`` as above.
        offset_segments: stretches over which the offset does not jump; empty as above.
        drift: growth of the offset.
        visible_s, covered_s, speech_s: seconds with the face, with sound, and with speech.
        faults: why the face is too badly seen to be judged, the most frequent fault first; empty if it can be judged.
        too_small: whether the face can be judged by its lips, and is too small for its texture most of the time.
        speaking: whether the face is the source of the speech; ``None`` where it cannot be told.
        whole: probability of the track as a whole, from a detector that gives one (not from the branches).
        whole_of_face: whether that probability is of the picture alone, and so counts whether the face speaks or not.
    """

    track: TrackEvidence
    visual_ticks: Float64[np.ndarray, " t"]
    audio_ticks: Float64[np.ndarray, " t"]
    sync_ticks: Float64[np.ndarray, " t"]
    visual: float | None
    audio: float | None
    sync: float | None
    segments: tuple[Segment, ...]
    weights: Float64[np.ndarray, " t"]
    estimate: OffsetEstimate | None
    windows: OffsetWindows | None
    offset_segments: tuple[OffsetSegment, ...]
    drift: Drift
    visible_s: float
    covered_s: float
    speech_s: float
    faults: tuple[str, ...]
    too_small: bool = False
    speaking: bool | None = None
    whole: float | None = None
    whole_of_face: bool = False

    @property
    def has_face(self) -> bool:
        """Whether there is a face to this track."""
        return self.track.visible is not None


def measure_track(
    track: TrackEvidence, calibration: Calibration, *, still: bool = False, needs: frozenset[str] = frozenset()
) -> TrackFindings:
    """Everything about a track that does not depend on the other tracks.

    Args:
        track: the evidence.
        calibration: of the detector.
        still: one tick is enough to judge.
        needs: what the detector judges clips by (`Analysis.needs`): a bad picture does not count against the sound.
    """
    evidence, t = track.evidence, track.n_ticks
    visible = track.visible if track.visible is not None else np.zeros(t, bool)
    faults, good = assess(track.quality, visible, calibration.quality) if track.quality is not None else ([], visible)
    usable = np.zeros(t, bool) if faults else good
    speech = speech_ticks(track, calibration)
    speech_s = float(speech.sum()) / TICK_RATE
    heard = track.audio_valid & (speech_s >= calibration.min_speech_s)
    fine = usable if track.quality is None else usable & fine_enough(track.quality, calibration.quality)
    needed = 1 if still else max(1.0, calibration.min_speech_s * TICK_RATE)
    visual_ticks = np.where(fine, evidence.visual, np.nan).astype(np.float64)
    audio_ticks = np.where(heard & speech, evidence.audio, np.nan).astype(np.float64)
    sync_ticks = np.where(usable & heard & speech, evidence.sync, np.nan).astype(np.float64)

    weights = tick_weights(evidence.speech, visible) * track.audio_valid
    estimate, windows, pieces, drift = None, None, (), Drift(None, why_not="Drift needs a face and its sound.")
    if visible.any() and heard.any() and np.isfinite(evidence.similarity).any():
        estimate, windows, pieces, drift = _offsets(evidence, weights, calibration)
    found = TrackFindings(
        track=track,
        visual_ticks=visual_ticks,
        audio_ticks=audio_ticks,
        sync_ticks=sync_ticks,
        visual=None,
        audio=None,
        sync=None,
        segments=(),
        weights=weights,
        estimate=estimate,
        windows=windows,
        offset_segments=pieces,
        drift=drift,
        visible_s=float(visible.sum()) / TICK_RATE,
        covered_s=float(track.audio_valid.sum()) / TICK_RATE,
        speech_s=speech_s,
        faults=tuple(faults),
        too_small=usable.sum() >= needed > fine.sum(),
        whole=None if faults and "picture" in needs else evidence.probability,
        whole_of_face=track.visible is not None and needs == {"picture"},
    )
    return scaled(found, calibration, still=still)


def speech_ticks(track: TrackEvidence, calibration: Calibration) -> Bool[np.ndarray, " t"]:
    """Ticks of a track at which there is speech. A detector that cannot tell speech takes all sound for it."""
    speech = track.evidence.speech
    if not np.isfinite(speech).any():
        return track.audio_valid
    return (np.nan_to_num(speech, nan=0.0) >= calibration.speech_probability) & track.audio_valid


def scaled(found: TrackFindings, calibration: Calibration, *, still: bool = False) -> TrackFindings:
    """The same track with the branches' probabilities and segments by another calibration's scalings."""
    kinds: tuple[tuple[SegmentKind, np.ndarray, Platt], ...] = (
        ("visual", found.visual_ticks, calibration.visual),
        ("audio", found.audio_ticks, calibration.audio),
        ("sync", found.sync_ticks, calibration.sync),
    )
    start = found.track.start_tick
    segments = {
        kind: find_segments(ticks, scaling, kind, rule=calibration.segments, start_tick=start)
        for kind, ticks, scaling in kinds
    }
    probability = {
        kind: pool(ticks, scaling, segments[kind], 0.0 if still and kind == "visual" else calibration.min_speech_s)
        for kind, ticks, scaling in kinds
    }
    return replace(found, **probability, segments=sum(segments.values(), ()))


def pool(ticks: np.ndarray, scaling: Platt, segments: Sequence[Segment], min_s: float) -> float | None:
    """Probability of a branch for a whole track: that of the mean logit, or of its worst segment if that is higher.

    A face that is edited for two seconds of a minute is edited: the mean alone would wash it out. ``None`` where less
    than ``min_s`` was measured.
    """
    measured = ticks[np.isfinite(ticks)]
    if len(measured) == 0 or len(measured) < min_s * TICK_RATE:
        return None
    return max([float(scaling.probability(measured.mean(), len(measured))), *(s.probability for s in segments)])


def _offsets(
    evidence: Evidence, weights: np.ndarray, calibration: Calibration
) -> tuple[OffsetEstimate, OffsetWindows, tuple[OffsetSegment, ...], Drift]:
    def believe(estimate: OffsetEstimate) -> bool:
        return believed(estimate, calibration)

    zero = calibration.zero_offset_ms
    windows = offset_windows(
        evidence.similarity,
        evidence.lags,
        weights=weights,
        zero_offset_ms=zero,
        min_confidence=calibration.offset_confidence,
        min_sharpness=calibration.window_sharpness,
    )
    pieces, drift = offset_segments(
        evidence.similarity, evidence.lags, windows, weights=weights, zero_offset_ms=zero, believe=believe
    )
    estimate = estimate_offset(evidence.similarity, evidence.lags, weights=weights, zero_offset_ms=zero)
    if not believe(estimate):
        estimate = replace(estimate, offset_ms=None, ci_ms=None)
    return estimate, windows, pieces, drift


def believed(estimate: OffsetEstimate, calibration: Calibration) -> bool:
    """Whether an offset is reported: its lag must stand out, and win again when other parts of the clip are asked."""
    stable = bool(np.nan_to_num(estimate.stability) >= calibration.offset_stability)
    return estimate.confidence >= calibration.offset_confidence and stable


def decide_speaking(findings: Sequence[TrackFindings], calibration: Calibration) -> list[TrackFindings]:
    """Fill in ``speaking`` of every track.

    A face speaks if there is speech while it is seen and its lips fit the sound better than chance
    (``speaking_confidence``, ``speaking_sharpness``). Where they do not fit, it is asked who else may have said what is
    heard: if all of it but less than ``min_speech_s`` is heard while another face is visible whose lips fit, this one
    does not speak. A face that fits at another time of the file says nothing about this one. Of the rest of the speech,
    which alone counts for the lips of this face (``sync``), still lips mean that it does not speak; moving lips mean
    that it does, to another sound (a dub); with unknown lips it cannot be told, and neither can it without speech.
    """
    fitting = [f for f in findings if _fits(f, calibration)]
    return [_decided(f, fitting, calibration) for f in findings]


def _fits(f: TrackFindings, calibration: Calibration) -> bool:
    return (
        f.estimate is not None
        and f.speech_s >= calibration.min_speech_s
        and f.estimate.confidence >= calibration.speaking_confidence
        and f.estimate.sharpness >= calibration.speaking_sharpness
        and not f.estimate.at_end
    )


def _decided(f: TrackFindings, fitting: Sequence[TrackFindings], calibration: Calibration) -> TrackFindings:
    if f.track.track_id == NO_FACE_TRACK or f.estimate is None or f.speech_s < calibration.min_speech_s:
        return replace(f, speaking=None)
    if any(f is other for other in fitting):
        return replace(f, speaking=True)
    alone = _without(f.track, [other.track for other in fitting])
    if not alone.all():
        if (alone & speech_ticks(f.track, calibration)).sum() < calibration.min_speech_s * TICK_RATE:
            return replace(f, speaking=False)
        f = scaled(replace(f, sync_ticks=np.where(alone, f.sync_ticks, np.nan)), calibration)
    lips, speech = f.track.lip_motion, f.track.evidence.speech
    if lips is None or not np.isfinite(lips[alone]).any():
        return replace(f, speaking=None)
    heard = alone & np.isfinite(lips) & (np.nan_to_num(speech, nan=0.0) >= calibration.speech_probability)
    moving = float(np.median(lips[heard])) if heard.any() else 0.0
    return replace(f, speaking=moving >= calibration.lip_motion)


def _without(track: TrackEvidence, others: Sequence[TrackEvidence]) -> Bool[np.ndarray, " t"]:
    """Ticks of a track at which none of the other faces is visible."""
    free = np.ones(track.n_ticks, bool)
    for other in others:
        shift = other.start_tick - track.start_tick
        start, stop = max(shift, 0), min(shift + other.n_ticks, track.n_ticks)
        if start < stop and other.visible is not None:
            free[start:stop] &= ~other.visible[start - shift : stop - shift]
    return free
