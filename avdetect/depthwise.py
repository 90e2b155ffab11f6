"""Depthwise convolution as sums of shifted copies.

XLA's own makes the networks that use it ten times slower on a CPU, and the gradients that are derived from the sums are
slow, too: scattered additions for the picture, reductions over everything but channels for the filters. So both are
written out here. "SAME" padding is TensorFlow's: for an even size and stride 2 the odd pixel of padding goes to the
right and to the bottom.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis for TensorFlow's SAME padding.

    Examples:
        >>> same_padding(192, 3, 2), same_padding(96, 3, 1), same_padding(128, 5, 2)
        ((0, 1), (1, 1), (1, 2))
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def depthwise(x: Float[Array, "b h w c"], kernel: Float[Array, "k k c"], stride: int) -> Float[Array, "b v u c"]:
    """Each channel filtered alone, with SAME padding (cross-correlation, as in TensorFlow).

    Args:
        x: pictures.
        kernel: a square filter for each channel.
        stride: between the places that are kept, each way.
    """
    return _summed(_padded(x, len(kernel), stride), kernel, stride, _sizes(x, stride))


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return depthwise(x, kernel, stride), (x, kernel)


def _backward(stride: int, kept: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    x, kernel = kept
    side, size = len(kernel), _sizes(x, stride)
    wide = _padded(x, side, stride)

    def of_filters(wide: Array, gradient: Array) -> Array:
        products = [jnp.sum(part * gradient, axis=(-4, -3, -2)) for _, _, part in _shifts(wide, side, stride, size)]
        return jnp.stack(products).reshape(kernel.shape)

    def one_by_one(wide: Array, gradient: Array) -> Array:
        def add(total: Array, pair: tuple[Array, Array]) -> tuple[Array, None]:
            return total + of_filters(pair[0][None], pair[1][None]), None

        return jax.lax.scan(add, jnp.zeros_like(kernel), (wide, gradient))[0]

    # Picture by picture what is multiplied stays in the cache of a CPU; an accelerator wants all at once.
    filters = jax.lax.platform_dependent(wide, gradient, cpu=one_by_one, default=of_filters)
    edges = [(0, 0, 0)]
    for axis, n in ((1, size[0]), (2, size[1])):
        before = side - 1 - same_padding(x.shape[axis], side, stride)[0]
        spread = (n - 1) * stride + 1
        edges.append((before, x.shape[axis] + side - 1 - before - spread, stride - 1))
    apart = jax.lax.pad(gradient, jnp.zeros((), gradient.dtype), [*edges, (0, 0, 0)])
    return _summed(apart, kernel[::-1, ::-1], 1, x.shape[1:3]), filters


depthwise.defvjp(_forward, _backward)


def _sizes(x: Array, stride: int) -> tuple[int, ...]:
    return tuple(-(-n // stride) for n in x.shape[1:3])


def _padded(x: Array, side: int, stride: int) -> Array:
    return jnp.pad(x, [(0, 0), *(same_padding(n, side, stride) for n in x.shape[1:3]), (0, 0)])


def _summed(wide: Array, kernel: Array, stride: int, size: tuple[int, ...]) -> Array:
    out = jnp.zeros((), wide.dtype)
    for i, j, part in _shifts(wide, len(kernel), stride, size):
        out = out + part * kernel[i, j]
    return out


def _shifts(wide: Array, side: int, stride: int, size: tuple[int, ...]) -> list[tuple[int, int, Array]]:
    found = []
    for i in range(side):
        for j in range(side):
            end = [k + (m - 1) * stride + 1 for k, m in zip((i, j), size, strict=True)]
            low, high = (0, i, j, 0), (wide.shape[0], *end, wide.shape[3])
            found.append((i, j, jax.lax.slice(wide, low, high, (1, stride, stride, 1))))
    return found
