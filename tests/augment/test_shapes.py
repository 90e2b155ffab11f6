"""Any size of pictures and any length of sound come back as they went in."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.augment.chain import augment_sound, picture_steps
from avdetect.augment.config import AugmentConfig

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(ticks=st.integers(1, 4), h=st.integers(8, 24), w=st.integers(8, 24), seed=SEEDS)
def test_pictures(ticks: int, h: int, w: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (ticks, 2 * h, 2 * w, 3)).astype(np.uint8)
    before = pictures.copy()
    for step in picture_steps(rng, AugmentConfig()):
        made = step(pictures)
        assert made.shape == pictures.shape and made.dtype == np.uint8
    np.testing.assert_array_equal(pictures, before, "the input is not written to")


@settings(max_examples=25, deadline=None)
@given(length=st.integers(1, 4000), level=st.floats(0, 1), seed=SEEDS)
def test_sound(length: int, level: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    audio = (level * rng.uniform(-1, 1, length)).astype(np.float32)
    made = augment_sound(audio, rng, AugmentConfig())
    assert made.shape == audio.shape and made.dtype == np.float32
    assert np.isfinite(made).all() and np.abs(made).max() <= 1
