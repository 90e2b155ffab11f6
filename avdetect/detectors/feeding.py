"""What comes of a face track, or of sound alone, on its way to the detectors, and their evidence on the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from avdetect.detectors.asking import Batches, joined, why_unfit
from avdetect.detectors.buffers import SoundBuffer, TrackBuffer
from avdetect.detectors.windows import Window, Windows
from avdetect.track_notes import TrackNotes
from avdetect.types import Clip, Evidence, FaceTrack
from avdetect.verdict import NO_FACE_TRACK, TrackEvidence


class Stretches:
    """Cuts something that grows into stretches, for each detector its own, and keeps what is said of them.

    Args:
        batches: of the detectors.
        clip: makes the clip of a stretch.
    """

    def __init__(self, batches: Sequence[Batches], clip: Callable[[int, int], Clip]):
        self._batches, self._clip = batches, clip
        self._windows = [Windows(b.named.contract, fixed=b.named.detector.jittable) for b in batches]
        self._parts: list[list[tuple[Window, Evidence]]] = [[] for _ in batches]
        self.over = False

    def grow(self, n_ticks: int) -> None:
        """So many more ticks are there."""
        for i, windows in enumerate(self._windows):
            self._ask(i, windows.push(n_ticks))

    def finish(self) -> None:
        """Nothing more will come."""
        if not self.over:
            self.over = True
            for i, windows in enumerate(self._windows):
                self._ask(i, windows.finish())

    def _ask(self, i: int, ready: Sequence[Window]) -> None:
        for window in ready:
            clip = self._clip(*window)
            if not why_unfit(self._batches[i].named, clip):
                parts = self._parts[i]
                self._batches[i].add(clip, lambda evidence, to=parts, at=window: to.append((at, evidence)))

    @property
    def needed_from(self) -> int:
        """First tick that a later stretch may hold."""
        return min(windows.needed_from for windows in self._windows)

    def evidence(self, i: int, n_ticks: int) -> Evidence:
        """What detector ``i`` says of all ticks, after its last batch.

        Raises:
            PluginError: what it says of the stretches does not fit together.
        """
        return joined(self._batches[i].named, self._parts[i], n_ticks)


class TrackFeed:
    """A face and its sound.

    Args:
        first: its first piece (to be pushed as well).
        batches: of the detectors.
        sound: of the file; ``None`` if it is silent.
    """

    def __init__(self, first: FaceTrack, batches: Sequence[Batches], sound: SoundBuffer | None):
        self._notes, self._buffer, self._sound = TrackNotes(first), TrackBuffer(), sound
        self._stretches = Stretches(batches, self._clip)

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._stretches.over

    @property
    def needed_from(self) -> int:
        """Tick of the file from which sound may still be needed."""
        return self._notes.start + self._stretches.needed_from

    def push(self, piece: FaceTrack) -> None:
        """Add the next piece; its sound is there."""
        self._notes.push(piece)
        self._buffer.push(piece)
        self._stretches.grow(piece.n_ticks)
        self._buffer.drop(self._stretches.needed_from)
        if piece.ended:
            self.finish()

    def finish(self) -> None:
        """Nothing more will come."""
        self._stretches.finish()
        self._buffer = TrackBuffer()

    def _clip(self, start: int, stop: int) -> Clip:
        track = self._buffer.take(start, stop)
        if self._sound is None:
            return Clip(track=track, audio=None, audio_valid=np.zeros(track.n_ticks, bool))
        audio, valid = self._sound.take(track.start_tick, track.start_tick + track.n_ticks)
        return Clip(track=track, audio=audio, audio_valid=valid)

    def evidence(self, i: int, audio_valid: np.ndarray) -> TrackEvidence:
        """What detector ``i`` says; ``audio_valid`` is of the file."""
        return self._notes.with_evidence(self._stretches.evidence(i, self._notes.n_ticks), audio_valid)


class SoundFeed:
    """Sound without a face.

    Args:
        batches: of the detectors.
    """

    def __init__(self, batches: Sequence[Batches]):
        self._sound = SoundBuffer()
        self._stretches = Stretches(batches, self._clip)

    def push(self, start_tick: int, audio: np.ndarray, valid: np.ndarray) -> None:
        """Add a block."""
        self._sound.push(start_tick, audio, valid)
        self._stretches.grow(len(valid))
        self._sound.drop(self._stretches.needed_from)

    def finish(self) -> None:
        """Nothing more will come."""
        self._stretches.finish()

    def _clip(self, start: int, stop: int) -> Clip:
        audio, valid = self._sound.take(start, stop)
        return Clip(track=None, audio=audio, audio_valid=valid)

    def evidence(self, i: int, audio_valid: np.ndarray) -> TrackEvidence:
        """What detector ``i`` says; ``audio_valid`` is of the file."""
        return TrackEvidence(
            track_id=NO_FACE_TRACK,
            start_tick=0,
            evidence=self._stretches.evidence(i, len(audio_valid)),
            quality=None,
            visible=None,
            audio_valid=audio_valid,
        )
