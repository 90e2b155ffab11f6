"""Copy-synthesis with the WORLD vocoder (Morise, Yokomori, Ozawa, 2016): pitch, envelope and aperiodicity, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64

from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.voice import remade
from avdetect.types import SAMPLE_RATE, Clip

FRAME_MS = 5.0


class Parameters(NamedTuple):
    """A voice as WORLD sees it, ``n`` frames of 5 ms.

    Attributes:
        pitch: Hz, 0 where unvoiced.
        envelope: power spectrum without harmonics.
        aperiodicity: share of noise in [0, 1].
    """

    pitch: Float64[np.ndarray, " n"]
    envelope: Float64[np.ndarray, "n f"]
    aperiodicity: Float64[np.ndarray, "n f"]


def analyse(audio: Float32[np.ndarray, " s"]) -> Parameters:
    """Pitch by DIO and StoneMask, envelope by CheapTrick, aperiodicity by D4C.

    Raises:
        CannotForge: ``pyworld`` is not installed.
    """
    pyworld = _pyworld()
    x = audio.astype(np.float64)
    pitch, at = pyworld.dio(x, SAMPLE_RATE, frame_period=FRAME_MS)
    pitch = pyworld.stonemask(x, pitch, at, SAMPLE_RATE)
    return Parameters(pitch, pyworld.cheaptrick(x, pitch, at, SAMPLE_RATE), pyworld.d4c(x, pitch, at, SAMPLE_RATE))


def synthesise(found: Parameters) -> Float32[np.ndarray, " s"]:
    """The waveform of a voice; a few milliseconds longer or shorter than what was analysed."""
    pyworld = _pyworld()
    arrays = (np.ascontiguousarray(x) for x in found)
    return pyworld.synthesize(*arrays, SAMPLE_RATE, FRAME_MS).astype(np.float32)


def _pyworld() -> Any:
    try:
        import pyworld
    except ImportError:
        raise CannotForge("WORLD is not installed: pip install pyworld-prebuilt") from None
    return pyworld


def through_world(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Analysed and made anew, sometimes with pitch smoothed, envelope coded coarsely or aperiodicity averaged.

    What is coarser is drawn at random: parametric speech synthesis does all of these.
    """
    pyworld = _pyworld()
    pitch, envelope, aperiodicity = analyse(audio)
    n_fft = (envelope.shape[1] - 1) * 2
    if rng.random() < 0.5:
        coded = pyworld.code_spectral_envelope(envelope, SAMPLE_RATE, int(rng.integers(24, 61)))
        envelope = pyworld.decode_spectral_envelope(coded, SAMPLE_RATE, n_fft)
    if rng.random() < 0.5:
        coded = pyworld.code_aperiodicity(aperiodicity, SAMPLE_RATE)
        aperiodicity = pyworld.decode_aperiodicity(coded, SAMPLE_RATE, n_fft)
    if rng.random() < 0.3:
        pitch = _smoothed(pitch, int(rng.integers(3, 10)))
    return synthesise(Parameters(pitch, envelope, aperiodicity))


def _smoothed(pitch: np.ndarray, frames: int) -> np.ndarray:
    """Mean over voiced neighbours; unvoiced frames stay so."""
    voiced = (pitch > 0).astype(float)
    window = np.ones(2 * frames + 1)
    mean = np.convolve(pitch, window, "same") / np.maximum(np.convolve(voiced, window, "same"), 1)
    return np.where(pitch > 0, mean, 0.0)


def forge(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The clip in its own voice as a vocoder makes it."""
    del others
    return remade(clip, rng, through_world)


FAMILY = Family(forge, changes=("sound",), about="the voice made anew by the WORLD vocoder", api_version=1)
