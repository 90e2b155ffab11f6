"""An offset against what viewers accept: the acceptability band of ITU-R BT.1359, -45 ms (early) to +125 ms (late)."""

from __future__ import annotations

from typing import Literal

from avdetect.types import offset_text

BAND_MS = (-45.0, 125.0)
"""ITU-R BT.1359-1: sound 45 ms early to 125 ms late is the threshold at which viewers notice. (BT.1359 counts sound
early as positive; here late is positive, as everywhere in this package.)"""
WIDE_MS = 200.0
"""An offset whose 95 % interval is more than this wide to either side, on the mean, is not said as if it were known."""
BandVerdict = Literal["within", "sound early", "sound late", "cannot tell"]


def band_verdict(offset_ms: float | None, ci_ms: tuple[float, float] | None) -> BandVerdict:
    """Where an offset lies, taking its interval into account.

    ``within`` or outside only if the whole 95 % interval agrees; an interval that crosses an edge of the band, or no
    interval at all, is ``cannot tell``.
    """
    if offset_ms is None or ci_ms is None:
        return "cannot tell"
    low, high = ci_ms
    if high < BAND_MS[0]:
        return "sound early"
    if low > BAND_MS[1]:
        return "sound late"
    return "within" if low >= BAND_MS[0] and high <= BAND_MS[1] else "cannot tell"


def too_wide(ci_ms: tuple[float, float] | None) -> bool:
    """Whether an interval leaves an offset as good as unknown (``WIDE_MS``); one that is missing does not."""
    return ci_ms is not None and ci_ms[1] - ci_ms[0] > 2 * WIDE_MS


def band_sentence(offset_ms: float | None, ci_ms: tuple[float, float] | None, *, at_end: bool = False) -> str:
    """The offset and where it lies, as a sentence; of one that is hardly known, between what it lies.

    Examples:
        >>> band_sentence(320.0, (300.0, 335.0))
        'The sound is 320 ms late (95 % interval +300 to +335 ms), outside the -45 to +125 ms that viewers accept.'
        >>> band_sentence(-30.0, (-455.0, 450.0))
        'The sound may be anywhere from 455 ms early to 450 ms late (95 % interval): the offset is not known.'
    """
    if offset_ms is None:
        why = " (it may lie beyond the range searched)" if at_end else ""
        return f"The lip-sync offset could not be measured{why}."
    text = offset_text(offset_ms)
    text = text[0].upper() + text[1:] if text.startswith("sound and") else "The " + text
    if ci_ms is None:
        return f"{text}; there is too little speech for an interval."
    if too_wide(ci_ms):
        low, high = (offset_text(end).removeprefix("sound is ") if round(end) else "0 ms" for end in ci_ms)
        return f"The sound may be anywhere from {low} to {high} (95 % interval): the offset is not known."
    verdict = band_verdict(offset_ms, ci_ms)
    where = {
        "within": "within the -45 to +125 ms that viewers accept",
        "sound early": "outside the -45 to +125 ms that viewers accept",
        "sound late": "outside the -45 to +125 ms that viewers accept",
        "cannot tell": "which may or may not be within the -45 to +125 ms that viewers accept",
    }[verdict]
    return f"{text} (95 % interval {ci_ms[0]:+.0f} to {ci_ms[1]:+.0f} ms), {where}."
