"""Changes of lips and sound on the device, held against OpenCV and against what must not change."""

from __future__ import annotations

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avdetect.augment import lips_device
from avdetect.augment.recode_device import jpeg
from avdetect.models.sync import CROP, N_POINTS
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK

T = 6
affine = jax.jit(lips_device.affine, static_argnums=2)
mouths = jax.jit(lambda x, key: lips_device.mouths(x, key, crop=CROP))
points = jax.jit(lips_device.points)
sound = jax.jit(lips_device.sound)
held = jax.jit(lambda at, key, last: lips_device.held(at, key, last=last))


def pictures(seed: int = 0) -> np.ndarray:
    """Smooth pictures of 64 pixels, levels in [0, 255]."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (T, 8, 8)).astype(np.float32)
    return np.stack([cv2.resize(x, (64, 64), interpolation=cv2.INTER_LINEAR) for x in coarse])


@pytest.mark.parametrize("seed", range(4))
def test_affine_is_that_of_opencv(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = cv2.getRotationMatrix2D((32, 32), rng.normal(0, 10), float(np.exp(rng.normal(0, 0.1))))
    matrix[:, 2] += rng.uniform(-6, 2, 2)
    x = pictures(seed)
    found = affine(x, np.broadcast_to(matrix, (T, 2, 3)).astype(np.float32), CROP)
    for a, b in zip(np.asarray(found), x, strict=True):
        wanted = cv2.warpAffine(b, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        # OpenCV rounds places to a 32nd of a pixel.
        np.testing.assert_allclose(a, wanted, atol=2.0)


def test_blur_is_that_of_opencv() -> None:
    x = pictures(1)[0, :CROP, :CROP]
    blur = np.asarray(lips_device.gaussian(jnp.asarray(1.3), CROP))
    wanted = cv2.GaussianBlur(x, (17, 17), 1.3, borderType=cv2.BORDER_ISOLATED)
    np.testing.assert_allclose((blur @ x @ blur.T)[8:-8, 8:-8], wanted[8:-8, 8:-8], atol=0.1)
    sharp = np.asarray(lips_device.gaussian(jnp.asarray(0.0), CROP))
    np.testing.assert_allclose(sharp, np.eye(CROP), atol=1e-6)


def test_shrinking_is_that_of_opencv() -> None:
    x = pictures(2)[0, :CROP, :CROP]
    for size, matrix in zip(lips_device.SIZES, lips_device.shrinking(CROP), strict=True):
        small = cv2.resize(x, (size, size), interpolation=cv2.INTER_AREA)
        wanted = cv2.resize(small, (CROP, CROP), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(matrix @ x @ matrix.T, wanted, atol=0.5)


@pytest.mark.parametrize("quality", [15, 40, 75])
def test_jpeg_loses_what_libjpeg_loses(quality: int) -> None:
    rng = np.random.default_rng(quality)
    x = np.clip(pictures(3)[0, :CROP, :CROP] + rng.normal(0, 12, (CROP, CROP)), 0, 255).round()
    code = cv2.imencode(".jpg", x.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    wanted = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), float)
    found = np.asarray(jpeg(jnp.asarray(x, jnp.float32), jnp.asarray(float(quality))))
    # The same but for rounding: far nearer to libjpeg's picture than either is to the original.
    assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted - x).mean()


def test_mouths_keep_their_order_in_time() -> None:
    x = np.broadcast_to(np.linspace(40, 200, T, dtype=np.float32)[:, None, None], (T, 64, 64))
    for seed in range(8):
        out = np.asarray(mouths(x, jax.random.key(seed)))
        assert out.shape == (T, CROP, CROP) and out.min() >= 0 and out.max() <= 255
        assert (np.diff(out.mean(axis=(1, 2))) > 0).all()


def test_half_of_the_mouths_are_mirrored() -> None:
    ramp = np.broadcast_to(np.linspace(60, 190, 64, dtype=np.float32), (T, 64, 64))
    rising = [np.asarray(mouths(ramp, jax.random.key(s)))[0].mean(axis=0) for s in range(40)]
    share = np.mean([x[-8:].mean() > x[:8].mean() for x in rising])
    assert 0.25 < share < 0.75


def test_points_keep_their_movement() -> None:
    rng = np.random.default_rng(0)
    still = np.broadcast_to(rng.normal(0.5, 0.1, (1, N_POINTS, 3)).astype(np.float32), (40, N_POINTS, 3)).copy()
    opened = still.copy()
    opened[20:, :, 1] += 0.05
    for seed in range(8):
        change = np.asarray(points(opened, jax.random.key(seed))) - np.asarray(points(still, jax.random.key(seed)))
        before, after = np.abs(change[:20]).mean(), np.abs(change[20:]).mean()
        assert after > 0.01 and before < 0.6 * after  # only the middle of the clip moved with them


def test_sound_stays_in_time_and_in_bounds() -> None:
    n = 20 * SAMPLES_PER_TICK
    audio = np.zeros(n, np.float32)
    audio[n // 2 : n // 2 + 800] = 0.3 * np.sin(2 * np.pi * 700 * np.arange(800) / SAMPLE_RATE)
    silence = np.zeros(n, np.float32)
    for seed in range(12):
        out = np.asarray(sound(audio, silence, jax.random.key(seed)))
        assert out.shape == audio.shape and np.abs(out).max() <= 1 and np.isfinite(out).all()
        power = np.convolve(np.square(out), np.ones(800), "valid")
        assert abs(int(power.argmax()) - n // 2) < SAMPLES_PER_TICK // 2


def test_what_rings_on_after_the_end_is_not_heard_at_the_beginning() -> None:
    n, tick = 20 * SAMPLES_PER_TICK, SAMPLES_PER_TICK
    audio = np.zeros(n, np.float32)
    audio[-tick:] = 0.3 * np.sin(2 * np.pi * 700 * np.arange(tick) / SAMPLE_RATE)
    for seed in range(60):
        power = np.square(sound(audio, np.zeros(n, np.float32), jax.random.key(seed)))
        # There may be noise behind, as loud everywhere.
        assert power[: 3 * tick].mean() < 3 * power[9 * tick : 12 * tick].mean() + 1e-7, seed


def test_fewer_pictures_a_second_show_older_or_newer_ones_by_less_than_a_picture() -> None:
    at = jnp.arange(32, dtype=jnp.float32)
    changed = 0
    for seed in range(60):
        seen = np.asarray(held(at, jax.random.key(seed), jnp.asarray(31)))
        assert np.abs(seen - np.asarray(at)).max() <= 1.06 and seen.min() >= 0 and seen.max() <= 31
        changed += bool((seen != np.asarray(at)).any())
    assert 2 <= changed <= 20
