"""The reasons of a verdict, in full sentences that a person can check against the file."""

from __future__ import annotations

from collections.abc import Sequence

from avdetect.calibration import Calibration
from avdetect.types import AbstainReason, Segment, VerdictName
from avdetect.verdict.abstaining import abstained_sentence, not_called_real, unjudged_faces
from avdetect.verdict.analysis import Analysis
from avdetect.verdict.combine import accuses, branch_values, contributions, counting, uncounted_voices
from avdetect.verdict.spoken import unjudged_sentences, unjudged_speech
from avdetect.verdict.timing import timing
from avdetect.verdict.tracks import TrackFindings
from avdetect.verdict.unread import as_sentence, unread_sentence

_LOOKS = {
    "visual": ("{} looks generated or edited", "{} may be generated or edited"),
    "audio": ("The voice sounds generated", "The voice may be generated"),
    "sync": (
        "Lips and sound disagree, or are more than 600 ms apart,",
        "Lips and sound may not belong together, or are more than 600 ms apart,",
    ),
    "whole": ("It looks forged", "It may be forged"),
}
"""What is said from ``fake_above``, and below it."""
_CLEARS = {
    "audio": "The voice shows no sign of being generated",
    "sync": "Lips and sound fit, which by itself does not make a video genuine",
    "whole": "There is no sign of forgery, taken as a whole",
}
_OPEN = {
    "audio": "The voice could not be told either way",
    "sync": "Whether lips and sound belong together could not be told",
    "whole": "The clip as a whole could not be told either way",
}
"""What is said of a branch that neither accuses nor clears."""
_NOUNS = {"visual": "the face", "audio": "the voice", "sync": "the lip sync", "whole": "the clip as a whole"}
MAX_NAMED = 5
"""Segments and faces named in the reasons; the report lists all."""


def explain(
    analysis: Analysis,
    findings: Sequence[TrackFindings],
    verdict: VerdictName,
    probability: float | None,
    abstained: Sequence[AbstainReason],
    missing: Sequence[str],
    segments: Sequence[Segment],
    calibration: Calibration,
) -> tuple[str, ...]:
    """Reasons, most important first: what accuses, what is open or clear, the offset, what was not judged or left out.

    Every branch that counts is in one of the first three.
    """
    lines = [*_accusations(findings, segments, calibration)]
    if verdict == "fake" and probability is not None:
        lines += _together(findings, probability, calibration)
    lines += _other_voices(findings, calibration)
    opened, cleared = _open_and_clear(findings, calibration)
    lines += [*opened, *cleared]
    if verdict == "real" and opened:
        lines.append(
            f"All in all the probability of a fake is {probability:.2f}, not above the {calibration.real_below:.2f} up "
            "to which a file is called real."
        )
    elif verdict == "inconclusive" and probability is not None and probability > calibration.real_below:
        lines.append(
            f"The probability of a fake is {probability:.2f}, between the {calibration.real_below:.2f} below which a "
            f"file is called real and the {calibration.fake_above:.2f} from which it is called fake."
        )
    elif verdict == "inconclusive" and probability is not None:
        lines.append(not_called_real(missing, findings))
    lines.append(unread_sentence(analysis))
    lines += timing(findings, calibration)
    lines += [abstained_sentence(reason, analysis, findings, calibration) for reason in abstained]
    lines += unjudged_sentences(unjudged_speech(analysis, findings, calibration), calibration)
    lines += _unjudged(findings, calibration)
    lines += map(as_sentence, analysis.warnings)
    return tuple(dict.fromkeys(line for line in lines if line))


def _accusations(findings: Sequence[TrackFindings], segments: Sequence[Segment], calibration: Calibration) -> list[str]:
    lines = []
    weight = contributions(findings, calibration) if calibration.rule.name == "logistic" else {}
    for kind, looks in _LOOKS.items():
        values = branch_values(findings, kind)
        if kind == "visual":
            accused = [(f, p) for f, p in values if accuses(kind, p, calibration)]
            worst = sorted(accused, key=lambda item: -item[1])[:MAX_NAMED]
            groups = [(_face(f, findings), p, f.segments, _silent(f, findings)) for f, p in worst]
            if len(accused) > MAX_NAMED:
                lines.append((-1.0, 0.0, f"{len(accused) - MAX_NAMED} more faces may be generated or edited."))
        else:
            highest = max((p for _, p in values), default=0.0)
            groups = [("", highest, segments, "")] if accuses(kind, highest, calibration) else []
        for who, probability, stretches, tail in groups:
            surely, perhaps = (text.format(who) for text in looks)
            here = sorted((s for s in stretches if s.kind == kind), key=lambda s: -s.probability)
            first = weight.get(kind, 0.0)
            if not here:
                text = surely if probability >= calibration.fake_above else perhaps
                lines.append(
                    (first, probability, f"{text}{_pause(text)} taken as a whole (p {probability:.2f}){tail}.")
                )
            for s in here[:MAX_NAMED]:
                text = surely if s.probability >= calibration.fake_above else perhaps
                when = f"from {s.start_s:.1f} to {s.end_s:.1f} s (p {s.probability:.2f})"
                lines.append((first, s.probability, f"{text} {when}{tail}."))
            if len(here) > MAX_NAMED:
                more = f"{len(here) - MAX_NAMED} more stretches, listed in the report"
                lines.append((-1.0, 0.0, f"{perhaps}{_pause(perhaps)} in {more}."))
    return [line for *_, line in sorted(lines, key=lambda item: (-item[0], -item[1]))]


def _pause(text: str) -> str:
    return "" if text.endswith(",") else ","


def _face(f: TrackFindings, findings: Sequence[TrackFindings]) -> str:
    return f"Face {f.track.track_id}" if sum(g.has_face for g in findings) > 1 else "The face"


def _silent(f: TrackFindings, findings: Sequence[TrackFindings]) -> str:
    """That a face is one that does not speak, where others do."""
    if any(f is other for other in counting(findings)):
        return ""
    return "; it does not speak" if f.speaking is False or f.speech_s == 0 else "; it was not found to speak"


def _together(findings: Sequence[TrackFindings], probability: float, calibration: Calibration) -> list[str]:
    """Which branch makes most of a verdict to which several add."""
    parts = contributions(findings, calibration)
    if calibration.rule.name == "max" or not parts:
        return []
    most = max(parts, key=lambda kind: parts[kind])
    alone = f"it rests on {_NOUNS[most]} alone" if len(parts) == 1 else f"{_NOUNS[most]} contributes most"
    return [f"Together this gives a probability of a fake of {probability:.2f}; {alone}."]


def _other_voices(findings: Sequence[TrackFindings], calibration: Calibration) -> list[str]:
    return [
        f"The voice heard while face {f.track.track_id} is in view may be generated (p {f.audio:.2f}); "
        "it was not counted, because that face does not speak."
        for f in uncounted_voices(findings, calibration)[:MAX_NAMED]
    ]


def _open_and_clear(findings: Sequence[TrackFindings], calibration: Calibration) -> tuple[list[str], list[str]]:
    """What is said of the branches that accuse nobody: those of which nothing could be told, and the clear."""
    opened, cleared = [], []
    faces = [(f, p) for f, p in branch_values(findings, "visual") if not accuses("visual", p, calibration)]
    for group, text, lines in (
        ([g for g in faces if g[1] > calibration.real_below], "could not be told either way", opened),
        ([g for g in faces if g[1] <= calibration.real_below], "shows no sign of being generated or edited", cleared),
    ):
        if group:
            lines.append(_of_faces(group, text, findings))
    for kind in ("audio", "sync", "whole"):
        highest = max((p for _, p in branch_values(findings, kind)), default=None)
        if highest is None or accuses(kind, highest, calibration):
            continue
        if highest <= calibration.real_below:
            cleared.append(f"{_CLEARS[kind]} (p {highest:.2f}).")
        else:
            opened.append(f"{_OPEN[kind]} (p {highest:.2f}).")
    return opened, cleared


def _of_faces(group: Sequence[tuple[TrackFindings, float]], text: str, findings: Sequence[TrackFindings]) -> str:
    """One sentence about several faces."""
    highest = max(p for _, p in group)
    if len(group) == 1:
        return f"{_face(group[0][0], findings)} {text} (p {highest:.2f})."
    numbers = [str(f.track.track_id) for f, _ in group]
    named = ", ".join(numbers[:MAX_NAMED]) + (" ..." if len(numbers) > MAX_NAMED else "")
    return f"Faces {named} {text.replace('shows', 'show')} (p {highest:.2f} at the most)."


def _unjudged(findings: Sequence[TrackFindings], calibration: Calibration) -> list[str]:
    """The faces that could not be judged, by name where there are several."""
    found = unjudged_faces(findings, calibration)
    lines = []
    for f, why in found[:MAX_NAMED]:
        when = f" ({f.track.start_s:.1f} to {f.track.end_s:.1f} s)"
        who = _face(f, findings)
        lines.append(f"{who}{'' if who == 'The face' else when} could not be judged: {why}.")
    if len(found) > MAX_NAMED:
        lines.append(f"{len(found) - MAX_NAMED} more faces could not be judged.")
    return lines
