"""What a detector found in a file, before anything is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32

from avdetect.types import TICK_RATE, Evidence, MediaInfo, Quality

NO_FACE_TRACK = -1
"""Track number of sound that has no face to it."""


@dataclass(frozen=True)
class TrackEvidence:
    """The evidence of one face track, or of sound without a face, on the file's clock.

    Attributes:
        track_id: number of the face, or ``NO_FACE_TRACK`` for sound without any face.
        start_tick: tick of the file's clock at which the arrays start.
        evidence: what the detector says, ``t`` ticks.
        quality: measures of the face per tick; ``None`` without a face.
        visible: whether the face was found at the tick; ``None`` without a face.
        audio_valid: whether the sound covers the tick (all false in a silent file).
        boxes: x0, y0, x1, y1 of the face in frame pixels, for overlays.
        lip_motion: activity of the lips per tick (``sync.speaking.lip_activity``), or ``None`` where not measured.
    """

    track_id: int
    start_tick: int
    evidence: Evidence
    quality: Quality | None
    visible: Bool[np.ndarray, " t"] | None
    audio_valid: Bool[np.ndarray, " t"]
    boxes: Float32[np.ndarray, "t 4"] | None = None
    lip_motion: Float32[np.ndarray, " t"] | None = None

    @property
    def n_ticks(self) -> int:
        """Number of ticks."""
        return len(self.audio_valid)

    @property
    def start_s(self) -> float:
        """Start on the file's clock, seconds."""
        return self.start_tick / TICK_RATE

    @property
    def end_s(self) -> float:
        """End on the file's clock, seconds."""
        return (self.start_tick + self.n_ticks) / TICK_RATE


@dataclass(frozen=True)
class Analysis:
    """Everything that was measured in one file.

    Attributes:
        info: what probing found.
        sha256: of the file's bytes, hexadecimal.
        tracks: faces in order of appearance, and sound without a face last.
        warnings: full sentences about what was left out (a damaged stretch, a limit reached).
        needs: which of ``picture`` and ``sound`` the detector judges clips by; empty = by whatever there is.
        read_s: where what could be read of the file ends, seconds; ``None`` where nobody looked.
        glimpses: faces that were seen too briefly to become a track.
        speech: probability in [0, 1] that somebody speaks, at each tick of the file, NaN where not measured; ``None``
            where nobody listened but under the tracks.
        unheard_s: seconds of sound that no track covers and that nobody listened to, not even for speech.
    """

    info: MediaInfo
    sha256: str
    tracks: Sequence[TrackEvidence]
    warnings: Sequence[str] = field(default=())
    needs: frozenset[str] = frozenset()
    read_s: float | None = None
    glimpses: int = 0
    speech: Float32[np.ndarray, " n"] | None = None
    unheard_s: float = 0.0
