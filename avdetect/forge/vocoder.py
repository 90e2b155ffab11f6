"""Copy-synthesis by a neural vocoder (HiFi-GAN; Kong, Kim, Bae, 2020): the voice made anew from its mel spectrogram.

The network is an ONNX file that the user has, for the usual mel spectrogram (22.05 kHz, 1024-point windows every 256
samples, 80 Slaney bands up to 8 kHz, natural logarithm floored at 1e-5), ``[1, 80, n] -> [1, 1, 256 n]``;
``AVDETECT_VOCODER`` names it.
Dubbing systems give their vocoder a spectrogram that another network guessed, so some of what is given here is
smoothed.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from jaxtyping import Float32
from scipy.ndimage import gaussian_filter

from avdetect.forge.contract import Family, NetworkMissing
from avdetect.forge.voice import remade
from avdetect.types import SAMPLE_RATE, Clip

VARIABLE = "AVDETECT_VOCODER"
RATE, WINDOW, HOP, BANDS, HIGHEST, FLOOR = 22_050, 1024, 256, 80, 8000.0, 1e-5
SMOOTHED = 0.5
"""Share of voices whose spectrogram is smoothed before it becomes sound again, as a guessed one is smooth."""
PITCH = 0.15
"""The rate at which the network is used varies by up to this (natural logarithm), and with it where its traces lie."""


def through_vocoder(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Sound of about the same length, made by the vocoder from a log-mel spectrogram.

    Args:
        audio: 16 kHz mono in [-1, 1].
        rng: chooses the rate and the smoothing.

    Raises:
        NetworkMissing: no vocoder is there (`VARIABLE`), or it is of another kind.
    """
    session = _session(_file())
    rate = round(RATE * float(np.exp(rng.uniform(-1, 1) * PITCH)))
    mel = log_mel(librosa.resample(audio, orig_sr=SAMPLE_RATE, target_sr=rate))
    if rng.random() < SMOOTHED:
        mel = gaussian_filter(mel, (rng.uniform(0, 0.8), rng.uniform(0, 1.2))).astype(np.float32)
    try:
        made = session.run(None, {session.get_inputs()[0].name: mel[None]})[0]
    except Exception as error:  # whatever the runtime raises for a network of another kind
        raise NetworkMissing(
            f"{os.environ[VARIABLE]} is not a vocoder for {BANDS}-band spectrograms: {error}"
        ) from None
    return librosa.resample(np.asarray(made, np.float32).reshape(-1), orig_sr=rate, target_sr=SAMPLE_RATE)


def log_mel(audio: Float32[np.ndarray, " s"]) -> Float32[np.ndarray, "80 n"]:
    """The spectrogram that HiFi-GAN was published with: frames not centred, edges mirrored, natural logarithm."""
    edge = (WINDOW - HOP) // 2
    padded = np.pad(audio, (edge, edge + HOP), mode="reflect")
    magnitude = np.abs(librosa.stft(padded, n_fft=WINDOW, hop_length=HOP, center=False))
    basis = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=BANDS, fmin=0.0, fmax=HIGHEST)
    return np.log(np.maximum(basis @ magnitude, FLOOR)).astype(np.float32)


def _file() -> str:
    path = os.environ.get(VARIABLE, "")
    if not path or not Path(path).is_file():
        raise NetworkMissing(f"no vocoder: set {VARIABLE} to the .onnx file of a HiFi-GAN")
    return path


@functools.lru_cache(maxsize=2)
def _session(path: str) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise NetworkMissing("the vocoder needs onnxruntime: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # many examples are made side by side
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of the runtime's own kinds, which it does not export
        raise NetworkMissing(f"{path} cannot be loaded: {error}") from None


def forge(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The clip in its own voice, made anew; see :func:`through_vocoder`."""
    del others
    return remade(clip, rng, through_vocoder)


FAMILY = Family(forge, changes=("sound",), about="the voice made anew by a neural vocoder (HiFi-GAN)", api_version=1)
