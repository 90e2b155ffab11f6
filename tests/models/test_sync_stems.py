"""Convolutional stems: as far in time as those of patches, and each example for itself."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.config import SyncConfig, SyncInput
from avdetect.models.frontend import MEL
from avdetect.models.sync import CROP, N_POINTS, SyncPair, reach

T = 14
embed_lips = nnx.jit(lambda pair, lips: pair.embed_lips(lips))
sound_trunk = nnx.jit(lambda pair, mel: pair.sound(mel))


@pytest.fixture(scope="module", params=["landmarks", "pixels"])
def pair(request) -> SyncPair:
    kind: SyncInput = request.param
    config = SyncConfig(input=kind, stem="conv", width=32, embedding=16)
    made = SyncPair(config, dtype=jnp.dtype("float32"), rngs=nnx.Rngs(0))
    made.eval()
    return made


def lips_for(pair: SyncPair, seed: int, batch: int = 1) -> np.ndarray:
    shape = (CROP, CROP) if pair.config.input == "pixels" else (N_POINTS, 3)
    return np.random.default_rng(seed).normal(0.5, 0.5, (batch, T, *shape)).astype(np.float32)


def mel_for(seed: int, batch: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, T, 4, MEL.n_mels)).astype(np.float32)


def touched(a: np.ndarray, b: np.ndarray) -> list[int]:
    return np.flatnonzero((np.abs(np.asarray(a) - np.asarray(b)) > 1e-5).any(axis=(0, 2))).tolist()


def test_lips_and_sound_depend_on_what_is_within_reach(pair) -> None:
    # The blocks that start as the identity are given something to do, or the reach would look shorter than it is.
    for trunk in (pair.lips, pair.sound):
        for block in trunk.blocks:
            block.out.kernel[...] = 0.1 * jnp.ones_like(block.out.kernel[...])
    r, lips, mel = reach(pair.config), lips_for(pair, 0), mel_for(0)
    assert r == 4
    other = lips.copy()
    other[:, 6] += lips_for(pair, 1)[:, 6]
    found = touched(embed_lips(pair, lips), embed_lips(pair, other))
    assert set(found) <= set(range(6 - r, 6 + r + 1)) and {6 - r + 2, 6 + r - 2} <= set(found)
    changed = mel.copy()
    changed[:, 6] += mel_for(1)[:, 6]
    found = [i + r for i in touched(sound_trunk(pair, mel), sound_trunk(pair, changed))]
    assert set(found) <= set(range(6 - r, 6 + r + 1)) and 6 in found


def test_a_batch_is_its_examples(pair) -> None:
    lips, mel = lips_for(pair, 3, batch=3), mel_for(3, batch=3)
    whole, heard = np.asarray(embed_lips(pair, lips)), np.asarray(sound_trunk(pair, mel))
    for i in range(3):
        np.testing.assert_allclose(whole[i], embed_lips(pair, lips[i : i + 1])[0], atol=1e-5)
        np.testing.assert_allclose(heard[i], sound_trunk(pair, mel[i : i + 1])[0], atol=1e-5)
    length = np.linalg.norm(whole[:, 5:-5], axis=-1)
    np.testing.assert_allclose(length, 1.0, atol=1e-4)


def test_patterns_in_other_places_give_other_embeddings(pair) -> None:
    mel = np.zeros((2, T, 4, MEL.n_mels), np.float32)
    mel[0, :, :, 10:14] = 1.0
    mel[1, :, :, 40:44] = 1.0
    heard = np.asarray(sound_trunk(pair, mel))
    assert np.abs(heard[0] - heard[1]).max() > 0.01
