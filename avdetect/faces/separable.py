"""The residual block that both face networks are built of, written for speed on a CPU.

XLA's CPU backend runs a depthwise ``lax.conv`` at under 1 % of the speed of a dense one, so a depthwise convolution is
written here as a sum of shifted products, which XLA fuses into one pass, and a 1x1 convolution as a matrix product.
Everything is NHWC and float32. "SAME" padding is TensorFlow's: for an even size and stride 2 the odd pixel of padding
goes to the right and to the bottom.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Float


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis for TensorFlow's SAME padding.

    Examples:
        >>> same_padding(192, 3, 2), same_padding(96, 3, 1), same_padding(128, 5, 2)
        ((0, 1), (1, 1), (1, 2))
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def depthwise(x: Float[Array, "b h w c"], kernel: Float[Array, "kh kw c"], stride: int) -> Float[Array, "b h2 w2 c"]:
    """Depthwise convolution with SAME padding, as a sum of shifted products (cross-correlation, as in TensorFlow)."""
    b, h, w, c = x.shape
    kh, kw, _ = kernel.shape
    x = jnp.pad(x, ((0, 0), same_padding(h, kh, stride), same_padding(w, kw, stride), (0, 0)))
    h2, w2 = -(-h // stride), -(-w // stride)
    total = jnp.zeros((b, h2, w2, c), x.dtype)
    for i in range(kh):
        for j in range(kw):
            limit = (b, i + (h2 - 1) * stride + 1, j + (w2 - 1) * stride + 1, c)
            total += lax.slice(x, (0, i, j, 0), limit, (1, stride, stride, 1)) * kernel[i, j]
    return total


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
