"""Fingerprints of a clip's picture and sound that survive re-encoding, and the digest of a file's bytes.

Picture and sound each become 256 bits, written as 64 hexadecimal digits; how many bits differ between two clips says
how alike they are (`avdetect.data.neighbours` finds the pairs).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy.fft import dctn

from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK

BITS = 256
CROPS = 4
"""Face crops that a picture's fingerprint is taken from, evenly spaced over the clip; 64 bits each."""
_SOUND_STEPS, _SOUND_BANDS = 16, 16
_WINDOW_S = 0.37
"""Window of Haitsma and Kalker (2002): so long that a codec's delay of some 50 ms changes few bits."""
_LOW_HZ, _HIGH_HZ = 300.0, 3000.0
SILENCE_DBFS = -60.0
"""Softer sound has no fingerprint: all silence would be alike."""


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def picture_hash(faces: UInt8[np.ndarray, "t h w 3"], visible: Bool[np.ndarray, " t"]) -> str | None:
    """Fingerprint of a face track: the perceptual hash of four crops; ``None`` where fewer than four ticks show it.

    Each crop is made grey and 32 x 32, and the signs of its 8 x 8 lowest cosine frequencies about their median are the
    bits (pHash; Zauner, *Implementation and benchmarking of perceptual image hash functions*, 2010).
    """
    seen = np.flatnonzero(visible)
    if len(seen) < CROPS:
        return None
    places = seen[np.round((np.arange(CROPS) + 0.5) / CROPS * len(seen) - 0.5).astype(int)]
    bits = []
    for i in places:
        grey = cv2.cvtColor(np.ascontiguousarray(faces[i]), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
        low = np.asarray(dctn(small, norm="ortho"))[:9, :9].ravel()[1:65]  # without the mean of the picture
        bits.append(low > np.median(low))
    return np.packbits(np.concatenate(bits)).tobytes().hex()


def sound_hash(audio: Float32[np.ndarray, " s"], valid: Bool[np.ndarray, " t"]) -> str | None:
    """Fingerprint of a sound: signs of energy differences over bands and time; ``None`` where short or silent.

    Over 17 bands from 300 to 3000 Hz and 17 instants, bit (n, m) says whether the step between bands m and m + 1 grew
    from instant n to n + 1 (Haitsma and Kalker, *A highly robust audio fingerprinting system*, ISMIR 2002), with the
    instants spread over the part of the clip that the sound covers.
    """
    covered = np.flatnonzero(valid)
    if len(covered) == 0:
        return None
    part = audio[covered[0] * SAMPLES_PER_TICK : (covered[-1] + 1) * SAMPLES_PER_TICK]
    size = round(_WINDOW_S * SAMPLE_RATE)
    if len(part) < 2 * size or 10 * np.log10(float(np.mean(np.square(part))) + 1e-12) < SILENCE_DBFS:
        return None
    starts = np.round(np.linspace(0, len(part) - size, _SOUND_STEPS + 1)).astype(int)
    window = np.hanning(size)
    power = np.stack([np.abs(np.fft.rfft(part[s : s + size] * window)) ** 2 for s in starts])
    edges = np.geomspace(_LOW_HZ, _HIGH_HZ, _SOUND_BANDS + 2) * size / SAMPLE_RATE
    edges = np.round(edges).astype(int)
    energy = np.log(np.add.reduceat(power, edges, axis=1)[:, :-1] + 1e-9)
    bits = np.diff(np.diff(energy, axis=1), axis=0) > 0
    return np.packbits(bits.ravel()).tobytes().hex()
