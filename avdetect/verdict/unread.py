"""How much of a file could not be read, by what its container says of its length."""

from __future__ import annotations

import numpy as np

from avdetect.types import TICK_RATE, MediaBlock
from avdetect.verdict.analysis import Analysis

STATING = frozenset("mov matroska avi flv asf mxf wav w64 aiff caf flac".split())
"""First names of the containers that state their length. Of others (a bare MP3) it is guessed from the bit rate."""
MISSING_S = 0.5
MISSING_SHARE = 0.1
"""What is missing is named where it is more than both: lengths are rounded, and last frames have no end."""


def content_end_s(block: MediaBlock) -> float:
    """Where the last picture or sound of a block ends, seconds of the file; 0 where it has neither."""
    filled = np.flatnonzero(block.frame_valid | block.audio_valid)
    return float(block.start_tick + filled[-1] + 1) / TICK_RATE if len(filled) else 0.0


def missing_s(analysis: Analysis) -> float:
    """Seconds at the end of the file that its container promises and that could not be read; 0 if it is whole.

    The length of a file is that of its longest stream, so a stream that ends early in a whole file is not missed.
    """
    info, read_s = analysis.info, analysis.read_s
    if read_s is None or info.container.split(",")[0] not in STATING or not np.isfinite(info.duration_s):
        return 0.0
    missing = info.duration_s - read_s
    return missing if missing > max(MISSING_S, MISSING_SHARE * info.duration_s) else 0.0


def unread_sentence(analysis: Analysis) -> str:
    """How much could be read, as a sentence; empty where all of it could."""
    if missing_s(analysis) == 0:
        return ""
    read_s = analysis.read_s or 0.0
    return f"Only {read_s:.1f} of {analysis.info.duration_s:.1f} s could be read; the rest was not judged."


def as_sentence(note: str) -> str:
    """A note on damage as a full sentence.

    Examples:
        >>> as_sentence("a picture packet could not be decoded (37 times)")
        'A picture packet could not be decoded (37 times).'
    """
    note = note.strip()
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "!", "?")) else ".")
