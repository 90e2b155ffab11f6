"""Another voice saying the same: pitch and formants moved, timing kept, as voice changers and simple conversion do."""

from __future__ import annotations

from collections.abc import Sequence

import librosa
import numpy as np
from jaxtyping import Float32, Float64

from avdetect.forge.contract import Family
from avdetect.forge.voice import remade
from avdetect.forge.world import Parameters, analyse, synthesise
from avdetect.types import SAMPLE_RATE, Clip


def changed(
    audio: Float32[np.ndarray, " s"], *, pitch: float, formants: float, flatten: float = 0.0
) -> Float32[np.ndarray, " s"]:
    """Through WORLD with another pitch and another vocal tract.

    Args:
        audio: 16 kHz mono.
        pitch: factor of the fundamental frequency.
        formants: factor of the frequencies of the envelope; above 1 = a shorter vocal tract.
        flatten: share of the pitch's movement (in logarithms) taken away, 0 to 1.
    """
    found = analyse(audio)
    voiced = found.pitch > 0
    f0 = found.pitch.copy()
    if voiced.any():
        log = np.log(found.pitch[voiced])
        f0[voiced] = np.exp(np.median(log) + (1 - flatten) * (log - np.median(log))) * pitch
    envelope, aperiodicity = (_warped(x, formants) for x in (found.envelope, found.aperiodicity))
    return synthesise(Parameters(f0, envelope, aperiodicity))


def _warped(spectra: Float64[np.ndarray, "n f"], factor: float) -> Float64[np.ndarray, "n f"]:
    """Spectra stretched along frequency by ``factor``."""
    f = spectra.shape[1]
    source = np.minimum(np.arange(f) / factor, f - 1)
    low = source.astype(int)
    high, share = np.minimum(low + 1, f - 1), source - low
    return spectra[:, low] * (1 - share) + spectra[:, high] * share


def change(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Pitch and formants by random factors: three times in four with WORLD, else by a phase vocoder alone."""
    away = float(rng.uniform(0.12, 0.5) * rng.choice([-1, 1]))
    if rng.random() < 0.75:
        formants = float(np.exp(np.sign(away) * rng.uniform(0, 0.2)))
        return changed(audio, pitch=float(np.exp(away)), formants=formants, flatten=float(rng.uniform(0, 0.4)))
    return librosa.effects.pitch_shift(audio, sr=SAMPLE_RATE, n_steps=12 * away / np.log(2)).astype(np.float32)


def forge(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The clip in a changed voice."""
    del others
    return remade(clip, rng, change)


FAMILY = Family(forge, changes=("sound",), about="pitch and formants changed, timing kept", api_version=1)
