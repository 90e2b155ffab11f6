"""The residual block that both face networks are built of, written for speed on a CPU.

A depthwise convolution is a sum of shifted products (`avdetect.depthwise`), which XLA fuses into one pass, and a 1x1
convolution a matrix product. Everything is NHWC and float32.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from avdetect.depthwise import depthwise


def halve(x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 c"]:
    """The greatest of each 2x2 square."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).max((2, 4))


def blank(*shape: int) -> nnx.Param:
    """A parameter that waits for its numbers. Made by numpy: JAX would compile a program for each shape."""
    return nnx.Param(np.zeros(shape, np.float32))


class Convolution(nnx.Module):
    """Kernel and bias of a convolution; ``kernel`` is (h, w, in, out), (in, out) for 1x1 or (h, w, c) for depthwise."""

    def __init__(self, *shape: int):
        self.kernel = blank(*shape)
        self.bias = blank(shape[-1])

    def dense(self, x: Float[Array, "b h w c"], stride: int = 1, padding: str = "SAME") -> Float[Array, "b h2 w2 d"]:
        """An ordinary convolution."""
        kernel = self.kernel[...]
        y = lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + self.bias[...]

    def pointwise(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w d"]:
        """A 1x1 convolution."""
        return x @ self.kernel[...] + self.bias[...]

    def depthwise(self, x: Float[Array, "b h w c"], stride: int = 1) -> Float[Array, "b h2 w2 c"]:
        """A depthwise convolution."""
        return depthwise(x, self.kernel[...], stride) + self.bias[...]


class Block(nnx.Module):
    """BlazeBlock (Bazarevsky et al. 2019, arXiv:1907.05047): depthwise 3x3, pointwise, plus the input, activation.

    Where the stride is 2 the input is max-pooled, and where channels are added it is padded with zeros.
    The activation is ReLU, or PReLU with a slope per channel where ``prelu``.
    """

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1, prelu: bool = False):
        self.depthwise = Convolution(3, 3, channels_in)
        self.pointwise = Convolution(channels_in, channels_out)
        self.stride = stride
        self.added = channels_out - channels_in
        if prelu:
            self.slope = blank(channels_out)
        else:
            self.slope = None

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 d"]:
        """Run the block."""
        y = self.pointwise.pointwise(self.depthwise.depthwise(x, self.stride))
        skip = halve(x) if self.stride == 2 else x
        if self.added:
            skip = jnp.pad(skip, ((0, 0), (0, 0), (0, 0), (0, self.added)))
        y = skip + y
        return jax.nn.relu(y) if self.slope is None else prelu(y, self.slope[...])


def prelu(x: Float[Array, "... c"], slope: Float[Array, " c"]) -> Float[Array, "... c"]:
    """``x`` where positive, ``slope * x`` elsewhere."""
    return jnp.where(x > 0, x, x * slope)
