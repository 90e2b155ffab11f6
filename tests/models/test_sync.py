"""Lips and sound: reach, edges, batches, mirrors."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.models import sync
from avdetect.models.frontend import CMN_RADIUS, MEL
from avdetect.models.sync import CROP, LIP_POINTS, N_POINTS, erode, mirror_order, normalise_mouths, reach
from avdetect.testing.face import mesh

T = 20
PAIRS = ("sync_landmarks", "sync_pixels")
embed_lips = nnx.jit(lambda pair, lips: pair.embed_lips(lips))
embed_sound = nnx.jit(lambda pair, audio, valid: pair.embed_sound(audio, valid))
sound_trunk = nnx.jit(lambda pair, mel: pair.sound(mel))


def lips_for(name: str, ticks: int, seed: int = 0, batch: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if name == "sync_landmarks":
        return (0.5 + 0.1 * rng.normal(size=(batch, ticks, N_POINTS, 3))).astype(np.float32)
    return rng.normal(size=(batch, ticks, CROP, CROP)).astype(np.float32)


def grey_of(mouths: np.ndarray) -> np.ndarray:
    return np.asarray(normalise_mouths(jnp.asarray(mouths)))


def touched(a: np.ndarray, b: np.ndarray) -> list[int]:
    return np.flatnonzero((np.asarray(a) != np.asarray(b)).any(axis=(0, 2))).tolist()


@pytest.mark.parametrize("name", PAIRS)
def test_lips_depend_on_everything_within_reach_and_on_nothing_outside(net, name: str) -> None:
    pair = getattr(net, name)
    r = reach(pair.config)
    lips = lips_for(name, T)
    changed = lips.copy()
    changed[:, 9] += lips_for(name, 1, seed=9)[:, 0] - lips[:, 9]
    assert touched(embed_lips(pair, lips), embed_lips(pair, changed)) == list(range(9 - r, 9 + r + 1))


@pytest.mark.parametrize("name", PAIRS)
def test_the_sounds_trunk_has_the_same_reach(net, name: str) -> None:
    pair = getattr(net, name)
    r = reach(pair.config)
    mel = np.random.default_rng(0).normal(size=(1, T, 4, MEL.n_mels)).astype(np.float32)
    changed = mel.copy()
    changed[:, 9] += 1.0 + np.random.default_rng(1).normal(size=mel[:, 9].shape)
    found = touched(sound_trunk(pair, mel), sound_trunk(pair, changed))
    assert [i + r for i in found] == list(range(9 - r, 9 + r + 1))


def test_sound_depends_on_reach_and_local_mean_only(net, noise) -> None:
    pair = net.sync_landmarks
    valid, ticks, at = np.ones((1, 90), bool), 90, 45
    audio = noise(ticks)[None]
    changed = audio.copy()
    changed[:, at * 640 : (at + 1) * 640] += noise(1, 3)[None]
    found = touched(embed_sound(pair, audio, valid), embed_sound(pair, changed, valid))
    most = reach(pair.config) + CMN_RADIUS + 1
    assert at - most <= found[0] <= at - most + 1 and at + most - 1 <= found[-1] <= at + most


@pytest.mark.parametrize("name", PAIRS)
def test_embeddings_are_unit_vectors_and_zero_where_context_is_missing(net, name: str, noise) -> None:
    pair = getattr(net, name)
    r = reach(pair.config)
    valid = np.ones((1, T), bool)
    for found in (embed_lips(pair, lips_for(name, T)), embed_sound(pair, noise(T)[None], valid)):
        length = np.linalg.norm(np.asarray(found)[0], axis=-1)
        np.testing.assert_allclose(length[r : T - r], 1.0, atol=1e-3)
        assert not length[:r].any() and not length[T - r :].any()


@pytest.mark.parametrize("name", PAIRS)
def test_padding_does_not_matter(net, name: str, noise) -> None:
    """A short clip alone, and the same at the start of a longer window."""
    pair = getattr(net, name)
    r = reach(pair.config)
    short = 11
    lips, audio = lips_for(name, short), noise(short)[None]
    padded_lips = np.concatenate([lips, lips_for(name, T - short, seed=5)], axis=1)
    padded_audio = np.pad(audio, ((0, 0), (0, (T - short) * 640)))
    valid = np.arange(T)[None] < short
    inside = slice(r, short - r)
    alone = embed_lips(pair, lips)[:, inside], embed_sound(pair, audio, valid[:, :short])[:, inside]
    padded = embed_lips(pair, padded_lips)[:, inside], embed_sound(pair, padded_audio, valid)[:, inside]
    for a, b in zip(alone, padded, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PAIRS)
def test_a_batch_is_its_singles(net, name: str, noise) -> None:
    pair = getattr(net, name)
    lips = lips_for(name, T, batch=3)
    audio, valid = np.stack([noise(T, i) for i in range(3)]), np.ones((3, T), bool)
    valid[1, 9:] = False
    together = embed_lips(pair, lips), embed_sound(pair, audio, valid)
    for i in range(3):
        singles = embed_lips(pair, lips[i : i + 1]), embed_sound(pair, audio[i : i + 1], valid[i : i + 1])
        for a, b in zip(together, singles, strict=True):
            np.testing.assert_allclose(a[i], b[0], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_half_precision_gives_float32_near_the_full_one(net, half_net, name: str, noise) -> None:
    r = reach(getattr(net, name).config)
    lips, audio, valid = lips_for(name, T), noise(T)[None], np.ones((1, T), bool)
    for full, half in (
        (embed_lips(getattr(net, name), lips), embed_lips(getattr(half_net, name), lips)),
        (embed_sound(getattr(net, name), audio, valid), embed_sound(getattr(half_net, name), audio, valid)),
    ):
        assert half.dtype == jnp.float32
        cosine = (np.asarray(full) * np.asarray(half)).sum(axis=-1)[:, r : T - r]
        assert (cosine > 0.99).all() and not np.array_equal(full, half)


def test_place_and_level_of_the_lips_do_not_matter(net) -> None:
    """Mesh points count from their centre; grey pictures from their mean."""
    lips = lips_for("sync_landmarks", T)
    moved = lips + np.array([0.2, -0.1, 0.05], np.float32)
    np.testing.assert_allclose(
        embed_lips(net.sync_landmarks, lips), embed_lips(net.sync_landmarks, moved), rtol=1e-3, atol=1e-4
    )
    mouths = np.random.default_rng(0).integers(20, 200, (1, 2, 64, 64, 3)).astype(np.uint8)
    np.testing.assert_allclose(grey_of(mouths), grey_of(mouths + np.uint8(40)), atol=1e-3)


def test_normalised_mouths_are_the_middle_of_the_crop() -> None:
    mouths = np.random.default_rng(0).integers(0, 256, (1, 1, 64, 64, 3)).astype(np.uint8)
    other = mouths.copy()
    other[:, :, :4] = other[:, :, -4:] = 0
    other[:, :, :, :4] = other[:, :, :, -4:] = 0
    found = grey_of(mouths)
    assert found.shape == (1, 1, CROP, CROP)
    np.testing.assert_array_equal(found, grey_of(other))
    grey = mouths[0, 0, 4:60, 4:60] @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(found[0, 0], (grey - grey.mean()) / (grey.std() + 2), atol=1e-4)
    assert np.isfinite(grey_of(np.zeros_like(mouths))).all()


def test_mirroring_twice_changes_nothing() -> None:
    order = np.array(mirror_order())
    assert sorted(order) == list(range(N_POINTS))
    np.testing.assert_array_equal(order[order], np.arange(N_POINTS))


def test_mirroring_mirrors_a_symmetric_face() -> None:
    assert len(set(LIP_POINTS)) == N_POINTS
    face = mesh(opening=0.6, width=0.8)[list(LIP_POINTS)]
    mirrored = face[list(mirror_order())] * [-1, 1, 1]
    np.testing.assert_allclose(mirrored, face, atol=1e-9)
    assert np.abs(face * [-1, 1, 1] - face).max() > 0.3, "without changing places the mirror image differs"


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_erode_equals_the_loop(radius: int) -> None:
    valid = np.random.default_rng(0).random((2, 15)) < 0.8
    found = np.asarray(erode(jnp.asarray(valid), radius))
    for b in range(2):
        for i in range(15):
            around = [0 <= j < 15 and bool(valid[b, j]) for j in range(i - radius, i + radius + 1)]
            assert found[b, i] == all(around)


def test_the_temperature_is_bounded(net) -> None:
    assert float(net.sync_landmarks.scale) == pytest.approx(np.exp(2.3), rel=1e-5)
    graph, state = nnx.split(net.sync_landmarks)
    hot = nnx.merge(graph, jax.tree.map(jnp.copy, state))
    hot.log_scale[...] = jnp.asarray(50.0)
    assert float(hot.scale) == pytest.approx(100.0, rel=1e-5)


def test_reach_follows_the_blocks(net) -> None:
    config = net.sync_landmarks.config
    deeper = dataclasses.replace(config, blocks=config.blocks + 1)
    assert reach(deeper) == reach(config) + 1 == sync.REACH_STEM + config.blocks + 1
