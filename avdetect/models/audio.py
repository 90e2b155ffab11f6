"""Is this voice genuine, and does anybody speak at all? A spectrogram network with one logit a tick.

Log-mel goes through 2-D convolutions that are valid in time and padded in frequency; LFCC (which keep the upper bands,
where vocoders leave traces) join before the head. The head sees each tick beside the mean of the two seconds on either
side: about four seconds of sound, yet the reach is finite, so windows of a long file agree with the whole.
Max-feature-map activations as in the LCNN of the ASVspoof 2021 baselines.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from avdetect.augment.spectrum import spec_augment
from avdetect.config import AudioConfig
from avdetect.models.frontend import CMN_RADIUS, FRAMES_PER_TICK, LFCC, MEL, lfcc_ticks, local_mean, mel_ticks
from avdetect.models.sync import erode

FREQUENCY_PATCH = 4
POOL_RADIUS = CMN_RADIUS


def max_feature_map(x: Float[Array, "*n c"]) -> Float[Array, "*n half"]:
    """The larger of the two halves of the channels (Wu et al., "A light CNN", 2018)."""
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.maximum(a, b)


class BandStage(nnx.Module):
    """3 x 3 convolution (valid in time, padded in frequency), max-feature-map, layer norm, half the bands."""

    def __init__(self, channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        padding = ((0, 0), (1, 1))
        self.conv = nnx.Conv(channels_in, 2 * channels, (3, 3), padding=padding, dtype=dtype, rngs=rngs)
        self.norm = nnx.LayerNorm(channels, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b t f c"]) -> Float[Array, "b u g k"]:
        """Two ticks fewer, half the bands."""
        x = self.norm(max_feature_map(self.conv(x)))
        return jnp.maximum(x[:, :, 0::2], x[:, :, 1::2])


def reach(config: AudioConfig) -> int:
    """Ticks on either side that a tick's local features depend on (the pooled context reaches further)."""
    return len(config.widths)


class AudioNet(nnx.Module):
    """Per tick: the logit that the voice is synthetic, and the logit that somebody speaks."""

    api_version = 1
    Options = AudioConfig

    @staticmethod
    def reach(options: AudioConfig) -> int:
        """Ticks on either side that must have sound for anything to be said of a tick."""
        return reach(options)

    @staticmethod
    def context(options: AudioConfig) -> int:
        """Ticks on either side that a logit depends on: the pooling, the normalisation, and the spectra's windows."""
        return reach(options) + POOL_RADIUS + CMN_RADIUS + 1

    def __init__(self, config: AudioConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.config = config
        widths = config.widths
        patch = FRAMES_PER_TICK * FREQUENCY_PATCH
        self.stem = nnx.Linear(patch, widths[0], dtype=dtype, rngs=rngs)
        self.stages = nnx.List(
            [BandStage(a, b, dtype=dtype, rngs=rngs) for a, b in zip((widths[0], *widths[:-1]), widths, strict=True)]
        )
        bands = MEL.n_mels // FREQUENCY_PATCH // 2 ** len(widths)
        cepstra = FRAMES_PER_TICK * LFCC.n_features
        self.cepstra = nnx.Linear(cepstra, config.hidden, dtype=dtype, rngs=rngs)
        self.join = nnx.Linear(bands * widths[-1] + config.hidden, config.hidden, dtype=dtype, rngs=rngs)
        self.norm = nnx.LayerNorm(config.hidden, dtype=dtype, rngs=rngs)
        self.dropout = nnx.Dropout(config.dropout, rngs=rngs)
        self.hidden = nnx.Linear(2 * config.hidden, config.hidden, dtype=dtype, rngs=rngs)
        self.fake = nnx.Linear(config.hidden, 1, dtype=dtype, rngs=rngs)
        self.speech = nnx.Linear(config.hidden, 1, dtype=dtype, rngs=rngs)

    def __call__(
        self, audio: Float[Array, "b s"], valid: Bool[Array, "b t"], *, cover: tuple[jax.Array, float] | None = None
    ) -> tuple[Float[Array, "b t"], Float[Array, "b t"]]:
        """Fake logits and speech logits; ticks nearer than ``reach`` to an end of the window are zero.

        Args:
            audio: 16 kHz mono in [-1, 1], ``s = 640 t``.
            valid: ticks that have sound.
            cover: in training, typed PRNG key of bands and stretches to cover, and in which share of the examples.
        """
        b, t = valid.shape
        r = reach(self.config)
        mel = mel_ticks(audio, valid)
        if cover is not None:
            key, share = cover
            mel = spec_augment(mel.reshape(b, t * FRAMES_PER_TICK, -1), key, share=share).reshape(mel.shape)
        x = mel.reshape(b, t, FRAMES_PER_TICK, -1, FREQUENCY_PATCH).transpose(0, 1, 3, 2, 4)
        x = self.stem(x.reshape(b, t, -1, FRAMES_PER_TICK * FREQUENCY_PATCH))
        for stage in self.stages:
            x = stage(x)
        cepstra = lfcc_ticks(audio, valid).reshape(b, t, -1)[:, r : t - r]
        x = jnp.concatenate([x.reshape(b, t - 2 * r, -1), nnx.gelu(self.cepstra(cepstra))], axis=-1)
        x = self.norm(nnx.gelu(self.join(x)))
        inside = erode(valid, r)[:, r : t - r]
        around = local_mean(x.astype(jnp.float32), inside, POOL_RADIUS).astype(x.dtype)
        x = nnx.gelu(self.hidden(self.dropout(jnp.concatenate([x, around], axis=-1))))
        edges = ((0, 0), (r, r))
        fake = jnp.pad(self.fake(x)[..., 0].astype(jnp.float32), edges)
        return fake, jnp.pad(self.speech(x)[..., 0].astype(jnp.float32), edges)
