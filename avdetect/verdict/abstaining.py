"""What could not be judged: by name for the report, as a bar to calling a file real, and in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.calibration import Calibration
from avdetect.types import AbstainReason
from avdetect.verdict.analysis import Analysis
from avdetect.verdict.combine import counting, uncounted_voices
from avdetect.verdict.spoken import amount, listens, spoken_s, unjudged_speech
from avdetect.verdict.tracks import TrackFindings
from avdetect.verdict.unread import missing_s

UNJUDGED = {
    "face": "the face",
    "voice": "the voice",
    "length": "enough of it",
    "rest": "the part that could not be read",
    "other voice": "a suspicious voice that no face in view speaks",
}
"""What `unjudged` may name, as the object of "none judged"."""


def abstentions(
    analysis: Analysis, findings: Sequence[TrackFindings], calibration: Calibration
) -> tuple[AbstainReason, ...]:
    """What could not be judged, in the order of the schema."""
    info = analysis.info
    faces = _faces(findings)
    has_sound = info.audio is not None and any(f.covered_s > 0 for f in findings)
    reasons: list[AbstainReason] = []
    if not faces and not analysis.glimpses:
        reasons.append("no_face")
    if not has_sound:
        reasons.append("no_audio")
    elif spoken_s(findings, calibration) < calibration.min_speech_s:
        reasons.append("no_speech")
    elif faces and all(f.speaking is False for f in faces):
        reasons.append("not_speaking")
    still = info.video is not None and info.video.is_still
    shown = faces or has_sound or analysis.glimpses
    if shown and not still and _longest_s(analysis, findings) < calibration.min_duration_s:
        reasons.append("too_short")
    if faces and all(f.faults for f in faces):
        reasons.append("low_quality")
    return tuple(reasons)


def unjudged(analysis: Analysis, findings: Sequence[TrackFindings], calibration: Calibration) -> tuple[str, ...]:
    """What the file shows and nobody judged, by the names of ``UNJUDGED``: bars to calling it real.

    A moving picture shows a face, found or not. A probability of the whole judges what the detector needs, and
    everything if it needs nothing in particular; of a picture without a face it judges nothing unless it needs one.
    """
    counted, needs, video = counting(findings), analysis.needs, analysis.info.video
    faces = [f for f in counted if f.has_face]
    speech = [f for f in counted if f.speech_s >= calibration.min_speech_s]
    looked, listened = not needs or "picture" in needs, listens(analysis)
    missing = []
    if faces:
        seen = any(f.visual is not None or (looked and f.whole is not None) for f in faces)
    else:
        seen = video is None or video.is_still or any("picture" in needs and f.whole is not None for f in counted)
    if not seen:
        missing.append("face")
    heard = any(f.audio is not None or (listened and f.whole is not None) for f in speech)
    if not heard and (speech or unjudged_speech(analysis, findings, calibration).total >= calibration.min_speech_s):
        missing.append("voice")
    if "too_short" in abstentions(analysis, findings, calibration) and (faces or not analysis.glimpses):
        missing.append("length")
    if missing_s(analysis) > 0:
        missing.append("rest")
    if uncounted_voices(findings, calibration):
        missing.append("other voice")
    return tuple(missing)


def not_called_real(missing: Sequence[str], findings: Sequence[TrackFindings]) -> str:
    """Why a file in which nothing suspicious was counted is not called real, as a sentence."""
    if "other voice" in missing:
        return "Nothing that counts is suspicious, but because of that voice the file is not called real."
    why = []
    if "face" in missing and "voice" in missing:
        why.append("neither face nor voice could be judged")
    elif "face" in missing:
        heard = any(f.audio is not None for f in findings)
        why.append("only the voice was judged" if heard else "the face could not be judged")
    elif "voice" in missing:
        why.append("the voice could not be judged")
    if "length" in missing:
        why.append("there was too little to see or hear")
    if "rest" in missing:
        why.append("part could not be read")
    return f"Nothing suspicious was found, but {' and '.join(why)}, so the file is not called real."


def abstained_sentence(
    reason: AbstainReason, analysis: Analysis, findings: Sequence[TrackFindings], calibration: Calibration
) -> str:
    """Why something was not judged, in words; empty for ``low_quality``, which is said of each face."""
    info, faces = analysis.info, _faces(findings)
    in_view = " while a face was in view" if faces else ""
    neither = "neither the voice nor the lip sync was judged" if info.video is not None else "the voice was not judged"
    if reason == "no_face":
        return "There is no picture." if info.video is None else "No face was found, so the picture was not judged."
    if reason == "no_audio":
        return (
            f"There is no sound, so {neither}." if info.audio is None else f"No sound was heard{in_view}, so {neither}."
        )
    if reason == "no_speech":
        some = spoken_s(findings, calibration) > 0
        speech = f"Less than {calibration.min_speech_s:.1f} s of speech" if some else "No speech"
        return f"{speech} was heard{in_view}, so {neither}."
    if reason == "not_speaking":
        return "Speech was heard, but no face in view is speaking it, so lip sync was not counted."
    if reason == "too_short":
        if analysis.glimpses and not faces:
            return "A face was seen, but too briefly to be judged."
        longest = _longest_s(analysis, findings)
        seen = "A face was seen" if faces else "Sound was heard"
        too_little = "too little to judge" if longest < calibration.min_speech_s else "too little to call a file real"
        return f"{seen} for only {amount(longest)} s, {too_little}."
    return ""


def unjudged_faces(findings: Sequence[TrackFindings], calibration: Calibration) -> list[tuple[TrackFindings, str]]:
    """The faces whose picture the detector could have judged and did not, with the reason in words."""
    found = []
    faces = _faces(findings)
    for f in faces:
        if f.visual is not None or f.whole is not None:
            continue
        if f.faults:
            found.append((f, f"it is {' and '.join(f.faults[:2])}"))
        elif f.too_small:
            found.append((f, "it is too small to tell whether it is generated or edited"))
        elif np.isfinite(f.track.evidence.visual).any() and (len(faces) > 1 or f.visible_s >= calibration.min_speech_s):
            found.append((f, f"less than {calibration.min_speech_s:.1f} s of it could be used"))
    return found


def _faces(findings: Sequence[TrackFindings]) -> list[TrackFindings]:
    return [f for f in findings if f.has_face and f.visible_s > 0]


def _longest_s(analysis: Analysis, findings: Sequence[TrackFindings]) -> float:
    """Seconds that the face longest in view is seen, or the sound is heard where no face was found."""
    if faces := _faces(findings):
        return max(f.visible_s for f in faces)
    return 0.0 if analysis.glimpses else max((f.covered_s for f in findings), default=0.0)
