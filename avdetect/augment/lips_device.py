"""What `avdetect.augment.lips` and `avdetect.augment.channel` do to an example, as JAX functions of one example.

For batches they are mapped over examples, each with a typed key of its own, so that an example does not depend on the
batch or the device it is in. The parts without chance compute what the host functions do, to within rounding.
"""

from __future__ import annotations

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from avdetect.augment.recode_device import jpeg
from avdetect.models.sync import mirror_order
from avdetect.types import SAMPLE_RATE

SIZES = tuple(range(18, 49, 3))
"""Sides to which a mouth crop is shrunk before it is enlarged again."""


def _uniform(key: jax.Array, low: float, high: float, shape: tuple[int, ...] = ()) -> Array:
    """Between two bounds."""
    return jax.random.uniform(key, shape, minval=low, maxval=high)


def affine(pictures: Float[Array, "t h w"], matrix: Float[Array, "t 2 3"], side: int) -> Float[Array, "t side side"]:
    """Each picture under its own affine map (from places in the picture to places in the result), bilinear.

    What would come from outside is the nearest pixel of the edge, as in ``cv2.warpAffine`` with ``BORDER_REPLICATE``.
    """
    t, h, w = pictures.shape
    a, b, c, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1]
    inverse = jnp.stack([jnp.stack([d, -b], -1), jnp.stack([-c, a], -1)], -2) / (a * d - b * c)[:, None, None]
    y, x = jnp.meshgrid(jnp.arange(side), jnp.arange(side), indexing="ij")
    place = jnp.stack([x, y], -1).reshape(1, -1, 2) - matrix[:, None, :, 2]
    source = jnp.einsum("tij,tpj->tpi", inverse, place, precision="highest")
    sx, sy = jnp.clip(source[..., 0], 0, w - 1), jnp.clip(source[..., 1], 0, h - 1)
    x0, y0 = jnp.minimum(jnp.floor(sx), w - 2), jnp.minimum(jnp.floor(sy), h - 2)
    fx, fy = sx - x0, sy - y0
    corner = (y0 * w + x0).astype(jnp.int32)
    flat = pictures.reshape(t, h * w)

    def at(offset: int) -> Array:
        return jnp.take_along_axis(flat, corner + offset, axis=1)

    top, bottom = at(0) * (1 - fx) + at(1) * fx, at(w) * (1 - fx) + at(w + 1) * fx
    return (top * (1 - fy) + bottom * fy).reshape(t, side, side)


def gaussian(sigma: Float[Array, ""], side: int) -> Float[Array, "side side"]:
    """The matrix that blurs a column of ``side`` pixels."""
    distance = jnp.arange(side)[:, None] - jnp.arange(side)[None]
    weight = jnp.exp(-0.5 * jnp.square(distance / jnp.maximum(sigma, 1e-3)))
    return weight / weight.sum(axis=1, keepdims=True)


def shrinking(side: int) -> Float[np.ndarray, "k side side"]:
    """For every one of `SIZES`, the matrix that shrinks a column to it (area) and enlarges it again (bilinear)."""
    unit = np.eye(side, dtype=np.float32)
    small = [cv2.resize(unit, (side, n), interpolation=cv2.INTER_AREA) for n in SIZES]
    return np.stack([cv2.resize(x, (side, side), interpolation=cv2.INTER_LINEAR) for x in small])


def mouths(pictures: Float[Array, "t h w"], key: jax.Array, *, crop: int) -> Float[Array, "t crop crop"]:
    """Cropped, zoomed, turned, flipped, relit, blurred and recoded grey mouth pictures, levels in [0, 255]."""
    t, h, w = pictures.shape
    keys = jax.random.split(key, 20)
    zoom, angle = jnp.exp(0.07 * jax.random.normal(keys[0])), jnp.deg2rad(5.0 * jax.random.normal(keys[1]))
    stretch = jnp.exp(0.04 * jax.random.normal(keys[2]))
    flip = jnp.where(jax.random.bernoulli(keys[3]), -1.0, 1.0)
    turn = jnp.array([[jnp.cos(angle), jnp.sin(angle)], [-jnp.sin(angle), jnp.cos(angle)]])
    linear = jnp.diag(jnp.array([1.0, 0.0])) * flip * stretch + jnp.diag(jnp.array([0.0, 1.0])) / stretch
    linear = zoom * (linear @ turn)
    move = _uniform(keys[4], -3, 3, (2,))
    shaky = jax.random.bernoulli(keys[5], 0.3) * _uniform(keys[6], 0.0, 0.7)
    shift = move + shaky * jax.random.normal(keys[7], (t, 2))
    middle = jnp.array([(w - 1) / 2, (h - 1) / 2])
    offset = (crop - 1) / 2 + shift - linear @ middle
    x = affine(pictures, jnp.concatenate([jnp.broadcast_to(linear, (t, 2, 2)), offset[..., None]], -1), crop)

    contrast, light = jnp.exp(0.25 * jax.random.normal(keys[8])), 15 * jax.random.normal(keys[9])
    gamma = jnp.exp(0.25 * jax.random.normal(keys[10]))
    x = 255 * (jnp.clip((x - 128) * contrast + 128 + light, 0, 255) / 255) ** gamma

    blur = gaussian(jax.random.bernoulli(keys[11], 0.3) * _uniform(keys[12], 0.4, 1.8), crop)
    kind = jax.random.randint(keys[13], (), 0, len(SIZES))
    small = jnp.where(jax.random.bernoulli(keys[14], 0.25), jnp.asarray(shrinking(crop))[kind], jnp.eye(crop))
    operator = small @ blur
    x = jnp.einsum("ij,tjk,lk->til", operator, x, operator)

    # Quality 12 to 90.
    coded = jpeg(x, jnp.exp(_uniform(keys[15], 2.5, 4.5)))
    x = jnp.where(jax.random.bernoulli(keys[16], 0.3), coded, x)
    noise = jax.random.bernoulli(keys[17], 0.25) * _uniform(keys[18], 1, 8)
    return jnp.clip(x + noise * jax.random.normal(keys[19], x.shape), 0, 255)


def points(lips: Float[Array, "t n 3"], key: jax.Array) -> Float[Array, "t n 3"]:
    """Turned, scaled, sheared, mirrored and shaken mesh points: see `avdetect.augment.lips.points`."""
    keys = jax.random.split(key, 8)
    mirrored = lips[:, jnp.array(mirror_order())] * jnp.array([-1.0, 1, 1]) + jnp.array([1.0, 0, 0])
    lips = jnp.where(jax.random.bernoulli(keys[0]), mirrored, lips)
    angle = 0.07 * jax.random.normal(keys[1])
    turn = jnp.array([[jnp.cos(angle), -jnp.sin(angle), 0], [jnp.sin(angle), jnp.cos(angle), 0], [0, 0, 1]])
    stretch = jnp.diag(jnp.exp(jnp.array([0.1, 0.1, 0.25]) * jax.random.normal(keys[2], (3,))))
    shear = jnp.eye(3) + 0.05 * jax.random.normal(keys[3], (3, 3)) * jnp.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]])
    centre = lips.mean(axis=(0, 1))
    lips = jnp.einsum("tni,ij->tnj", lips - centre, turn @ stretch @ shear, precision="highest") + centre
    shake = _uniform(keys[4], 0, 0.004) * jax.random.normal(keys[5], (lips.shape[0], 1, 3))
    noise = _uniform(keys[6], 0, 0.002) * jax.random.normal(keys[7], lips.shape)
    return lips + shake + noise


def sound(audio: Float[Array, " s"], other: Float[Array, " s"], key: jax.Array) -> Float[Array, " s"]:
    """Level, colour of the channel, a missing band, a room, coloured noise or other voices behind; nothing is moved.

    Args:
        audio: in [-1, 1].
        other: any other sound, for the background.
        key: of everything random.
    """
    keys = jax.random.split(key, 16)
    n = audio.shape[0]
    # Twice as long as the sound: what rings on after its end would come round to its beginning.
    hz = jnp.fft.rfftfreq(2 * n, 1 / SAMPLE_RATE)
    response = jnp.where(jax.random.bernoulli(keys[0], 0.6), _colour(keys[1], hz), 1.0)
    low = _uniform(keys[2], 0, 5000)
    high = low * _uniform(keys[3], 1.2, 2.0) + 150
    notched = jax.random.bernoulli(keys[4], 0.35) & (hz >= low) & (hz < high)
    response = response * jnp.where(notched, 0.02, 1.0)

    time = jnp.arange(n) / SAMPLE_RATE
    tail = jax.random.normal(keys[5], (n,)) * jnp.exp(-6.9 * time / _uniform(keys[6], 0.1, 0.5)) * (time > 0.002)
    tail = tail / (jnp.linalg.norm(tail) + 1e-9) * _uniform(keys[7], 0.1, 0.7)
    room = jax.random.bernoulli(keys[8], 0.25)
    reply = 1.0 + room * jnp.fft.rfft(tail, n=2 * n)
    x = jnp.fft.irfft(jnp.fft.rfft(audio, n=2 * n) * response * reply, n=2 * n)[:n]

    noise = jnp.fft.irfft(jnp.fft.rfft(jax.random.normal(keys[9], (n,))) * _colour(keys[10], hz[::2]), n=n)
    noise = jnp.where(jax.random.bernoulli(keys[11], 0.25), other, noise)
    snr = _uniform(keys[12], 5, 40)
    level = jax.random.bernoulli(keys[13], 0.65) * _rms(x) * 10 ** (-snr / 20) / (_rms(noise) + 1e-9)
    gain = 10 ** (_uniform(keys[14], -18, 6) / 20)
    return jnp.clip(gain * (x + level * noise), -1, 1)


def held(at: Float[Array, " t"], key: jax.Array, *, last: Float[Array, ""]) -> Float[Array, " t"]:
    """Moments of the pictures that a film of fewer pictures a second shows at moments ``at`` (both in ticks)."""
    of_use, of_step, of_phase = jax.random.split(key, 3)
    step, phase = _uniform(of_step, 1.05, 2.1), _uniform(of_phase, 0, 1)
    seen = (jnp.round(at / step - phase) + phase) * step
    use: Bool[Array, ""] = jax.random.bernoulli(of_use, 0.15)
    return jnp.where(use, jnp.clip(seen, 0, last), at)


def _colour(key: jax.Array, hz: Float[Array, " f"]) -> Float[Array, " f"]:
    """See `avdetect.augment.channel.colour`: a smooth random response, sometimes cut off above."""
    keys = jax.random.split(key, 3)
    knots = 5 * jax.random.normal(keys[0], (8,))
    response = jnp.interp(hz, jnp.linspace(0, SAMPLE_RATE / 2, 8), knots)
    edge = jnp.where(jax.random.bernoulli(keys[1], 0.3), _uniform(keys[2], 3000, 7500), jnp.inf)
    response = response - 40 * jnp.clip((hz - edge) / 500, 0, 1)
    return 10 ** (response / 20)


def _rms(x: Float[Array, " s"]) -> Float[Array, ""]:
    return jnp.sqrt(jnp.mean(jnp.square(x)))
