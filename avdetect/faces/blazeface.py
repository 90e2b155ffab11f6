"""BlazeFace, short range: where faces are in a 128x128 picture.

The graph of MediaPipe's ``face_detection_short_range.tflite`` (Bazarevsky et al. 2019, arXiv:1907.05047), re-written;
the numbers come from ``avdetect/weights/faces/blazeface_short.safetensors``.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from avdetect.faces.separable import Block, Convolution

INPUT_SIZE = 128
CHANNELS = (24, 24, 28, 32, 36, 42, 48, 56, 64, 72, 80, 88, 96, 96, 96, 96, 96)
"""Channels after the stem and after each of the 16 blocks."""
STRIDED = (2, 5, 11)
"""Blocks that halve the picture."""
FINE_BLOCKS = 11
"""The 16x16 heads look at what comes out after this many blocks, the 8x8 heads at what comes out last."""


class BlazeFace(nnx.Module):
    """Anchor-based face detector with six key points a face."""

    def __init__(self) -> None:
        self.stem = Convolution(5, 5, 3, CHANNELS[0])
        self.blocks = nnx.List(
            Block(CHANNELS[i], CHANNELS[i + 1], stride=2 if i in STRIDED else 1) for i in range(len(CHANNELS) - 1)
        )
        self.classificator_8 = Convolution(CHANNELS[FINE_BLOCKS], 2)
        self.regressor_8 = Convolution(CHANNELS[FINE_BLOCKS], 32)
        self.classificator_16 = Convolution(CHANNELS[-1], 6)
        self.regressor_16 = Convolution(CHANNELS[-1], 96)

    def __call__(self, image: UInt8[Array, "b 128 128 3"]) -> tuple[Float[Array, "b 896"], Float[Array, "b 896 16"]]:
        """Score and place each anchor.

        Args:
            image: RGB, 0 ... 255.

        Returns:
            Logits that a face is at each anchor, and for each anchor the box (centre x, y, width, height) and six
            points (x, y) in pixels of the input relative to the anchor's centre. Order of anchors:
            ``avdetect.faces.detect.anchors``.
        """
        b = image.shape[0]
        x = image.astype(jnp.float32) / 127.5 - 1.0
        x = jax.nn.relu(self.stem.dense(x, 2))
        for block in self.blocks[:FINE_BLOCKS]:
            x = block(x)
        fine = x
        for block in self.blocks[FINE_BLOCKS:]:
            x = block(x)
        logits = (
            self.classificator_8.pointwise(fine).reshape(b, 512),
            self.classificator_16.pointwise(x).reshape(b, 384),
        )
        places = (
            self.regressor_8.pointwise(fine).reshape(b, 512, 16),
            self.regressor_16.pointwise(x).reshape(b, 384, 16),
        )
        return jnp.concatenate(logits, 1), jnp.concatenate(places, 1)
