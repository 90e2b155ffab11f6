"""FaceMesh: 468 points in three dimensions of the one face in a 192x192 picture.

The graph of MediaPipe's ``face_landmark.tflite`` (Kartynnik et al. 2019, arXiv:1907.06724), re-implemented; the numbers
come from ``avdetect/weights/faces/face_mesh.safetensors``.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from avdetect.faces.separable import Block, Convolution, blank, prelu

INPUT_SIZE = 192
CHANNELS = (16, 16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128, 128, 128, 128)
"""Channels after the stem and after each of the 14 blocks of the trunk."""
STRIDED = (2, 5, 8, 11)
"""Blocks of the trunk that halve the picture: 96, 48, 24, 12, 6."""
WIDTH = 128
SQUEEZED = 32


class Branch(nnx.Module):
    """From the trunk's 6x6 picture to ``n_out`` numbers: blocks, a squeeze to 32 channels, a block, a 3x3 head."""

    def __init__(self, n_wide: int, n_out: int):
        wide = [Block(WIDTH, WIDTH, stride=2 if i == 0 else 1, prelu=True) for i in range(n_wide)]
        self.blocks = nnx.List([*wide, Block(SQUEEZED, SQUEEZED, prelu=True)])
        self.squeeze = Convolution(WIDTH, SQUEEZED)
        self.squeeze_slope = blank(SQUEEZED)
        self.head = Convolution(3, 3, SQUEEZED, n_out)
        self.n_wide = n_wide

    def __call__(self, x: Float[Array, "b 6 6 c"]) -> Float[Array, "b n"]:
        """Run the branch."""
        for block in self.blocks[: self.n_wide]:
            x = block(x)
        x = prelu(self.squeeze.pointwise(x), self.squeeze_slope[...])
        x = self.blocks[self.n_wide](x).reshape(x.shape[0], -1)
        # The head covers the whole 3x3 picture: one matrix product.
        return x @ self.head.kernel[...].reshape(x.shape[1], -1) + self.head.bias[...]


class FaceMesh(nnx.Module):
    """Landmark regressor with a score that tells whether there is a face at all."""

    def __init__(self) -> None:
        self.stem = Convolution(3, 3, 3, CHANNELS[0])
        self.stem_slope = blank(CHANNELS[0])
        self.blocks = nnx.List(
            Block(CHANNELS[i], CHANNELS[i + 1], stride=2 if i in STRIDED else 1, prelu=True)
            for i in range(len(CHANNELS) - 1)
        )
        self.landmarks = Branch(3, 468 * 3)
        self.presence = Branch(1, 1)

    def __call__(self, image: UInt8[Array, "b 192 192 3"]) -> tuple[Float[Array, "b 468 3"], Float[Array, " b"]]:
        """Find the points.

        Args:
            image: RGB, 0 ... 255, a square 1.5 times the size of the face, eyes level.

        Returns:
            Points x (right), y (down), z (away from the camera) in pixels of the input, and the probability in
            [0, 1] that there is a face.
        """
        x = image.astype(jnp.float32) / 255.0
        x = prelu(self.stem.dense(x, 2), self.stem_slope[...])
        for block in self.blocks:
            x = block(x)
        points = self.landmarks(x).reshape(-1, 468, 3)
        return points, jax.nn.sigmoid(self.presence(x)[:, 0])
