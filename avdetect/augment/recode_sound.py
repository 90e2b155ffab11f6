"""Sound through a codec and back, in memory, with the codec's delay taken out to the sample."""

from __future__ import annotations

import functools
import io
from typing import Any

import av
import numpy as np
from jaxtyping import Float32
from scipy.signal import correlate

from avdetect.types import SAMPLE_RATE

CODECS = {"aac": ("aac", "adts"), "opus": ("libopus", "ogg"), "mp3": ("libmp3lame", "mp3")}
"""Encoder and container."""
LONGEST_DELAY = 4096
BLOCK = 4096


def recode_sound(audio: Float32[np.ndarray, " s"], codec: str, kbps: int) -> Float32[np.ndarray, " s"]:
    """The same stretch of sound, coded and decoded, not moved in time.

    Args:
        audio: 16 kHz mono in [-1, 1].
        codec: of ``CODECS``.
        kbps: bit rate asked for; the encoder takes the nearest that it has.

    Raises:
        ValueError: an unknown codec.
    """
    if codec not in CODECS:
        raise ValueError(f"no sound codec is called {codec!r}; there are {', '.join(CODECS)}")
    if len(audio) == 0:
        return audio.copy()
    delay = codec_delay(codec, kbps)
    out = _through(np.concatenate([audio, np.zeros(LONGEST_DELAY, np.float32)]), codec, kbps)[delay:]
    out = np.pad(out, (0, max(0, len(audio) - len(out))))[: len(audio)]
    return np.clip(out, -1, 1)


@functools.cache
def codec_delay(codec: str, kbps: int) -> int:
    """Samples by which what comes out of encoder and decoder is late, measured on noise once."""
    rng = np.random.default_rng(0)
    probe = np.zeros(SAMPLE_RATE, np.float32)
    probe[4000:12000] = 0.2 * rng.standard_normal(8000)
    out = _through(np.concatenate([probe, np.zeros(LONGEST_DELAY, np.float32)]), codec, kbps)
    out = np.pad(out, (0, max(0, len(probe) + LONGEST_DELAY - len(out))))
    found = correlate(out[: len(probe) + LONGEST_DELAY], probe, mode="full", method="fft")[len(probe) - 1 :]
    return int(np.argmax(found[:LONGEST_DELAY]))


def _through(audio: np.ndarray, codec: str, kbps: int) -> np.ndarray:
    name, container_format = CODECS[codec]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        stream: Any = container.add_stream(name, rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = kbps * 1000
        for start in range(0, len(audio), BLOCK):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(audio[None, start : start + BLOCK], np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = SAMPLE_RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    buffer.seek(0)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    parts = []
    with av.open(buffer, "r", format="aac" if container_format == "adts" else container_format) as coded:
        for frame in coded.decode(audio=0):
            frame.pts = None
            parts += [f.to_ndarray()[0] for f in resampler.resample(frame)]
    parts += [f.to_ndarray()[0] for f in resampler.resample(None)]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
