"""Sizes of the parts of the network, see `avdetect.config`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SyncInput = Literal["landmarks", "pixels"]


@dataclass(frozen=True)
class SyncConfig:
    """One lips-and-sound pair of embedders (``models/sync.py``).

    Attributes:
        input: what the lips are seen as.
        stem: what pictures and spectra go through first: one matrix for patches of them, or convolutions.
        width: channels of both trunks.
        blocks: residual temporal blocks of three ticks in each trunk.
        embedding: size of the shared embedding.
        dropout: rate before the embedding.
    """

    input: SyncInput = "landmarks"
    stem: Literal["patches", "conv"] = "patches"
    width: int = 256
    blocks: int = 2
    embedding: int = 128
    dropout: float = 0.1


@dataclass(frozen=True)
class VisualConfig:
    """The face CNNs (``models/visual.py``).

    Attributes:
        widths: channels of the stages over the face, each half the resolution of the one before.
        mouth_widths: the same over the mouth and its changes; empty = the face alone.
        blocks: residual blocks a stage.
        dropout: rate before the heads.
        leave_out: share of examples for which a stream is left out in training.
        pool: how a map of logits becomes one: its mean, or softly towards its maximum.
    """

    widths: tuple[int, ...] = (48, 64, 128)
    mouth_widths: tuple[int, ...] = (48, 96)
    blocks: int = 1
    dropout: float = 0.2
    leave_out: float = 0.15
    pool: Literal["mean", "soft"] = "soft"


@dataclass(frozen=True)
class TextureConfig:
    """The network over the texture of a face (``models/texture.py``).

    Attributes:
        hidden: units of the layer over the energies of face and mouth.
        heads: logits of which the largest (softly) counts: kinds of forgery do not look alike.
        dropout: rate before the heads.
        leave_out: share of examples for which the face, and as many for which the mouth, is left out in training.
    """

    hidden: int = 64
    heads: int = 4
    dropout: float = 0.3
    leave_out: float = 0.15


@dataclass(frozen=True)
class LiteConfig:
    """The early layers of EfficientNet-Lite0 over the face (``models/lite.py``).

    Attributes:
        stages: how many of its stages are kept, 1 to 6.
        stride: of the first filters; they were made for 2, and 1 costs four times as much.
        dropout: rate before the head.
        pool: as in `VisualConfig`.
    """

    stages: int = 5
    stride: int = 2
    dropout: float = 0.3
    pool: Literal["mean", "soft"] = "soft"


@dataclass(frozen=True)
class CommitteeConfig:
    """Several face networks as one (``models/committee.py``).

    Attributes:
        cnn: options of the convolutional member, the first; ``None`` leaves it out.
        texture: options of each texture network.
        textures: how many of these.
        lite: options of each network with the filters of EfficientNet-Lite0.
        lites: how many of these.
    """

    cnn: VisualConfig | None = VisualConfig()
    texture: TextureConfig = TextureConfig()
    textures: int = 2
    lite: LiteConfig = LiteConfig()
    lites: int = 0


@dataclass(frozen=True)
class AudioConfig:
    """The voice network (``models/audio.py``): channels of its stages, each half the bands of the one before."""

    widths: tuple[int, ...] = (24, 48, 64)
    hidden: int = 96
    dropout: float = 0.2


@dataclass(frozen=True)
class FusionConfig:
    """The fusion head (``models/fusion.py``).

    Attributes:
        radii: half widths in ticks of the windows over which similarity is averaged.
        channels: channels of the convolutions over lags.
        hidden: units of the mismatch MLP and the four-way MLP.
        place: whether the head is told where each lag stands.
    """

    radii: tuple[int, ...] = (12, 37, 75)
    channels: int = 16
    hidden: int = 32
    place: bool = False
