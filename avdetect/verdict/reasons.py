"""The reasons of a verdict, in full sentences that a person can check against the file."""

from __future__ import annotations

from collections.abc import Sequence

from avdetect.calibration import Calibration
from avdetect.sync.band import band_sentence
from avdetect.sync.drift import Drift
from avdetect.types import TICK_RATE, AbstainReason, Segment, VerdictName
from avdetect.verdict.analysis import Analysis
from avdetect.verdict.combine import branch_probability, contributions, counting, harmless
from avdetect.verdict.tracks import TrackFindings

ABSTAINED: dict[AbstainReason, str] = {
    "no_face": "No face was found, so the picture was not judged.",
    "no_audio": "There is no sound, so neither the voice nor the lip sync was judged.",
    "no_speech": "Nobody was heard speaking, so neither the voice nor the lip sync was judged.",
    "not_speaking": "Speech was heard, but no visible face is speaking it, so lip sync was not counted.",
    "too_short": "There is too little of the face or the sound to judge.",
}
_LOOKS = {
    "visual": ("The face looks generated or edited", "The face may be generated or edited"),
    "audio": ("The voice sounds generated", "The voice may be generated"),
    "sync": ("Lips and sound disagree", "Lips and sound may not belong together"),
    "whole": ("It looks forged", "It may be forged"),
}
"""What is said from ``fake_above``, and below it."""
_NOUNS = {"visual": "the face", "audio": "the voice", "sync": "the lip sync", "whole": "the clip as a whole"}
MAX_SEGMENTS = 5
"""Segments named in the reasons; the report lists all."""


def explain(
    analysis: Analysis,
    findings: Sequence[TrackFindings],
    verdict: VerdictName,
    probability: float | None,
    abstained: Sequence[AbstainReason],
    segments: Sequence[Segment],
    calibration: Calibration,
) -> tuple[str, ...]:
    """Reasons, most important first: what accuses, what clears, the offset, what was not judged, what was left out."""
    counted = counting(findings)
    lines = [*_accusations(counted, segments, calibration)]
    if verdict == "fake" and probability is not None:
        lines += _together(counted, probability, calibration)
    lines += _acquittals(counted, calibration)
    if verdict == "inconclusive" and probability is not None and probability > calibration.real_below:
        lines.append(
            f"The probability of a fake is {probability:.2f}, between the {calibration.real_below:.2f} below which a "
            f"file is called real and the {calibration.fake_above:.2f} from which it is called fake."
        )
    elif verdict == "inconclusive" and probability is not None:
        lines.append(
            "Nothing suspicious was found, but not everything could be judged, so the file is not called real."
        )
    lines += _timing(findings)
    lines += [ABSTAINED[reason] if reason in ABSTAINED else _too_bad(findings) for reason in abstained]
    if any(f.has_face for f in counted) and all(f.too_small for f in counted if f.has_face):
        lines.append("The face is too small to tell whether it is generated or edited.")
    lines += list(analysis.warnings)
    return tuple(dict.fromkeys(lines))


def _accusations(counted: Sequence[TrackFindings], segments: Sequence[Segment], calibration: Calibration) -> list[str]:
    lines = []
    weight = _weights(counted, calibration)
    for kind, (surely, perhaps) in _LOOKS.items():
        first = weight.get(kind, 0.0)
        values = [p for f in counted if (p := branch_probability(f, kind)) is not None]
        if not values or max(values) < calibration.segments.leave or harmless(kind, max(values), calibration):
            continue
        here = sorted((s for s in segments if s.kind == kind), key=lambda s: -s.probability)
        if not here:
            looks = surely if max(values) >= calibration.fake_above else perhaps
            lines.append((first, max(values), f"{looks}, taken as a whole (p {max(values):.2f})."))
        for s in here[:MAX_SEGMENTS]:
            looks = surely if s.probability >= calibration.fake_above else perhaps
            lines.append(
                (first, s.probability, f"{looks} from {s.start_s:.1f} to {s.end_s:.1f} s (p {s.probability:.2f}).")
            )
        if len(here) > MAX_SEGMENTS:
            lines.append((-1.0, 0.0, f"{surely} in {len(here) - MAX_SEGMENTS} more stretches, listed in the report."))
    return [line for *_, line in sorted(lines, key=lambda item: (-item[0], -item[1]))]


def _weights(counted: Sequence[TrackFindings], calibration: Calibration) -> dict[str, float]:
    """By what the accusations are ordered before their probability: what each branch adds, where branches add up."""
    return contributions(counted, calibration) if calibration.rule.name == "logistic" else {}


def _together(counted: Sequence[TrackFindings], probability: float, calibration: Calibration) -> list[str]:
    """Which branch makes most of a verdict to which several add."""
    parts = contributions(counted, calibration)
    if calibration.rule.name == "max" or not parts:
        return []
    most = max(parts, key=lambda kind: parts[kind])
    alone = f"it rests on {_NOUNS[most]} alone" if len(parts) == 1 else f"{_NOUNS[most]} contributes most"
    return [f"Together this gives a probability of a fake of {probability:.2f}; {alone}."]


def _acquittals(counted: Sequence[TrackFindings], calibration: Calibration) -> list[str]:
    lines = []
    clears = {
        "visual": "The face shows no sign of being generated or edited",
        "audio": "The voice shows no sign of being generated",
        "sync": "Lips and sound fit, which by itself does not make a video genuine",
        "whole": "There is no sign of forgery, taken as a whole",
    }
    for kind, text in clears.items():
        values = [p for f in counted if (p := branch_probability(f, kind)) is not None]
        if values and max(values) <= calibration.real_below:
            lines.append(f"{text} (p {max(values):.2f}).")
    return lines


def _timing(findings: Sequence[TrackFindings]) -> list[str]:
    lines = []
    several = sum(f.has_face for f in findings) > 1
    for f in findings:
        e = f.estimate
        if e is None or f.speaking is False:
            continue
        who = f" (face {f.track.track_id})" if several else ""
        lines.append(band_sentence(e.offset_ms, e.ci_ms, at_end=e.at_end, who=who))
        if len(f.offset_segments) > 1:
            jumps = [f.track.start_s + s.start / TICK_RATE for s in f.offset_segments[1:]]
            times = ", ".join(f"{t:.1f}" for t in jumps[:MAX_SEGMENTS]) + (" ..." if len(jumps) > MAX_SEGMENTS else "")
            lines.append(f"The offset{who} jumps at {times} s.")
        if drift := drift_sentence(f.drift, who=who):
            lines.append(drift)
    return lines


def drift_sentence(drift: Drift, *, who: str = "") -> str:
    """The drift as a sentence; empty where there is none or it cannot be told from none."""
    if drift.ppm is None or drift.ci_ppm is None or drift.ci_ppm[0] * drift.ci_ppm[1] <= 0:
        return ""
    way = "later" if drift.ppm > 0 else "earlier"
    return f"The sound{who} gets {abs(drift.ppm) * 0.06:.0f} ms {way} every minute ({drift.ppm:+.0f} ppm)."


def _too_bad(findings: Sequence[TrackFindings]) -> str:
    """Why no face is good enough, after the faults of the face that is longest in view."""
    faces = [f for f in findings if f.faults]
    faults = max(faces, key=lambda f: f.visible_s).faults[:2] if faces else ("too badly seen",)
    return f"The face is {' and '.join(faults)} to be judged."
