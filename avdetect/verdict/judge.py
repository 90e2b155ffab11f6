"""From an analysis to a report: the rule by which a file is called real, fake or inconclusive.

1. A branch's probability for a track is that of its mean logit, or of its worst segment (``tracks.pool``).
2. The face counts of every track, since a face can be forged without speaking. Voice and lips count of the tracks that
   speak, or may speak since nobody beside them does (``tracks.decide_speaking``); if none is known to, of all tracks,
   and the lips then only of those of which it cannot be told.
3. The branches become one by ``calibration.rule`` (``verdict.combine``): by default a file is as suspicious as its most
   suspicious part. Scaled by ``calibration.verdict`` this is ``probability_fake``. No rule lets what one branch finds
   innocent speak for another. What a detector says of a track as a whole is one more branch.
4. At or above ``fake_above`` it is fake. At or below ``real_below`` it is real, but only if whatever the file shows was
   judged (``abstaining.unjudged``): the face, if there is a moving picture, whether one was found or not; the voice, if
   there is speech; at least ``min_duration_s`` of them; and all of the file that its container promises. Lips that fit
   the sound are never enough, since generated faces fit theirs well; and sound that is merely late is reported, not
   accused.
5. Everything else is inconclusive, and what could not be measured is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from avdetect.calibration import Calibration
from avdetect.report.schema import AudioSummary, FileSummary, ModelSummary, Report, VideoSummary
from avdetect.types import MediaInfo, VerdictName
from avdetect.verdict.abstaining import abstentions, unjudged
from avdetect.verdict.analysis import Analysis
from avdetect.verdict.combine import branch_values, combined
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
    abstained = abstentions(analysis, findings, calibration)
    missing = unjudged(analysis, findings, calibration)
    probability = combined(findings, calibration)
    verdict = decide(probability, calibration, missing=missing)
    segments = merge_segments(
        s
        for kind in ("visual", "audio", "sync")
        for f, _ in branch_values(findings, kind)
        for s in f.segments
        if s.kind == kind
    )
    model = model or {}
    return Report(
        file=file_summary(analysis.info, analysis.sha256),
        model=ModelSummary(*(str(model.get(key, "")) for key in ("name", "version", "sha256"))),
        verdict=verdict,
        probability_fake=rounded(probability),
        reasons=explain(analysis, findings, verdict, probability, abstained, missing, segments, calibration),
        abstained=abstained,
        tracks=tuple(track_report(f, calibration) for f in findings),
        segments=segments,
    )


def measure(analysis: Analysis, calibration: Calibration) -> list[TrackFindings]:
    """All tracks of a file, and which of them speak."""
    still = analysis.info.video is not None and analysis.info.video.is_still
    found = [measure_track(track, calibration, still=still, needs=analysis.needs) for track in analysis.tracks]
    return decide_speaking(found, calibration)


def decide(probability: float | None, calibration: Calibration, *, missing: Sequence[str] = ()) -> VerdictName:
    """The verdict of rules 4 and 5; ``missing`` is what `abstaining.unjudged` names."""
    if probability is None:
        return "inconclusive"
    if probability >= calibration.fake_above:
        return "fake"
    return "inconclusive" if probability > calibration.real_below or missing else "real"


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
