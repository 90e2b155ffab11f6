"""Mends the timing of AVI files, whose streams have no timestamps but only counts of frames and samples.

An encoder of sound delays it by a known number of samples. Other containers carry timestamps that make up for it;
in AVI the sound simply comes late. FFmpeg's own AVI writer makes up for it by moving the picture later, by whole
frames; and as it puts the first frame of a stream at its start whatever its time, it does so by a gap after the
first frame. Both shifts are taken back here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

_DELAY_SAMPLES = {"mp3": 576 + 529, "mp2": 481, "aac": 1024, "ac3": 256, "eac3": 256}
"""Samples by which usual encoders delay sound: LAME's with a decoder's own 529, the 512-tap polyphase filter of
Layer II less one step, one AAC frame, one AC-3 block. Codecs that are not here (PCM, ADPCM, FLAC) have none."""

TimedFrame = tuple[float | None, float, Any]


def sound_delay_s(codec: str, sample_rate: int) -> float:
    """By how much a usual encoder of this codec (FFmpeg's name) delays the sound, seconds."""
    return _DELAY_SAMPLES.get(codec, 0) / sample_rate if sample_rate > 0 else 0.0


def undo_skip(
    frames: Iterator[TimedFrame], *, unit_s: float, delay_s: float, sound_unit_s: float
) -> Iterator[TimedFrame]:
    """Put back the pictures that FFmpeg's AVI writer moved.

    Args:
        frames: ``(time or None, duration, frame)`` as read.
        unit_s: time base of the pictures; they were moved by whole multiples of it, rounded up.
        delay_s: delay of the sound's encoder, 0 without sound.
        sound_unit_s: time base of the sound, mostly one packet; the writer rounds the delay to it first.

    Yields:
        The same frames. Where the gap after the first is longer than the next one, the first comes directly before
        the second, and all of them come earlier by the units that made up for the delay, if the gap has these.
    """
    head = list(islice(frames, 3))
    earlier = 0.0
    if len(head) == 3 and all(time_s is not None for time_s, _, _ in head):
        first, second, third = (time_s or 0.0 for time_s, _, _ in head)
        skipped = (second - first) - (third - second)
        if skipped > 0.5 * unit_s:
            moved = math.ceil(round(delay_s / sound_unit_s) * sound_unit_s / unit_s - 1e-6) * unit_s
            earlier = moved if moved < skipped + 0.5 * unit_s else 0.0
            head[0] = (second - (third - second), *head[0][1:])
    for time_s, duration_s, frame in chain(head, frames):
        yield None if time_s is None else time_s - earlier, duration_s, frame


def cut_delay(
    chunks: Iterator[tuple[float | None, np.ndarray, int]], delay_s: float
) -> Iterator[tuple[float | None, np.ndarray, int]]:
    """Take the encoder's delay out of the sound.

    Args:
        chunks: ``(time or None, samples, sample rate)`` as read.
        delay_s: the delay.

    Yields:
        The chunks, earlier by the delay; what was before the encoder's first sample is cut off.
    """
    cut_s = delay_s
    for time_s, samples, rate in chunks:
        cut = min(len(samples), round(cut_s * rate))
        cut_s -= cut / rate
        if cut < len(samples):
            yield None if time_s is None else time_s - delay_s + cut / rate, samples[cut:], rate
