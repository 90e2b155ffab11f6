"""Examples made on the device: the same stretches as the host's, whatever batch and device they are in."""

from __future__ import annotations

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avdetect.config import DataConfig, MeshConfig
from avdetect.data import resident_sync
from avdetect.data.resident_sync import ResidentSync
from avdetect.data.sync_examples import SyncClip, at_tempo, window
from avdetect.models.sync import CROP, N_POINTS
from avdetect.sharding import make_mesh
from avdetect.types import SAMPLES_PER_TICK

TICKS = 32
CONFIG = DataConfig(ticks=TICKS)


def clip(number: int, ticks: int) -> SyncClip:
    rng = np.random.default_rng(number)
    return SyncClip(
        key=str(number),
        identity=f"person {number % 3}",
        group="",
        points=rng.normal(0.5, 0.1, (ticks, N_POINTS, 3)).astype(np.float32),
        mouths=rng.integers(0, 256, (ticks, 64, 64), np.uint8),
        audio=(rng.integers(-20000, 20000, ticks * SAMPLES_PER_TICK) / 32767).astype(np.float32),
        visible=rng.random(ticks) > 0.1,
        covered=rng.random(ticks) > 0.1,
    )


CLIPS = [clip(i, ticks) for i, ticks in enumerate((31, 25, 80, 22, 47, 31, 120))]


def made(kind, *, augment: bool, seed: int = 3) -> ResidentSync:
    return ResidentSync(CLIPS, CONFIG, kind=kind, batch=16, seed=seed, augment=augment)


@functools.cache
def put(kind, *, augment: bool, devices: int = 1):
    """Draws to batches, compiled once for all tests."""
    return made(kind, augment=augment).put(make_mesh(MeshConfig(), jax.devices()[:devices]))


@pytest.mark.parametrize("kind", ["landmarks", "pixels"])
def test_without_changes_the_device_makes_what_the_host_makes(kind) -> None:
    resident = made(kind, augment=False)
    first = np.cumsum([0, *(c.n_ticks for c in CLIPS)])
    for step in range(3):
        draws = resident(step)
        batch = {name: np.asarray(x) for name, x in put(kind, augment=False)(draws).items()}
        for i in range(16):
            source = CLIPS[int(np.searchsorted(first, draws["first"][i], side="right")) - 1]
            played = source
            if draws["rate"][i] != 1 or draws["phase"][i]:
                played = at_tempo(source, float(draws["rate"][i]), phase=float(draws["phase"][i]))
            assert played.n_ticks == draws["ticks"][i]
            wanted = window(played, int(draws["start"][i]), TICKS, kind=kind)
            if kind == "pixels":
                wanted["lips"] = wanted["lips"][:, 4:-4, 4:-4]
                # A picture exactly between two ticks may be either.
                differs = (batch["lips"][i] != wanted["lips"]).any(axis=(1, 2))
                assert differs.sum() <= 1
            else:
                np.testing.assert_allclose(batch["lips"][i], wanted["lips"], atol=1e-4)
            np.testing.assert_array_equal(batch["visible"][i], wanted["visible"])
            np.testing.assert_array_equal(batch["covered"][i], wanted["covered"])
            np.testing.assert_allclose(batch["audio"][i], wanted["audio"], atol=5e-3)


@pytest.mark.parametrize("kind", ["landmarks", "pixels"])
def test_an_example_depends_on_its_number_and_not_on_its_batch(kind) -> None:
    draws = made(kind, augment=True)(1)
    order = np.random.default_rng(0).permutation(16)
    straight = put(kind, augment=True)(draws)
    mixed = put(kind, augment=True)({name: x[order] for name, x in draws.items()})
    for name in straight:
        np.testing.assert_allclose(np.asarray(straight[name])[order], mixed[name], atol=1e-3)


@pytest.mark.slow
def test_devices_share_a_batch_and_make_the_same() -> None:
    draws = made("landmarks", augment=True)(0)
    one, two = put("landmarks", augment=True)(draws), put("landmarks", augment=True, devices=2)(draws)
    assert len(two["audio"].sharding.device_set) == 2
    for name in one:
        np.testing.assert_allclose(np.asarray(one[name]), np.asarray(two[name]), atol=1e-4)


@pytest.mark.parametrize("kind", ["landmarks", "pixels"])
def test_changes_leave_shapes_bounds_and_time(kind) -> None:
    draws = made(kind, augment=True)(0)
    batch = {name: np.asarray(x) for name, x in put(kind, augment=True)(draws).items()}
    plain = {name: np.asarray(x) for name, x in put(kind, augment=False)(draws).items()}
    for name in batch:
        assert batch[name].shape == plain[name].shape and np.isfinite(batch[name]).all()
    np.testing.assert_array_equal(batch["visible"], plain["visible"])
    assert np.abs(batch["audio"]).max() <= 1
    if kind == "pixels":
        assert batch["lips"].shape[2:] == (CROP, CROP)
        assert batch["lips"].min() >= 0 and batch["lips"].max() <= 255
    assert not np.allclose(batch["lips"], plain["lips"], atol=1e-3)


def test_steps_and_seeds_differ_and_come_again() -> None:
    a, b = made("landmarks", augment=True), made("landmarks", augment=True)
    other = made("landmarks", augment=True, seed=4)
    assert all((a(5)[name] == b(5)[name]).all() for name in a(5))
    assert (a(5)["first"] != a(6)["first"]).any() or (a(5)["rate"] != a(6)["rate"]).any()
    assert (a(5)["rate"] != other(5)["rate"]).any()
    assert len(set(a(5)["number"]) & set(a(6)["number"])) == 0


def test_sound_of_more_than_37_hours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last samples have numbers beyond an int32."""
    ticks = 4_000_000
    number = jnp.int32(ticks - 2), jnp.arange(3 * SAMPLES_PER_TICK)

    class Long:
        shape = ticks, SAMPLES_PER_TICK

        def __getitem__(self, place):
            rows, columns = map(np.asarray, place)
            np.testing.assert_array_equal(rows, np.repeat([ticks - 2, ticks - 1, 0], SAMPLES_PER_TICK))
            np.testing.assert_array_equal(columns, np.tile(np.arange(SAMPLES_PER_TICK), 3))
            return columns

    resident_sync._samples(Long(), *number)  # type: ignore[arg-type]
    other = made("landmarks", augment=True)
    monkeypatch.setitem(other._clips, "audio", np.broadcast_to(np.int16(0), Long.shape))
    drawn = np.concatenate([other(step)["other"] for step in range(20)])
    assert (drawn >= 0).all() and drawn[:, 0].max() > 0.9 * ticks and drawn[:, 1].max() < SAMPLES_PER_TICK


def test_stretches_of_one_person_come_together() -> None:
    resident, first = made("landmarks", augment=True), np.cumsum([0, *(c.n_ticks for c in CLIPS)])
    met = set()
    for step in range(20):
        rows = resident(step)["first"]
        people = [CLIPS[int(np.searchsorted(first, at, side="right")) - 1].identity for at in rows]
        assert len(people) == 16 and sum(a != b for a, b in itertools.pairwise(people)) <= 8
        met |= set(people)
    assert len(met) == 3
