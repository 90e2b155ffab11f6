"""All parts at once: what is drawn, what is learned from it, and what is not touched by it."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.augment.config import AugmentConfig
from avdetect.config import Config, LossConfig
from avdetect.data.clip_draw import ClipDraw
from avdetect.data.store import RecordStore
from avdetect.registry import PluginError
from tests.small_nets import small_net
from train.tasks import make_task
from train.tasks.clips import _on_device, clip_figures, forward, make_loss

FORGERIES = ("self_blend=2", "mouth_freeze=1", "swap_other=1", "shift=1", "world=1")


@pytest.fixture(scope="module")
def config(make_config) -> Config:
    config = make_config("all", steps=3)
    data = dataclasses.replace(config.data, ticks=32, faces=2, forgeries=FORGERIES, forged=0.7, val_examples=32)
    return dataclasses.replace(config, data=data)


@pytest.fixture(scope="module")
def task(config: Config) -> Any:
    return make_task(config)


@pytest.fixture(scope="module")
def batch(task: Any) -> dict[str, np.ndarray]:
    return next(iter(task.pipeline(process_index=0, process_count=1)))


def draw(config: Config, **data: Any) -> ClipDraw:
    options = dataclasses.replace(config.data, **data)
    store = RecordStore(options.records)
    return ClipDraw(options, None, store.where(options.train_where))


def test_a_batch_has_all_that_the_parts_need(batch: dict[str, np.ndarray], config: Config) -> None:
    b = config.train.batch
    assert {len(x) for x in batch.values()} == {b}
    assert batch["points"].shape == (b, 32, 72, 3) and batch["faces"].shape == (b, 2, 160, 160, 3)
    assert batch["visible"].any(axis=1).all() and batch["covered"].any(axis=1).all()
    assert np.isfinite(batch["points"]).all() and np.abs(batch["audio"]).max() <= 1
    labels = batch["face_fake"][np.isfinite(batch["face_fake"])]
    assert {0.0, 1.0} == set(labels.tolist()), "genuine and forged faces"


def test_draws_are_repeatable_and_others_come_from_the_rows_given(config: Config) -> None:
    make = draw(config)
    rows = RecordStore(config.data.records).where("split=train")
    one, again = (make(rows[0], np.random.default_rng(5)) for _ in range(2))
    for name in one:
        np.testing.assert_array_equal(one[name], again[name])
    assert (make(rows[0], np.random.default_rng(6))["audio"] != one["audio"]).any()


def test_nothing_is_forged_where_nothing_shall_be(config: Config) -> None:
    make = draw(config, forged=0.0)
    store = RecordStore(config.data.records)
    for row in store.where("split=train"):
        example = make(row, np.random.default_rng(row))
        fake = store.index[row]["visual_fake"] == "1"
        assert (example["face_fake"] == float(fake)).all()
        assert (example["class"] == (3 if fake else 0)).all(), "both halves of the drawn false ones are false"
        assert example["matched"].any() == (not fake), "lips and sound of forged clips are not known to match"


@pytest.mark.parametrize(
    ("family", "face", "voice", "mismatch"),
    [
        ("self_blend", 1, 0, 0),
        ("swap_other", 0, 0, 1),
        ("shift", 0, 0, 0),
        ("world", 0, 1, 0),
        ("mouth_freeze", 1, 0, 1),
    ],
)
def test_every_family_labels_its_own_branch(config: Config, family: str, face: int, voice: int, mismatch: int) -> None:
    make = draw(config, forged=1.0, forgeries=(f"{family}=1",))
    example = make(0, np.random.default_rng(2))
    known = np.isfinite(example["audio_fake"])
    assert (example["face_fake"] == face).all() and (example["audio_fake"][known] == voice).all()
    assert np.nanmax(example["mismatch"]) == mismatch
    assert example["class"][0] == face + 2 * voice
    if family == "shift":
        assert not example["matched"].any(), "what is late must not be matched at lag zero"


def test_no_sound_is_taken_from_clips_out_of_sync(config: Config) -> None:
    make = draw(config, forged=1.0, forgeries=("swap_other=1",))
    for row in make._store.index[1:]:
        row["segments"] = '[[0.0, 60.0, "sync"]]'
    assert np.nanmax(make(0, np.random.default_rng(2))["mismatch"]) == 0


def test_mates_are_of_one_person(config: Config) -> None:
    make = draw(config, per_person=2, forged=0.0)
    example = make(0, np.random.default_rng(0))
    assert example["audio"].shape[0] == 2 and (example["audio"][0] != example["audio"][1]).any()


def test_unknown_forgeries_are_named(config: Config) -> None:
    with pytest.raises(KeyError, match="'blend'; there are: self_blend"):
        draw(config, forgeries=("blend=1",))
    store = RecordStore(config.data.records)
    with pytest.raises(PluginError, match="no augmentation is called 'rain'"):
        ClipDraw(config.data, AugmentConfig(extra=("rain=0.5",)), store.where(config.data.train_where))


def test_shares_of_processes_make_up_the_batch(task: Any, batch: dict[str, np.ndarray]) -> None:
    shares = [next(iter(task.pipeline(process_index=i, process_count=2))) for i in range(2)]
    for name in batch:
        np.testing.assert_array_equal(np.concatenate([s[name] for s in shares]), batch[name])


plain_loss: Any = nnx.jit(make_loss(LossConfig(), 0.0))


@pytest.fixture(scope="module")
def net() -> Any:
    return small_net()


def test_padding_tells_nothing(net: Any, batch: dict[str, np.ndarray]) -> None:
    """What lies past the end of a clip changes neither what is said of it nor the loss."""
    short = {k: v.copy() for k, v in batch.items()}
    for name, fill in (("visible", False), ("covered", False), ("matched", False)):
        short[name][:, 24:] = fill
    for name in ("audio_fake", "mismatch", "speech"):
        short[name][:, 24:] = np.nan
    other = {k: v.copy() for k, v in short.items()}
    rng = np.random.default_rng(0)
    other["points"][:, 24:] = rng.normal(size=other["points"][:, 24:].shape)
    other["mouths"][:, 24:] = rng.integers(0, 255, other["mouths"][:, 24:].shape)
    # The spectra's windows reach into the next tick, so that one keeps its samples.
    other["audio"][:, 25 * 640 :] = rng.uniform(-1, 1, other["audio"][:, 25 * 640 :].shape)
    assert float(plain_loss(net, short)[0]) == pytest.approx(float(plain_loss(net, other)[0]), rel=1e-4)


def test_unknown_labels_give_no_gradient(net: Any, batch: dict[str, np.ndarray]) -> None:
    unknown = {k: v.copy() for k, v in batch.items()}
    for name in ("face_fake", "audio_fake", "mismatch", "speech"):
        unknown[name][:] = np.nan
    unknown["matched"][:] = False
    unknown["class"][:] = -1
    value, parts = plain_loss(net, unknown)
    assert float(value) == 0.0 and all(float(parts[n]) == 0.0 for n in ("visual", "audio", "mismatch", "class"))


@pytest.mark.slow
def test_the_head_listens_and_does_not_push(net: Any, batch: dict[str, np.ndarray]) -> None:
    """Mismatch and four-way losses train the fusion head alone."""
    weights = LossConfig(sync=0, visual=0, audio=0, speech=0)
    graph, params, rest = nnx.split(net, nnx.Param, ...)
    loss: Any = make_loss(weights, 0.0)
    grads = jax.jit(jax.grad(lambda p, b: loss(nnx.merge(graph, p, rest, copy=True), b)[0]))(params, batch)
    sizes = {name: max(float(jnp.abs(x).max()) for x in jax.tree.leaves(part)) for name, part in grads.items()}
    assert sizes.pop("fusion") > 0 and not any(sizes.values()), sizes


@pytest.mark.slow
def test_dropped_branches_are_not_heard(net: Any, batch: dict[str, np.ndarray]) -> None:
    weights = LossConfig(sync=0, visual=0, audio=0, speech=0, mismatch=0)
    at: Any = nnx.jit(lambda net, batch, drop: make_loss(weights, drop)(net, batch)[0])  # one program for all shares
    values = [float(at(net, batch, jnp.float32(drop))) for drop in (0.0, 0.5, 1.0)]
    assert values[0] != values[1] and values[2] == 0.0, "with everything dropped there is nothing to learn from"


@pytest.mark.slow
def test_parts_that_are_absent_are_left_out(batch: dict[str, np.ndarray]) -> None:
    found = forward(small_net("visual"), jax.tree.map(jnp.asarray, batch))
    assert set(found) == {"pairs", "visual"} and not found["pairs"]


def test_figures_are_of_each_branch() -> None:
    labels = {
        "face_fake": np.array([[1.0, 1.0], [0.0, 0.0], [np.nan, 0.0]]),
        "audio_fake": np.array([[0.0, 1.0], [0.0, 0.0], [np.nan, np.nan]]),
        "mismatch": np.full((3, 2), np.nan),
        "class": np.array([1, 0, -1]),
        "speech": np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5]]),
    }
    scores = {
        "visual": np.array([[2.0, 4.0], [1.0, 1.0], [9.0, -5.0]]),
        "audio": np.array([[0.0, 3.0], [1.0, np.nan], [7.0, 7.0]]),
        "mismatch": np.zeros((3, 2)),
        "class": np.log(np.array([[0.1, 0.7, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1], [0.25] * 4])),
        "speech": np.array([[3.0, 1.0], [2.0, 0.0], [0.0, 0.0]]),
    }
    found = clip_figures(scores, labels)
    assert found["val_auc_visual"] == 1.0 and found["val_auc_audio"] == 1.0 and found["val_auc_speech"] == 1.0
    assert np.isnan(found["val_auc_mismatch"]) and found["val_four_way"] == 0.5


@pytest.mark.slow
def test_everything_is_learned_at_once(config: Config, tmp_path) -> None:
    """A small net learns one batch by heart, in every one of its losses."""
    import json

    import train.loop
    from avdetect.bundle import assemble_net
    from train.stepwise import Stepwise

    config = dataclasses.replace(
        config,
        augment=dataclasses.replace(AugmentConfig(), video_codec=0.0, sound_codec=0.0),
        train=dataclasses.replace(config.train, steps=60, log_every=1, eval_every=60),
    )
    whole: Any = make_task(config)
    fixed = next(iter(whole.pipeline(process_index=0, process_count=1)))
    whole.batches = lambda step: fixed
    train.loop.train(config, Stepwise(whole, "all"), tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    rows = [r for r in rows if "loss" in r]
    for name in ("loss", "visual", "audio", "mismatch", "sync_landmarks_inside", "sync_pixels_inside", "class"):
        values = [r[name] for r in rows]
        assert np.mean(values[-5:]) < 0.92 * np.mean(values[:3]), (name, values)
    assert set(assemble_net([tmp_path / "part"]).parts()) == set(whole.model(small_net()).parts())


def test_the_device_degrades_new_for_every_batch_and_keeps_black_crops(batch: dict[str, np.ndarray]) -> None:
    options = AugmentConfig(device=True, spectrum=1.0)
    work = jax.jit(lambda b: _on_device(b, options)[0])
    first, again = work(batch), work(batch)
    other = work({**batch, "drop": 1 - batch["drop"]})
    black = {**batch, "faces": np.zeros_like(batch["faces"])}
    for name in ("faces", "audio"):
        np.testing.assert_array_equal(first[name], again[name])
        assert (np.asarray(first[name]) != np.asarray(other[name])).any()
        assert (np.asarray(first[name]) != batch[name]).any()
    assert not np.asarray(work(black)["faces"]).any()
    same, cover = _on_device(batch, AugmentConfig(spectrum=0.0))  # type: ignore[arg-type]
    assert same is batch and cover is None


def test_covered_spectrograms_change_the_voice_only_in_training(net: Any, batch: dict[str, np.ndarray]) -> None:
    say = jax.jit(lambda b, share: forward(net, b, cover=(jax.random.key(0), share))["audio"])
    plain = np.asarray(jax.jit(lambda b: forward(net, b)["audio"])(batch))
    np.testing.assert_allclose(np.asarray(say(batch, 0.0)), plain, rtol=1e-4, atol=1e-5)
    assert np.abs(np.asarray(say(batch, 1.0)) - plain).max() > 1e-3
