"""The speech of a file, whoever is in view: how much was heard under the faces, and how much of it nobody judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from avdetect.calibration import Calibration
from avdetect.types import TICK_RATE
from avdetect.verdict.analysis import Analysis, TrackEvidence
from avdetect.verdict.tracks import TrackFindings, speech_ticks


@dataclass(frozen=True)
class Unjudged:
    """Seconds of speech that no detector judged.

    Attributes:
        faceless: no track covers it.
        brief: the tracks that cover it have less than ``min_speech_s`` of speech each.
        other: the rest, under tracks with enough of it.
        sound: no track covers it, and nobody told whether it is speech (`Analysis.unheard_s`).
    """

    faceless: float
    brief: float
    other: float
    sound: float

    @property
    def total(self) -> float:
        """All of it; sound of which nobody told is taken for speech."""
        return self.faceless + self.brief + self.other + self.sound


def spoken_s(findings: Sequence[TrackFindings], calibration: Calibration) -> float:
    """Seconds of speech under the tracks; what several of them cover counts once."""
    return _seconds(_spoken([f.track for f in findings], calibration, _end(findings)))


def unjudged_speech(analysis: Analysis, findings: Sequence[TrackFindings], calibration: Calibration) -> Unjudged:
    """The speech of the whole file without that under tracks whose voice was judged, or that were judged as a whole."""
    speech = analysis.speech if analysis.speech is not None else np.zeros(0, np.float32)
    n = max(_end(findings), len(speech))
    spoken = _spoken([f.track for f in findings], calibration, n)
    spoken[: len(speech)] |= np.nan_to_num(speech, nan=0.0) >= calibration.speech_probability
    listened = listens(analysis)
    left = spoken & ~under((f.track for f in findings if f.audio is not None or (listened and f.whole is not None)), n)
    long = under((f.track for f in findings if f.speech_s >= calibration.min_speech_s), n)
    covered = under((f.track for f in findings), n)
    return Unjudged(
        faceless=_seconds(left & ~covered),
        brief=_seconds(left & covered & ~long),
        other=_seconds(left & long),
        sound=analysis.unheard_s,
    )


def listens(analysis: Analysis) -> bool:
    """Whether a probability of the whole is of the sound, too."""
    return not analysis.needs or "sound" in analysis.needs


def unjudged_sentences(unjudged: Unjudged, calibration: Calibration) -> list[str]:
    """What was not judged for want of a face, or of enough speech to one; nothing of less than ``min_speech_s``."""
    no_face = "heard while no face was in view"
    parts = {
        f"Speech of {{}} s, {no_face},": unjudged.faceless,
        f"Speech of {{}} s, heard with faces in view for less than {calibration.min_speech_s:.1f} s of it each,": (
            unjudged.brief
        ),
        f"Sound of {{}} s, {no_face},": unjudged.sound,
    }
    if sum(parts.values()) < calibration.min_speech_s:
        return []
    return [f"{text.format(amount(seconds))} was not judged." for text, seconds in parts.items() if seconds > 0]


def amount(seconds: float) -> str:
    """Seconds as text, to a tenth unless that would be none.

    Examples:
        >>> amount(6.02), amount(0.04)
        ('6.0', '0.04')
    """
    return f"{seconds:.1f}" if seconds >= 0.1 else f"{seconds:.2f}"


def _end(findings: Sequence[TrackFindings]) -> int:
    return max((f.track.start_tick + f.track.n_ticks for f in findings), default=0)


def _seconds(ticks: np.ndarray) -> float:
    return float(ticks.sum()) / TICK_RATE


def _spoken(tracks: Iterable[TrackEvidence], calibration: Calibration, n: int) -> Bool[np.ndarray, " n"]:
    """Ticks of the file with speech under some track."""
    ticks = np.zeros(n, bool)
    for track in tracks:
        ticks[track.start_tick : track.start_tick + track.n_ticks] |= speech_ticks(track, calibration)
    return ticks


def under(tracks: Iterable[TrackEvidence], n: int) -> Bool[np.ndarray, " n"]:
    """Ticks of the file that some track covers."""
    ticks = np.zeros(n, bool)
    for track in tracks:
        ticks[track.start_tick : track.start_tick + track.n_ticks] = True
    return ticks
