"""What is measured of a face track beside what a detector says of it."""

from __future__ import annotations

import dataclasses

import numpy as np

from avdetect.sync.speaking import lip_activity, mouth_opening
from avdetect.types import Evidence, FaceTrack, Quality
from avdetect.verdict import TrackEvidence


class TrackNotes:
    """Fed with the pieces of a track in order; of each only small arrays are kept."""

    def __init__(self, first: FaceTrack):
        self.track_id, self.start = first.track_id, first.start_tick
        self._quality: list[Quality] = []
        self._visible: list[np.ndarray] = []
        self._boxes: list[np.ndarray] = []
        self._opening: list[np.ndarray] = []

    def push(self, piece: FaceTrack) -> None:
        """Add the next piece."""
        self._quality.append(piece.quality)
        self._visible.append(piece.visible)
        self._boxes.append(piece.boxes)
        self._opening.append(mouth_opening(piece.landmarks))

    @property
    def n_ticks(self) -> int:
        """Length so far."""
        return sum(map(len, self._visible))

    def with_evidence(self, evidence: Evidence, audio_valid: np.ndarray) -> TrackEvidence:
        """The evidence of the whole track with the rest.

        Args:
            evidence: of all its ticks.
            audio_valid: which ticks of the file the sound covers.
        """
        visible = np.concatenate(self._visible)
        n = len(visible)
        mask = np.zeros(n, bool)
        part = audio_valid[self.start : self.start + n]
        mask[: len(part)] = part
        names = [f.name for f in dataclasses.fields(Quality)]
        return TrackEvidence(
            track_id=self.track_id,
            start_tick=self.start,
            evidence=evidence,
            quality=Quality(**{m: np.concatenate([getattr(q, m) for q in self._quality]) for m in names}),
            visible=visible,
            audio_valid=mask,
            boxes=np.concatenate(self._boxes),
            lip_motion=lip_activity(np.concatenate(self._opening), visible),
        )
