"""The sound of a file through the networks: embeddings, voice logits and speech, tick by tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avdetect.fusion_stream import with_fusion
from avdetect.streams import Arrays, WindowedStream
from avdetect.types import SAMPLES_PER_TICK, Evidence

if TYPE_CHECKING:
    from avdetect.detector import Detector

STEP = 192
EMBEDDING_TYPE = np.float16
"""Embeddings are kept in half precision: those of a two-hour file take 92 MB."""


class SoundStream:
    """Fed with sound from the first tick of the file on."""

    def __init__(self, detector: Detector):
        self._detector = detector
        self._windows = WindowedStream(
            lambda a: detector.run("sound", a["audio"].reshape(1, -1), a["valid"][None]),
            step=STEP,
            halo=detector.sound_halo,
        )
        self._results: list[Arrays] = []

    def push(self, audio: np.ndarray, valid: np.ndarray) -> None:
        """Add ``640 n`` samples and whether each of their ``n`` ticks is covered."""
        ticks = audio.reshape(-1, SAMPLES_PER_TICK).astype(np.float32, copy=False)
        self._results += [compact(r) for r in self._windows.push({"audio": ticks, "valid": valid})]

    def finish(self) -> None:
        """No more sound will come."""
        self._results += [compact(r) for r in self._windows.finish()]
        if self._results:
            self._results = [{n: np.concatenate([r[n] for r in self._results]) for n in self._results[0]}]

    def take(self, start: int, stop: int) -> Arrays:
        """Results of ticks ``start`` to ``stop`` after ``finish``; ticks outside the sound are zeros, not known."""
        joined = self._results[0] if self._results else {"known": np.zeros(0, bool)}
        total = len(joined["known"])
        low, high = min(max(start, 0), total), min(max(stop, 0), total)
        out = {}
        for name, array in joined.items():
            out[name] = np.zeros((stop - start, *array.shape[1:]), array.dtype)
            out[name][low - start : high - start] = array[low:high]
        return out

    def evidence(self, *, head: bool = True) -> Evidence:
        """Of sound without a face; ``head`` as `avdetect.track_stream.TrackStream.evidence`."""
        sound = self._results[0]
        audio, speech = voice(sound)
        found = Evidence.only(len(sound["known"]), audio=audio, speech=speech)
        return with_fusion(self._detector, found) if head else found


def compact(result: Arrays) -> Arrays:
    """Embeddings in half precision, everything else as it is."""
    return {n: a.astype(EMBEDDING_TYPE) if a.ndim == 2 else a for n, a in result.items()}


def voice(sound: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Voice logits and speech probabilities, NaN where they were not measured."""
    if "audio" not in sound:
        nothing = np.full(len(sound["known"]), np.nan, np.float32)
        return nothing, nothing
    known = sound["known"]
    audio = np.where(known, sound["audio"], np.nan).astype(np.float32)
    speech = np.where(known, 1 / (1 + np.exp(-sound["speech"])), np.nan).astype(np.float32)
    return audio, speech
