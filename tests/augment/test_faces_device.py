"""Changes of pairs of faces on the accelerator: alike for both, and JPEG as libjpeg has it."""

from __future__ import annotations

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avdetect.augment.faces_device import augment_pair, blurred
from avdetect.augment.recode_device import jpeg_colour


def picture(seed: int, side: int = 64) -> np.ndarray:
    """Smooth colours with some grain, RGB in [0, 255]."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.uniform(0, 255, (8, 8, 3)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    return np.round(np.clip(coarse + rng.normal(0, 4, coarse.shape), 0, 255)).astype(np.float32)


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_jpeg_is_that_of_libjpeg(quality: int) -> None:
    colour = picture(quality)
    x = np.repeat(colour[..., :1], 3, axis=-1)  # libjpeg halves the resolution of colour, which this does not
    coded = cv2.imencode(".jpg", x.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    wanted = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.float32)
    made = np.asarray(jpeg_colour(jnp.asarray(x[None]), jnp.float32(quality)))[0]
    assert np.abs(made - wanted).mean() < 0.7 < np.abs(wanted - x).mean()
    lost = np.abs(np.asarray(jpeg_colour(jnp.asarray(colour[None]), jnp.float32(quality)))[0] - colour).mean()
    assert np.abs(wanted - x).mean() < lost < 3 * np.abs(wanted - x).mean(), "colour is coded more coarsely"


def test_blur_is_that_of_opencv() -> None:
    x = picture(1)
    wanted = cv2.GaussianBlur(x, (7, 7), 1.2, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(blurred(jnp.asarray(x[None]), jnp.float32(1.2))[0], wanted, atol=0.05)


def test_both_of_a_pair_are_changed_alike() -> None:
    twins = jnp.asarray(np.stack([picture(2)] * 2))
    changed = jax.jit(jax.vmap(augment_pair, (None, 0)))(twins, jax.random.split(jax.random.key(0), 24))
    np.testing.assert_array_equal(changed[:, 0], changed[:, 1])
    assert float(changed.min()) >= 0 and float(changed.max()) <= 255
    different = {np.asarray(x).tobytes() for x in changed[:, 0]}
    assert len(different) == 24, "each pair in its own way"
    # What differs between the two stays where it is: a mark on one of them is still the only difference.
    marked = twins.at[1, 24:40, 24:40].add(60.0)
    apart = jax.jit(jax.vmap(augment_pair, (None, 0)))(marked, jax.random.split(jax.random.key(1), 24))
    assert (np.abs(np.asarray(apart[:, 0] - apart[:, 1])).max(axis=(1, 2, 3)) > 5).all()
