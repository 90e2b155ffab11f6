"""One face track through the networks, and its lips against the sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avdetect.fusion_stream import with_fusion
from avdetect.models.sync import LIP_POINTS
from avdetect.sound_stream import SoundStream, compact, voice
from avdetect.streams import Arrays, WindowedStream
from avdetect.types import LAGS, MAX_LAG, Evidence, FaceTrack
from avdetect.visual_stream import VisualStream

if TYPE_CHECKING:
    from avdetect.detector import Detector

LIPS_STEP = 128


class TrackStream:
    """Fed with the pieces of a track in order; of one that has ended only embeddings and logits are kept.

    Args:
        detector: whose networks run.
        sound: of the whole file, from tick 0; ``None`` for a silent one.
    """

    def __init__(self, detector: Detector, sound: SoundStream | None):
        self._detector, self._sound = detector, sound
        self._start: int | None = None
        self._ticks = 0
        self._lips: list[Arrays] = []
        self._logits: np.ndarray | None = None
        self._windows = None
        if detector.pairs and sound is not None:
            self._windows = WindowedStream(
                lambda a: detector.run("lips", a["points"][None], a["mouths"][None], a["valid"][None]),
                step=LIPS_STEP,
                halo=detector.sync_reach,
            )
        self._visual = None
        if detector.net.visual is not None:
            self._visual = VisualStream(lambda faces, mouths: detector.run("visual", faces, mouths, batched=True))

    def push(self, track: FaceTrack, *, start_tick: int | None = None) -> None:
        """Add a piece; ``start_tick`` is where the track starts in the sound, if not where the piece says."""
        if self._start is None:
            self._start = track.start_tick if start_tick is None else start_tick
        if self._visual is not None:
            self._visual.push(track)
        if self._windows is not None:
            points = track.landmarks[:, LIP_POINTS].astype(np.float32)
            pieces = {"points": points, "mouths": track.mouths, "valid": track.visible}
            self._lips += [compact(r) for r in self._windows.push(pieces)]
        self._ticks += track.n_ticks

    def finish(self) -> None:
        """The track has ended: what waits for its neighbours goes through the networks, and no crop is kept."""
        if self._windows is not None:
            self._lips += [compact(r) for r in self._windows.finish()]
            self._lips = [{n: np.concatenate([r[n] for r in self._lips]) for n in self._lips[0]}]
            self._windows = None
        if self._visual is not None:
            self._logits, self._visual = self._visual.finish(), None

    def lips(self) -> Arrays:
        """Embeddings of the lips, and the ticks where they are ``known``; no piece can be added afterwards."""
        self.finish()
        assert self._lips, "the detector has no lips-and-sound pair, or there is no sound"
        return self._lips[0]

    def evidence(self, *, head: bool = True) -> Evidence:
        """What the networks say of the track; after the sound was finished. No piece can be added afterwards.

        Args:
            head: whether the fusion head runs, too.
        """
        detector, t = self._detector, self._ticks
        assert self._start is not None, "a track has at least one piece"
        self.finish()
        visual = np.full(t, np.nan, np.float32) if self._logits is None else self._logits
        similarity = np.full((t, len(LAGS)), np.nan, np.float32)
        audio = speech = np.full(t, np.nan, np.float32)
        if self._sound is not None:
            audio, speech = voice(self._sound.take(self._start, self._start + t))
            if self._lips:
                heard = self._sound.take(self._start - MAX_LAG, self._start + t + MAX_LAG)
                similarity = similarity_matrix(self.lips(), heard, detector.pairs)
        found = Evidence.only(t, visual=visual, audio=audio, speech=speech, similarity=similarity)
        return with_fusion(detector, found) if head else found


def similarity_matrix(lips: Arrays, heard: Arrays, pairs: list[str]) -> np.ndarray:
    """Mean over the pairs of the cosine of lips at tick ``i`` and sound at tick ``i + lag``; NaN where unknown.

    Args:
        lips: embeddings and ``known`` for ``t`` ticks.
        heard: embeddings and ``sync_known`` for the sound, ``MAX_LAG`` ticks more on either side.
        pairs: names of the embeddings.
    """
    t = len(lips["known"])
    out = np.full((t, len(LAGS)), np.nan, np.float32)
    seen = {n: lips[n].astype(np.float32) for n in pairs}
    sounds = {n: heard[n].astype(np.float32) for n in pairs if n in heard}
    if len(sounds) < len(pairs):
        return out
    for j in range(len(LAGS)):
        both = lips["known"] & heard["sync_known"][j : j + t]
        mean = sum(np.einsum("td,td->t", seen[n], sounds[n][j : j + t]) for n in pairs) / len(pairs)
        out[:, j] = np.where(both, mean, np.nan)
    return out
