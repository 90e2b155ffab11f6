"""From sound to what the networks see: log-mel and LFCC with the recording channel taken out.

The mean over the two seconds around each tick is subtracted from every band (local cepstral mean normalisation), which
removes level and the steady colour of microphone and codec. The reach is finite, so that a window of a long recording
gives the same values as the whole.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from avdetect.features.lfcc import LfccConfig, lfcc_of_clip
from avdetect.features.logmel import MelConfig, log_mel_of_clip

MEL = MelConfig(n_fft=512, win_length=400, hop_length=160, n_mels=64, fmin=50.0, fmax=7600.0, floor=1e-8)
LFCC = LfccConfig(n_filters=40, n_coeffs=20, deltas=2, floor=1e-8)
CMN_RADIUS = 25
"""Ticks on either side over which the mean is taken."""
FRAMES_PER_TICK = MEL.frames_per_tick


def local_mean(x: Float[Array, "b t f"], valid: Bool[Array, "b t"], radius: int) -> Float[Array, "b t f"]:
    """Mean over the valid ticks within ``radius``; zero where there is none."""

    def total(y: Float[Array, "b t f"]) -> Float[Array, "b t f"]:
        window = (1, 2 * radius + 1, 1)
        return jax.lax.reduce_window(y, 0.0, jax.lax.add, window, (1, 1, 1), "SAME")

    weight = valid[..., None].astype(x.dtype)
    return total(x * weight) / jnp.maximum(total(weight), 1.0)


def normalise(frames: Float[Array, "b n f"], valid: Bool[Array, "b t"], *, scale: float) -> Float[Array, "b t 4 f"]:
    """Frames grouped by tick, local mean removed, divided by ``scale``, zero where there is no sound."""
    b, t = valid.shape
    x = frames.reshape(b, t, FRAMES_PER_TICK, frames.shape[-1])
    x = (x - local_mean(x.mean(axis=2), valid, CMN_RADIUS)[:, :, None]) / scale
    return jnp.where(valid[..., None, None], jnp.clip(x, -4.0, 4.0), 0.0)


def mel_ticks(audio: Float[Array, "b s"], valid: Bool[Array, "b t"]) -> Float[Array, "b t 4 mel"]:
    """Normalised log-mel, four frames a tick.

    Args:
        audio: 16 kHz mono in [-1, 1], ``s = 640 t``.
        valid: ticks that have sound.
    """
    return normalise(log_mel_of_clip(audio, MEL), valid, scale=3.0)


def lfcc_ticks(audio: Float[Array, "b s"], valid: Bool[Array, "b t"]) -> Float[Array, "b t 4 ceps"]:
    """Normalised LFCC with slopes, four frames a tick (arguments as for :func:`mel_ticks`)."""
    return normalise(lfcc_of_clip(audio, LFCC), valid, scale=4.0)
