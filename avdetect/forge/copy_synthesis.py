"""Copy-synthesis: the same words in the same voice, but the waveform made anew from a spectrogram, as vocoders do.

Phases are found by the fast Griffin-Lim algorithm (Perraudin, Balazs, Sondergaard, 2013; `librosa.griffinlim`) from a
magnitude spectrogram, or from a mel spectrogram inverted by non-negative least squares, whose lost detail is that of
neural vocoders' inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import librosa
import numpy as np
from jaxtyping import Float32

from avdetect.forge.contract import Family
from avdetect.forge.voice import remade
from avdetect.types import SAMPLE_RATE, Clip


def griffin_lim(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Sound of the same length and level with phases made anew.

    Args:
        audio: 16 kHz mono in [-1, 1].
        rng: chooses window, overlap, mel bands (or none) and iterations, and seeds the phases.
    """
    n_fft = int(rng.choice([512, 800, 1024]))
    hop = n_fft // int(rng.choice([4, 4, 3]))
    magnitude = np.abs(librosa.stft(audio, n_fft=n_fft, hop_length=hop))
    mels = int(rng.choice([0, 60, 80, 80, 100]))
    if mels:
        magnitude = through_mel(magnitude, n_fft=n_fft, n_mels=mels, fmax=float(rng.choice([7000, 7600, 8000])))
    made = librosa.griffinlim(
        magnitude,
        n_iter=int(rng.integers(8, 40)),
        hop_length=hop,
        n_fft=n_fft,
        length=len(audio),
        random_state=int(rng.integers(2**31)),
    )
    level = np.sqrt(np.mean(np.square(audio))) / (np.sqrt(np.mean(np.square(made))) + 1e-9)
    return np.clip(made * level, -1, 1).astype(np.float32)


def through_mel(magnitude: np.ndarray, *, n_fft: int, n_mels: int, fmax: float) -> np.ndarray:
    """A magnitude spectrogram with only the detail that ``n_mels`` mel bands carry (pseudo-inverse, kept positive)."""
    basis = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=n_fft, n_mels=n_mels, fmin=0, fmax=fmax)
    return np.maximum(np.linalg.pinv(basis) @ (basis @ magnitude), 1e-6)


def forge(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The clip in its own voice, made anew; see :func:`griffin_lim`."""
    del others
    return remade(clip, rng, griffin_lim)


FAMILY = Family(
    forge, changes=("sound",), about="the voice made anew from its spectrogram (Griffin-Lim)", api_version=1
)
