"""Lips and sound, embedded in one space at 25 Hz.

Trained by N-way matching over the ticks of a clip (Chung, Chung, Kang, "Perfect match", ICASSP 2019) with a learnable
temperature. Unusual choices: every layer is valid in time, so that the file's ends cannot be learned (an embedding
exists only ``REACH`` ticks inside a clip); patches and matrix products stand in for convolutions, unless
``SyncConfig.stem`` asks for them; the lips are seen either as 72 mesh points with their velocities or as a grey
56-pixel crop over five ticks.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from avdetect.config import SyncConfig
from avdetect.models.frontend import FRAMES_PER_TICK, MEL, mel_ticks
from avdetect.models.layers import TemporalBlock, unfold, unit
from avdetect.models.sync_stems import REACH_STEM, TICKS, MouthConvStem, SoundConvStem

# fmt: off
LIP_POINTS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,       # outer edge
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 408, 304, 303, 302, 11, 72, 73, 74, 184,       # middle
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,       # inner edge
    152, 148, 377, 176, 400, 200, 199, 175, 205, 425, 1, 2,  # chin, cheeks, nose
)
_MIRROR_PAIRS = (
    (61, 291), (146, 375), (91, 321), (181, 405), (84, 314), (185, 409), (40, 270), (39, 269), (37, 267),
    (76, 306), (77, 307), (90, 320), (180, 404), (85, 315), (184, 408), (74, 304), (73, 303), (72, 302),
    (78, 308), (95, 324), (88, 318), (178, 402), (87, 317), (191, 415), (80, 310), (81, 311), (82, 312),
    (148, 377), (176, 400), (205, 425),
)
# fmt: on
"""Mesh points given to the landmark net and which of them change places in a mirror."""
N_POINTS = len(LIP_POINTS)
CROP = 56
"""Side of the part of the 64-pixel mouth crop that the pixel net sees."""
PATCH = 8


def mirror_order() -> tuple[int, ...]:
    """Positions in ``LIP_POINTS`` after a left-right flip."""
    partner = {a: b for a, b in _MIRROR_PAIRS} | {b: a for a, b in _MIRROR_PAIRS}
    return tuple(LIP_POINTS.index(partner.get(p, p)) for p in LIP_POINTS)


def reach(config: SyncConfig) -> int:
    """Ticks on either side that an embedding depends on (apart from the sound's local mean)."""
    return REACH_STEM + config.blocks


class LandmarkStem(nnx.Module):
    """Points relative to their centre, and their velocities over one and two ticks, projected."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.norm = nnx.LayerNorm(N_POINTS * 9, dtype=dtype, rngs=rngs)
        self.project = nnx.Linear(N_POINTS * 9, width, dtype=dtype, rngs=rngs)

    def __call__(self, points: Float[Array, "b t n 3"]) -> Float[Array, "b u d"]:
        """Two ticks fewer at either end. ``points`` are in units of the face crop's side."""
        points = points - points.mean(axis=(2,), keepdims=True)
        # Positions vary by about 0.1 of the crop and velocities by 0.01: bring both to order one.
        here = points[:, 2:-2] * 10.0
        fast = (points[:, 3:-1] - points[:, 1:-3]) * 50.0
        slow = (points[:, 4:] - points[:, :-4]) * 30.0
        x = jnp.concatenate([here, fast, slow], axis=-1)
        return self.project(self.norm(x.reshape(*x.shape[:2], -1)))


class PixelStem(nnx.Module):
    """Patches of 8 x 8 pixels over five ticks, merged 2 x 2 with overlap, then flattened and projected."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        side = CROP // PATCH
        self.patch = nnx.Linear(TICKS * PATCH * PATCH, 64, dtype=dtype, rngs=rngs)
        self.place = nnx.Param(jnp.zeros((side * side, 64)))
        self.norm1 = nnx.LayerNorm(64, dtype=dtype, rngs=rngs)
        self.merge = nnx.Linear(4 * 64, 64, dtype=dtype, rngs=rngs)
        self.norm2 = nnx.LayerNorm(64, dtype=dtype, rngs=rngs)
        self.project = nnx.Linear((side - 1) ** 2 * 64, width, dtype=dtype, rngs=rngs)

    def __call__(self, mouths: Float[Array, "b t h w"]) -> Float[Array, "b u d"]:
        """Two ticks fewer at either end. ``mouths``: grey, about zero mean and unit variance in each picture."""
        b, t, h, _ = mouths.shape
        side = h // PATCH
        x = mouths.reshape(b, t, side, PATCH, side, PATCH).transpose(0, 1, 2, 4, 3, 5)
        x = unfold(x.reshape(b, t, side * side, PATCH * PATCH), TICKS)
        x = nnx.gelu(self.patch(x) + self.place[...])
        x = self.norm1(x).reshape(b, -1, side, side, 64)
        x = jnp.concatenate([x[:, :, :-1, :-1], x[:, :, :-1, 1:], x[:, :, 1:, :-1], x[:, :, 1:, 1:]], axis=-1)
        x = self.norm2(nnx.gelu(self.merge(x)))
        return self.project(x.reshape(*x.shape[:2], -1))


class SoundStem(nnx.Module):
    """Log-mel of five ticks (0.2 s) as one patch."""

    def __init__(self, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        size = TICKS * FRAMES_PER_TICK * MEL.n_mels
        self.norm = nnx.LayerNorm(size, dtype=dtype, rngs=rngs)
        self.project = nnx.Linear(size, width, dtype=dtype, rngs=rngs)

    def __call__(self, mel: Float[Array, "b t 4 f"]) -> Float[Array, "b u d"]:
        """Two ticks fewer at either end."""
        x = unfold(mel.reshape(*mel.shape[:2], -1), TICKS)
        return self.project(self.norm(x))


class Trunk(nnx.Module):
    """Stem, temporal blocks, embedding of length one."""

    def __init__(self, stem: nnx.Module, config: SyncConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.stem = stem
        self.blocks = nnx.List([TemporalBlock(config.width, dtype=dtype, rngs=rngs) for _ in range(config.blocks)])
        self.norm = nnx.LayerNorm(config.width, dtype=dtype, rngs=rngs)
        # Whole channels for all ticks of an example: single values would be made up for by their neighbours in time.
        self.drop_stem = nnx.Dropout(config.dropout, broadcast_dims=(1,), rngs=rngs)
        self.dropout = nnx.Dropout(config.dropout, broadcast_dims=(1,), rngs=rngs)
        self.embed = nnx.Linear(config.width, config.embedding, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b t *rest"]) -> Float[Array, "b u d"]:
        """Unit vectors for the ticks that have all their context."""
        x = self.drop_stem(self.stem(x))  # type: ignore[operator]
        for block in self.blocks:
            x = block(x)
        return unit(self.embed(self.dropout(nnx.gelu(self.norm(x)))))


class SyncPair(nnx.Module):
    """The lips' trunk, the sound's trunk and the temperature of their matching."""

    def __init__(self, config: SyncConfig, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.config = config
        conv = config.stem == "conv"
        lips = LandmarkStem if config.input == "landmarks" else MouthConvStem if conv else PixelStem
        sound = SoundConvStem if conv else SoundStem
        self.lips = Trunk(lips(config.width, dtype=dtype, rngs=rngs), config, dtype=dtype, rngs=rngs)
        self.sound = Trunk(sound(config.width, dtype=dtype, rngs=rngs), config, dtype=dtype, rngs=rngs)
        self.log_scale = nnx.Param(jnp.asarray(jnp.log(10.0)))

    def embed_lips(self, lips: Float[Array, "b t *rest"]) -> Float[Array, "b t d"]:
        """Embeddings for every tick; those nearer than ``reach`` to an end of the window are zero.

        Args:
            lips: ``[b t 72 3]`` aligned points or ``[b t 56 56]`` normalised grey crops.
        """
        return _pad(self.lips(lips), reach(self.config))

    def embed_sound(self, audio: Float[Array, "b s"], valid: Bool[Array, "b t"]) -> Float[Array, "b t d"]:
        """Embeddings for every tick of the sound; those nearer than ``reach`` to an end are zero."""
        return _pad(self.sound(mel_ticks(audio, valid)), reach(self.config))

    @property
    def scale(self) -> Float[Array, ""]:
        """Inverse temperature, at most 100."""
        return jnp.exp(jnp.minimum(self.log_scale[...], jnp.log(100.0)))


def _pad(x: Float[Array, "b u d"], n: int) -> Float[Array, "b t d"]:
    return jnp.pad(x, ((0, 0), (n, n), (0, 0)))


def normalise_mouths(mouths: Float[Array, "b t h w 3"]) -> Float[Array, "b t 56 56"]:
    """RGB crops in [0, 255] as grey pictures of zero mean and unit variance, the middle 56 x 56 pixels."""
    edge = (mouths.shape[2] - CROP) // 2
    grey = mouths[:, :, edge : edge + CROP, edge : edge + CROP].astype(jnp.float32) @ jnp.array([0.299, 0.587, 0.114])
    return normalise_grey(grey)


def normalise_grey(grey: Float[Array, "b t h w"]) -> Float[Array, "b t h w"]:
    """Zero mean and unit variance in each picture, so that exposure does not matter."""
    mean = grey.mean(axis=(2, 3), keepdims=True)
    deviation = jnp.sqrt(jnp.square(grey - mean).mean(axis=(2, 3), keepdims=True))
    return (grey - mean) / (deviation + 2.0)


def erode(valid: Bool[Array, "b t"], radius: int) -> Bool[Array, "b t"]:
    """Ticks whose whole neighbourhood is valid; what is outside the window counts as invalid."""
    padded = jnp.pad(valid, ((0, 0), (radius, radius)))
    return jnp.all(jnp.stack([padded[:, i : i + valid.shape[1]] for i in range(2 * radius + 1)]), axis=0)
