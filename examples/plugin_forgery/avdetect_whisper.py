"""Whispered speech: a stretch of the voice whose fine structure is replaced by noise.

Each short piece of the sound keeps the strength of its frequency bands and gets random phases and magnitudes within
them, so that words stay and the tone of the voice goes: a noise vocoder (Shannon et al., Science 270, 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avdetect.api import CannotForge, Clip, Family, Segment
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE

LEAST = 10
"""Ticks of the shortest stretch."""
PIECE = 512
"""Samples that are looked at together (32 ms); pieces overlap by half."""
BAND = 8
"""Frequency bins to a band: 250 Hz, wider than the distance of the harmonics of a voice."""
QUIET = 1e-3
"""Root mean square below which there is nothing to whisper."""


def whisper(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """A stretch of at least 0.4 s and at most half of the clip, whispered."""
    if clip.audio is None:
        raise CannotForge("the clip has no sound")
    if clip.n_ticks < 2 * LEAST:
        raise CannotForge(f"{clip.n_ticks} ticks are too few, {2 * LEAST} are needed")
    length = int(rng.integers(LEAST, clip.n_ticks // 2 + 1))
    first = int(rng.integers(0, clip.n_ticks - length + 1))
    stretch = slice(first * SAMPLES_PER_TICK, (first + length) * SAMPLES_PER_TICK)
    voice = clip.audio[stretch]
    if not clip.audio_valid[first : first + length].all() or np.sqrt(np.square(voice).mean()) < QUIET:
        raise CannotForge("the stretch has no sound throughout, or is silent")
    audio = clip.audio.copy()  # the input is never written to
    audio[stretch] = noise_vocoder(voice, rng)
    segment = Segment(first / TICK_RATE, (first + length) / TICK_RATE, "audio")
    return replace(
        clip, audio=audio, label=replace(clip.label, audio_fake=True, segments=(*clip.label.segments, segment))
    )


def noise_vocoder(voice: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise with the bands of a voice, as long and as loud; fades from the voice and back to it at its ends."""
    hop, n = PIECE // 2, len(voice)
    padded = np.pad(voice.astype(np.float64), (hop, PIECE))
    window = np.sin(np.pi * (np.arange(PIECE) + 0.5) / PIECE)  # squares of halves that overlap add up to one
    made = np.zeros_like(padded)
    for start in range(0, len(padded) - PIECE + 1, hop):
        bins = np.fft.rfft(window * padded[start : start + PIECE])
        power = np.square(np.abs(bins[:-1])).reshape(-1, BAND).mean(axis=1).repeat(BAND)
        noise = rng.normal(size=(2, len(power))) * np.sqrt(power / 2)
        made[start : start + PIECE] += window * np.fft.irfft(np.append(noise[0] + 1j * noise[1], 0), PIECE)
    made = made[hop : hop + n]
    made *= np.sqrt(np.square(voice).mean() / max(np.square(made).mean(), 1e-12))
    share = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / (PIECE // 4), 0, 1)
    return np.clip(share * made + (1 - share) * voice, -1, 1).astype(np.float32)


FAMILY = Family(whisper, changes=("sound",), about="a stretch of the voice whispered", api_version=1)
