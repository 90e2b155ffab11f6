"""The functions on the device compute what those on the host do, and are compiled once."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avdetect.augment import device, picture, sound
from avdetect.augment.spectrum import spec_augment

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (3, 16, 20, 3)).astype(np.uint8)
AUDIO = (RNG.standard_normal((4, 3200)) * 0.2).clip(-1, 1).astype(np.float32)


def test_colour_gamma_and_cutout_as_on_the_host() -> None:
    saturation, balance = jnp.array([0.3, 1.0, 1.5]), jnp.array([[1.1, 1, 0.9]] * 3)
    contrast, brightness = jnp.array([0.8, 1.0, 1.2]), jnp.array([5.0, 0.0, -9.0])
    x = jnp.asarray(PICTURES, jnp.float32)
    made = device.colour(x, saturation=saturation, balance=balance, contrast=contrast, brightness=brightness)
    for i in range(3):
        expected = picture.colour(
            PICTURES[i : i + 1],
            saturation=float(saturation[i]),
            balance=np.asarray(balance[i]),
            contrast=float(contrast[i]),
            brightness=float(brightness[i]),
        )
        np.testing.assert_allclose(made[i], expected[0], atol=1.01)
    np.testing.assert_allclose(device.gamma(x, jnp.full(3, 1.7)), picture.gamma(PICTURES, 1.7), atol=0.51)
    box = (0.1, 0.2, 0.55, 0.8)
    covered = device.cutout(x, jnp.tile(jnp.array(box), (3, 1)), jnp.full((3, 3), 9.0))
    np.testing.assert_array_equal(covered, picture.cutout(PICTURES, box, np.full(3, 9, np.uint8)))


def test_companding_as_on_the_host() -> None:
    # float32 and float64 may round a sample that lies between two steps to either
    difference = np.abs(np.asarray(device.mu_law(jnp.asarray(AUDIO))) - np.stack([sound.mu_law(a) for a in AUDIO]))
    assert np.quantile(difference, 0.99) < 1e-6 and difference.max() < 0.02


def test_batches_stay_in_range_differ_by_key_and_compile_once() -> None:
    traces = {"pictures": 0, "sound": 0, "spectra": 0}

    @jax.jit
    def pictures(x: jax.Array, key: jax.Array) -> jax.Array:
        traces["pictures"] += 1
        return device.augment_pictures(x, key)

    @jax.jit
    def sounds(x: jax.Array, key: jax.Array) -> jax.Array:
        traces["sound"] += 1
        return device.augment_sound(x, key)

    @jax.jit
    def spectra(x: jax.Array, key: jax.Array) -> jax.Array:
        traces["spectra"] += 1
        return spec_augment(x, key)

    x, s = jnp.asarray(PICTURES, jnp.float32), jnp.asarray(RNG.standard_normal((3, 50, 40)), jnp.float32)
    results = []
    for step in range(3):
        key = jax.random.key(step)
        results.append([np.asarray(f(a, key)) for f, a in ((pictures, x), (sounds, jnp.asarray(AUDIO)), (spectra, s))])
        assert results[-1][0].min() >= 0 and results[-1][0].max() <= 255 and np.abs(results[-1][1]).max() <= 1
    assert traces == {"pictures": 1, "sound": 1, "spectra": 1}
    for a, b in zip(results[0], results[1], strict=True):
        assert np.isfinite(a).all() and (a != b).any()


@pytest.mark.parametrize("seed", range(3))
def test_spec_augment_covers_bands_and_stretches_only(seed: int) -> None:
    x = jnp.asarray(RNG.standard_normal((4, 60, 40)), jnp.float32)
    made = np.asarray(spec_augment(x, jax.random.key(seed), bands=1, widest_band=10, stretches=1, longest=15))
    changed = made != np.asarray(x)
    for example, before, after in zip(changed, x, made, strict=True):
        bands, times = example.all(axis=0), example.all(axis=1)
        np.testing.assert_array_equal(example, bands[None, :] | times[:, None])
        assert bands.sum() <= 10 and times.sum() <= 15
        assert len(np.flatnonzero(np.diff(np.flatnonzero(bands)) > 1)) == 0, "one stripe"
        np.testing.assert_allclose(after[example], float(before.mean()), atol=1e-6)
