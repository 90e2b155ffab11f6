"""Copy-synthesis by a neural codec: the voice made anew from the quantised latents of a network, as speech models do.

The codec is that of Opus 1.5 (Valin, Buthe, Mustafa, 2023, 2024): cepstrum and pitch every 10 ms, RDOVAE (a recurrent
autoencoder whose latents are quantised) and FARGAN (an autoregressive vocoder). ``AVDETECT_NEURAL_CODEC`` names the
program that ``python -m tools.neural_codec`` builds: ``LEVEL CHUNK``, 16-bit sound at 16 kHz in, and out.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import librosa
import numpy as np
from jaxtyping import Float32

from avdetect.forge.contract import CannotForge, Family, NetworkMissing
from avdetect.forge.voice import remade
from avdetect.types import SAMPLE_RATE, Clip

VARIABLE = "AVDETECT_NEURAL_CODEC"
VOCODER_ALONE = 0.3
"""Share of voices whose features reach the vocoder as they are, not through the autoencoder."""
COARSEST = 13
"""Step of the quantiser up to which what is said can still be understood (of 0 to 15)."""
CHUNKS = (10, 50)
"""How many latents, of 40 ms each, are decoded in one go."""
PITCH = 0.1
"""The rate at which the codec is used varies by up to this (natural logarithm), and with it where its traces lie."""
BEFORE, AFTER = 1600, 2400
"""Samples of silence around the voice: the vocoder starts after 50 ms, and the program drops what fills no latent."""
LATE = 240
"""Samples by which the features look ahead, so that the sound made of them comes late."""
WARM = 800
"""Samples at the start that the program keeps to itself."""
TIMEOUT_S = 60.0


def through_codec(audio: Float32[np.ndarray, " s"], rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Sound of about the same length, made by the codec.

    Args:
        audio: 16 kHz mono in [-1, 1].
        rng: chooses the rate, the coarseness and the chunks.

    Raises:
        NetworkMissing: no codec is there (`VARIABLE`), or the program is something else.
        CannotForge: it failed on this sound.
    """
    rate = round(SAMPLE_RATE * float(np.exp(rng.uniform(-1, 1) * PITCH)))
    level = -1 if rng.random() < VOCODER_ALONE else int(rng.integers(0, COARSEST + 1))
    chunk = int(rng.integers(CHUNKS[0], CHUNKS[1] + 1))
    at_rate = librosa.resample(audio, orig_sr=SAMPLE_RATE, target_sr=rate)
    padded = np.pad(np.round(np.clip(at_rate, -1, 1) * 32767).astype(np.int16), (BEFORE, AFTER))
    made = _run(padded.tobytes(), level, chunk)[BEFORE - WARM + LATE :][: len(at_rate)]
    return librosa.resample(made.astype(np.float32) / 32767, orig_sr=rate, target_sr=SAMPLE_RATE)


def _run(pcm: bytes, level: int, chunk: int) -> np.ndarray:
    path = os.environ.get(VARIABLE, "")
    if not path or not Path(path).is_file():
        raise NetworkMissing(f"no neural codec: set {VARIABLE} to the program that python -m tools.neural_codec builds")
    try:
        done = subprocess.run(
            [str(Path(path).resolve()), str(level), str(chunk)],
            input=pcm,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotForge(f"the neural codec took longer than {TIMEOUT_S:g} s") from None
    except OSError as error:
        raise NetworkMissing(f"{path} cannot be run: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NetworkMissing(f"{path} failed: {said[-1] if said else f'exit {done.returncode}'}")
    return np.frombuffer(done.stdout[: len(done.stdout) // 2 * 2], np.int16)


def forge(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The clip in its own voice, made anew; see :func:`through_codec`."""
    del others
    return remade(clip, rng, through_codec)


FAMILY = Family(
    forge, changes=("sound",), about="the voice made anew by a neural codec (RDOVAE and FARGAN of Opus)", api_version=1
)
