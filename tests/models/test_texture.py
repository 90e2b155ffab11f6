"""The texture network: what its features see, what they do not, and that it learns what it is for."""

from __future__ import annotations

import cv2
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from avdetect.config import TextureConfig
from avdetect.models import texture
from avdetect.types import FACE_SIZE, MOUTH_SIZE


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Grainy grey pictures, as many as wanted, all the same everywhere."""
    rng = np.random.default_rng(0)
    return rng.normal(128, 20, (8, FACE_SIZE, FACE_SIZE, 3)).clip(0, 255).round().astype(np.float32)


def smoothed_below(pictures: np.ndarray) -> np.ndarray:
    changed = np.stack([cv2.GaussianBlur(p, (0, 0), 1.5) for p in pictures])
    half = FACE_SIZE // 2
    return np.concatenate([pictures[:, :half], changed[:, half:]], axis=1)


def test_a_redrawn_half_stands_out_and_the_whole_picture_does_not(pictures: np.ndarray) -> None:
    plain = np.asarray(texture.face_energies(jnp.asarray(pictures)))
    half = np.asarray(texture.face_energies(jnp.asarray(smoothed_below(pictures))))
    whole = np.stack([cv2.GaussianBlur(p, (0, 0), 1.5) for p in pictures])
    everywhere = np.asarray(texture.face_energies(jnp.asarray(whole)))
    assert plain.shape == half.shape == (8, 5, 5, 3 * texture.BANDS)
    fine = half[..., : 2 * 3].mean(-1)
    assert fine[:, :2].mean() > 0.3 and fine[:, 3:].mean() < -0.3
    assert np.abs(plain).mean() < 0.1 and np.abs(everywhere).mean() < 0.15


def test_brightness_colour_and_contrast_of_all_of_it_hardly_matter(pictures: np.ndarray) -> None:
    half = smoothed_below(pictures)
    other = half * 0.6 + np.array([30, 10, 20], np.float32)
    one, two = (np.asarray(texture.face_energies(jnp.asarray(p))) for p in (half, other))
    assert np.abs(one - two).mean() < 0.15


def test_mouths_have_what_changes_between_ticks(pictures: np.ndarray) -> None:
    mouths = np.repeat(pictures[:, None, :MOUTH_SIZE, :MOUTH_SIZE], 3, axis=1)
    still = np.asarray(texture.mouth_energies(jnp.asarray(mouths)))
    moved = mouths.copy()
    moved[:, 2, MOUTH_SIZE // 2 :] = 255 - moved[:, 2, MOUTH_SIZE // 2 :]
    seen = np.asarray(texture.mouth_energies(jnp.asarray(moved)))
    assert still.shape == (8, 4, 4, 6 * texture.BANDS)
    assert np.abs(seen - still).max() > 1.0 and np.isfinite(seen).all()


def test_black_pictures_are_finite() -> None:
    net = texture.TextureNet(TextureConfig(), dtype=jnp.float32, rngs=nnx.Rngs(0))
    net.eval()
    look = nnx.jit(lambda net, faces, mouths: net(faces, mouths))
    logits = look(net, jnp.zeros((2, FACE_SIZE, FACE_SIZE, 3)), jnp.zeros((2, 3, MOUTH_SIZE, MOUTH_SIZE, 3)))
    assert logits.shape == (2,) and np.isfinite(np.asarray(logits)).all()


@pytest.mark.slow
def test_it_learns_to_tell_redrawn_halves(pictures: np.ndarray) -> None:
    net = texture.TextureNet(TextureConfig(dropout=0.0, leave_out=0.0), dtype=jnp.float32, rngs=nnx.Rngs(0))
    faces = jnp.asarray(np.concatenate([pictures, smoothed_below(pictures)]))
    mouths = jnp.zeros((16, 3, MOUTH_SIZE, MOUTH_SIZE, 3))
    label = jnp.asarray(np.repeat([0.0, 1.0], 8))
    learner = nnx.Optimizer(net, optax.adam(3e-3), wrt=nnx.Param)

    @nnx.jit
    def step(net: texture.TextureNet, learner: nnx.Optimizer) -> jnp.ndarray:
        def loss(net: texture.TextureNet) -> jnp.ndarray:
            return optax.sigmoid_binary_cross_entropy(net(faces, mouths), label).mean()

        value, grads = nnx.value_and_grad(loss)(net)
        learner.update(net, grads)
        return value

    values = [float(step(net, learner)) for _ in range(60)]
    assert values[-1] < 0.1 < 0.5 < values[0]
