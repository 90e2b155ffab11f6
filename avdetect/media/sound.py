"""Decoded sound becomes one mono stream at 16 kHz that starts at tick 0.

The resampler is soxr at the quality that librosa calls ``soxr_hq``, fed piece by piece: it has no delay of its own
and gives what resampling the whole file at once gives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import soxr
from av.audio.resampler import AudioResampler

from avdetect.media.clock import SoundStamps
from avdetect.media.rates import SAMPLE_RATE, SAMPLES_PER_TICK

_FULL_SCALE = {"s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}
_SILENCE_CHUNK_S = 1.0
_QUALITY = "HQ"
_PLANES_COUNTED_WRONGLY = 8


def mono(frame: Any) -> np.ndarray:
    """A decoded frame as float32 mono, the mean of its channels, full scale = 1, ``(samples,)``."""
    channels = len(frame.layout.channels)
    if frame.format.is_planar and channels >= _PLANES_COUNTED_WRONGLY:
        # PyAV looks for the end of the list of planes beyond the end of FFmpeg's list of eight.
        packed = AudioResampler(format=frame.format.packed, layout=frame.layout, rate=frame.sample_rate)
        (frame,) = packed.resample(frame)
    samples = frame.to_ndarray()
    name = frame.format.name.removesuffix("p")
    if not frame.format.is_planar:
        samples = samples.reshape(-1, channels).T
    if name == "u8":
        scaled = (samples.astype(np.float32) - 128.0) / 128.0
    elif name in _FULL_SCALE:
        scaled = samples.astype(np.float64 if name != "s16" else np.float32) / _FULL_SCALE[name]
    else:
        scaled = samples
    mixed = scaled.mean(axis=0) if scaled.shape[0] > 1 else scaled[0]
    # Float formats can carry anything; one NaN would spread through the resampler over its neighbours.
    return np.nan_to_num(mixed, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


class SoundTrack:
    """Mono sound at 16 kHz on the clock, read from the front.

    Args:
        chunks: ``(raw time or None, samples, sample rate)`` in stream order.
        stamps: places the chunks.
    """

    def __init__(self, chunks: Iterator[tuple[float | None, np.ndarray, int]], stamps: SoundStamps) -> None:
        self._chunks = chunks
        self._stamps = stamps
        self._origin = 0.0
        self._rate = 0
        self._resampler: Any = None
        self._fed = 0
        self._ready: deque[np.ndarray] = deque()
        self._ready_count = 0
        self._made = 0
        self._taken = 0
        self._holes: deque[tuple[int, int]] = deque()
        self._silence_left = 0
        self._waiting: np.ndarray | None = None
        self._segment_start = 0.0
        self._ended = False
        self._first = next(self._chunks, None)
        self.first_s: float | None = None
        if self._first is not None:
            raw, samples, rate = self._first
            self.first_s = self._stamps.place(raw, len(samples) / rate).start_s

    @property
    def ended(self) -> bool:
        """Whether no more sound will come beyond what was taken."""
        return self._ended and self._ready_count == 0

    def start(self, origin_s: float) -> None:
        """Say which time of the container is tick 0; call once, before the first ``read``."""
        self._origin = origin_s
        if self._first is None or self.first_s is None:
            self._ended = True
            return
        _, samples, rate = self._first
        lead = self.first_s - origin_s
        self._open(rate)
        if lead > 0:
            self._hole(0.0, lead)
            self._silence_left = round(lead * rate)
        self._waiting = samples[max(0, round(-lead * rate)) :]
        self._first = None

    def read(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The next sound of the clock.

        Args:
            count: samples wanted, a multiple of 640.

        Returns:
            Float32 samples in [-1, 1], at most ``count`` (fewer at the end of the stream), and whether each tick of
            the ``count / 640`` is covered from end to end.
        """
        while self._ready_count < count and not self._ended:
            self._more()
        parts, need = [], min(count, self._ready_count)
        while need:
            part = self._ready.popleft()
            if len(part) > need:
                self._ready.appendleft(part[need:])
                part = part[:need]
            parts.append(part)
            need -= len(part)
            self._ready_count -= len(part)
        samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        covered = self._covered(count, len(samples))
        self._taken += len(samples)
        return np.clip(samples, -1.0, 1.0), covered

    def _covered(self, count: int, got: int) -> np.ndarray:
        edges = np.arange(0, count, SAMPLES_PER_TICK)
        covered = edges + SAMPLES_PER_TICK <= got
        while self._holes and self._holes[0][1] <= self._taken:
            self._holes.popleft()
        for start, end in self._holes:
            begin = edges + self._taken
            covered &= ~((begin < end) & (start < begin + SAMPLES_PER_TICK))
        return covered

    def _more(self) -> None:
        """One step of feeding; silence goes in by the second, so that a long hole takes no memory."""
        if self._silence_left > 0:
            count = min(self._silence_left, round(_SILENCE_CHUNK_S * self._rate))
            self._silence_left -= count
            self._feed(np.zeros(count, np.float32))
            return
        if self._waiting is not None:
            samples, self._waiting = self._waiting, None
            self._feed(samples)
            return
        chunk = next(self._chunks, None)
        if chunk is None:
            self._emit(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
            self._ended = True
            return
        raw, samples, rate = chunk
        if rate != self._rate:
            self._reopen(rate)
        before = self._segment_start + self._fed / self._rate
        splice = self._stamps.place(raw, len(samples) / rate)
        if splice.silence_s and not splice.covered:
            self._hole(before, splice.start_s - self._origin)
        self._silence_left = round(splice.silence_s * rate)
        self._waiting = samples[round(splice.cut_s * rate) :]

    def _open(self, rate: int) -> None:
        self._rate, self._fed, self._segment_start = rate, 0, self._made / SAMPLE_RATE
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality=_QUALITY)

    def _reopen(self, rate: int) -> None:
        self._emit(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self._open(rate)

    def _hole(self, start_s: float, end_s: float) -> None:
        self._holes.append((round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE)))

    def _feed(self, samples: np.ndarray) -> None:
        if len(samples):
            self._fed += len(samples)
            self._emit(self._resampler.resample_chunk(samples))

    def _emit(self, samples: np.ndarray) -> None:
        if len(samples):
            self._ready.append(samples)
            self._ready_count += len(samples)
            self._made += len(samples)
