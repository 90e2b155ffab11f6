"""From an analysis to a report: the rule by which a file is called real, fake or inconclusive.

1. A branch's probability for a track is that of its mean logit, or of its worst segment (``tracks.pool``).
2. Tracks that speak count with all branches. If no track is known to speak, all tracks count with what they have, and
   the agreement of lips and sound counts only for tracks of which it cannot be told whether they speak.
3. The branches become one by ``calibration.rule`` (``verdict.combine``): by default a file is as suspicious as its most
   suspicious part. Scaled by ``calibration.verdict`` this is ``probability_fake``. No rule lets what one branch finds
   innocent speak for another. What a detector says of a track as a whole is one more branch.
4. At or above ``fake_above`` it is fake. At or below ``real_below`` it is real, but only if whatever the file shows was
   judged: the face, if there is one, and the voice, if there is speech. Lips that fit the sound are never enough, since
   generated faces fit theirs well; and sound that is merely late is reported, not accused.
5. Everything else is inconclusive, and what could not be measured is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from avdetect.calibration import Calibration
from avdetect.report.schema import AudioSummary, FileSummary, ModelSummary, Report, VideoSummary
from avdetect.types import AbstainReason, MediaInfo, VerdictName
from avdetect.verdict.analysis import Analysis
from avdetect.verdict.combine import combined, counting
from avdetect.verdict.entries import rounded, track_report
from avdetect.verdict.reasons import explain
from avdetect.verdict.segments import merge_segments
from avdetect.verdict.tracks import TrackFindings, decide_speaking, measure_track


def judge(
    analysis: Analysis,
    calibration: Calibration,
    *,
    model: Mapping[str, str] | None = None,
    findings: Sequence[TrackFindings] | None = None,
) -> Report:
    """The report on a file.

    Args:
        analysis: what was measured.
        calibration: of the detector that measured it.
        model: name, version and SHA-256 of that detector (its card; other keys are ignored).
        findings: of :func:`measure`, where they are at hand.
    """
    findings = measure(analysis, calibration) if findings is None else findings
    abstained = abstentions(analysis.info, findings, calibration)
    probability = combined(findings, calibration)
    verdict = decide(probability, analysis.info, findings, calibration, needs=analysis.needs)
    counted = {id(f) for f in counting(findings)}
    segments = merge_segments(
        s for f in findings for s in f.segments if id(f) in counted and (s.kind != "sync" or f.speaking is not False)
    )
    model = model or {}
    return Report(
        file=file_summary(analysis.info, analysis.sha256),
        model=ModelSummary(*(str(model.get(key, "")) for key in ("name", "version", "sha256"))),
        verdict=verdict,
        probability_fake=rounded(probability),
        reasons=explain(analysis, findings, verdict, probability, abstained, segments, calibration),
        abstained=abstained,
        tracks=tuple(track_report(f, calibration) for f in findings),
        segments=segments,
    )


def measure(analysis: Analysis, calibration: Calibration) -> list[TrackFindings]:
    """All tracks of a file, and which of them speak."""
    still = analysis.info.video is not None and analysis.info.video.is_still
    found = [measure_track(track, calibration, still=still, needs=analysis.needs) for track in analysis.tracks]
    return decide_speaking(found, calibration)


def decide(
    probability: float | None,
    info: MediaInfo,
    findings: Sequence[TrackFindings],
    calibration: Calibration,
    *,
    needs: frozenset[str] = frozenset(),
) -> VerdictName:
    """The verdict of rule 4."""
    if probability is None:
        return "inconclusive"
    if probability >= calibration.fake_above:
        return "fake"
    if probability > calibration.real_below or unjudged(findings, calibration, needs=needs):
        return "inconclusive"
    return "real"


def unjudged(
    findings: Sequence[TrackFindings], calibration: Calibration, *, needs: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """What the file shows and nobody judged: ``"face"``, ``"voice"``.

    A probability of the whole judges what the detector ``needs``, and everything if it needs nothing in particular.
    """
    counted = counting(findings)
    faces = [f for f in counted if f.has_face]
    speech = [f for f in counted if f.speech_s >= calibration.min_speech_s]
    missing = []
    looked, listened = (not needs or part in needs for part in ("picture", "sound"))
    if faces and all(f.visual is None and not (looked and f.whole is not None) for f in faces):
        missing.append("face")
    if speech and all(f.audio is None and not (listened and f.whole is not None) for f in speech):
        missing.append("voice")
    return tuple(missing)


def abstentions(
    info: MediaInfo, findings: Sequence[TrackFindings], calibration: Calibration
) -> tuple[AbstainReason, ...]:
    """What could not be judged, in the order of the schema."""
    faces = [f for f in findings if f.has_face and f.visible_s > 0]
    covered = max((f.covered_s for f in findings), default=0.0)
    speech = max((f.speech_s for f in findings), default=0.0)
    has_sound = info.audio is not None and covered > 0
    still = info.video is not None and info.video.is_still
    reasons: list[AbstainReason] = []
    if not faces:
        reasons.append("no_face")
    if not has_sound:
        reasons.append("no_audio")
    elif speech < calibration.min_speech_s:
        reasons.append("no_speech")
    elif faces and all(f.speaking is False for f in faces):
        reasons.append("not_speaking")
    longest = max([f.visible_s for f in faces] or [covered])
    if (faces or has_sound) and longest < calibration.min_duration_s and not still:
        reasons.append("too_short")
    if faces and all(f.faults for f in faces):
        reasons.append("low_quality")
    return tuple(reasons)


def file_summary(info: MediaInfo, sha256: str) -> FileSummary:
    """The head of a report; of a still picture neither a frame rate nor a length is told."""
    video, known = None, np.isfinite(info.duration_s) and info.duration_s > 0
    if info.video is not None:
        v = info.video
        moving = not v.is_still
        video = VideoSummary(v.codec, v.width, v.height, float(v.fps) if moving and np.isfinite(v.fps) else None)
        known = known and moving
    audio = AudioSummary(info.audio.codec, info.audio.sample_rate) if info.audio is not None else None
    duration = round(float(info.duration_s), 3) if known else None
    return FileSummary(info.path, sha256, duration, video, audio)
