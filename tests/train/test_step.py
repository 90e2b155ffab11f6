"""The step by its formulas, and the guards of the loop."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from pathlib import Path
from typing import Any

import grain
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import train.loop
from avdetect.config import MeshConfig
from avdetect.models.detector import DetectorNet
from avdetect.types import FACE_SIZE, MOUTH_SIZE
from tests.small_nets import SMALL, small_config
from tests.train.toy_task import ToyTask, rows_of, toy_config
from train.remat import blocks_again
from train.step import TrainState, make_train_step, micro_batches
from train.stepwise import part_of

LR = 0.1
CURVATURE = np.array([1.0, 3.0, 0.5], np.float32)
TARGET = np.array([0.3, -1.0, 2.0], np.float32)


class Bowl(nnx.Module):
    def __init__(self) -> None:
        self.w = nnx.Param(jnp.array([1.0, 2.0, -1.0]))


def bowl_loss(model: Bowl, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Half of curvature times squared distance, its mean over the batch's targets."""
    return 0.5 * (CURVATURE * jnp.square(model.w[...] - batch["target"])).sum(axis=1).mean(), {}


def steps_of(steps: int, **options: Any) -> tuple[Any, dict[str, jax.Array]]:
    graph, params, rest = nnx.split(Bowl(), nnx.Param, ...)
    sgd = optax.sgd(LR)
    values = nnx.as_pure(params)
    state = TrainState(jnp.int32(0), values, nnx.as_pure(rest), sgd.init(values), values)
    step = jax.jit(make_train_step(bowl_loss, graph, sgd, rate=lambda n: LR * (n + 1), **options))
    metrics: dict[str, jax.Array] = {}
    for _ in range(steps):
        state, metrics = step(state, {"target": jnp.asarray(TARGET)[None].repeat(4, axis=0)})
    return state, metrics


def gradient(w: np.ndarray) -> np.ndarray:
    return CURVATURE * (w - TARGET)


def test_a_step_and_its_average_by_hand() -> None:
    w = np.array([1.0, 2.0, -1.0], np.float32)
    average = w
    for _ in range(3):
        grads = gradient(w)
        w = w - LR * grads
        average = 0.9 * average + 0.1 * w
    state, metrics = steps_of(3, ema=0.9)
    np.testing.assert_allclose(state.params["w"], w, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(state.average["w"], average, rtol=1e-6, atol=1e-6)
    assert int(state.step) == 3 and float(metrics["lr"]) == pytest.approx(3 * LR)
    assert float(metrics["grad_norm"]) == pytest.approx(float(np.linalg.norm(grads)), rel=1e-6)


def test_sharpness_aware_step_by_hand() -> None:
    """Foret et al. 2021: the gradient is taken ``rho`` further up the slope, the step from where we are."""
    w, rho = np.array([1.0, 2.0, -1.0], np.float32), 0.7
    for _ in range(2):
        up = gradient(w) / np.linalg.norm(gradient(w))
        w = w - LR * gradient(w + rho * up)
    state, _ = steps_of(2, ema=0.0, sam_rho=rho)
    np.testing.assert_allclose(state.params["w"], w, rtol=1e-5)
    np.testing.assert_array_equal(state.average["w"], state.params["w"])
    plain, _ = steps_of(2, ema=0.0)
    assert np.abs(plain.params["w"] - w).max() > 0.01


def test_sharpness_aware_training_keeps_dropout_in_step(tmp_path: Path) -> None:
    """Both gradients see the same units dropped, and the counters advance once a step."""
    counters = {}
    for rho in (0.0, 0.05):
        config = toy_config(optim={"sam_rho": rho}, steps=6, log_every=1)
        train.loop.train(config, ToyTask(config), tmp_path / str(rho))
        checkpoints = train.loop.Checkpoints(tmp_path / str(rho), keep=2)
        arrays = checkpoints.arrays(6)
        checkpoints.close()
        counters[rho] = [int(x) for name, x in arrays.items() if name.startswith("rest.") and "count" in name]
    assert counters[0.0] == counters[0.05] == [6]
    losses = [[r["loss"] for r in rows_of(tmp_path / str(rho)) if "loss" in r] for rho in counters]
    assert losses[0][0] == losses[1][0] and losses[0][2:] != losses[1][2:]


def test_micro_batches_add_up_to_the_batch(tmp_path: Path) -> None:
    found = {}
    for accumulate in (1, 4):
        config = toy_config(mesh=MeshConfig(2, 1), accumulate=accumulate, batch=16, steps=10, log_every=1)
        train.loop.train(config, ToyTask(config, dropout=0.0), tmp_path / str(accumulate))
        rows = [r for r in rows_of(tmp_path / str(accumulate)) if "loss" in r]
        found[accumulate] = [(r["loss"], r["error"], r["grad_norm"]) for r in rows]
    np.testing.assert_allclose(found[4], found[1], rtol=2e-5)


def test_each_device_gives_a_run_of_its_rows_to_each_micro_batch() -> None:
    x = jnp.arange(24)[:, None] * jnp.ones((1, 2), int)
    parts = micro_batches(x, 3, 2)
    assert parts.shape == (3, 8, 2)
    assert parts[:, :, 0].tolist() == [
        [0, 1, 2, 3, 12, 13, 14, 15],
        [4, 5, 6, 7, 16, 17, 18, 19],
        [8, 9, 10, 11, 20, 21, 22, 23],
    ]


def test_computing_activations_again_changes_nothing(tmp_path: Path) -> None:
    found = []
    for remat in (False, True):
        config = toy_config(remat=remat, steps=8, log_every=1)
        train.loop.train(config, ToyTask(config), tmp_path / str(remat))
        found.append([r["loss"] for r in rows_of(tmp_path / str(remat)) if "loss" in r])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_blocks_keep_little_where_activations_are_computed_again() -> None:
    """Bytes kept between the ways forth and back, before XLA does its own planning."""
    graph, params, rest = nnx.split(nnx.eval_shape(lambda: part_of(DetectorNet(SMALL), "visual")), nnx.Param, ...)
    faces = jax.ShapeDtypeStruct((4, FACE_SIZE, FACE_SIZE, 3), jnp.float32)
    mouths = jax.ShapeDtypeStruct((4, 3, MOUTH_SIZE, MOUTH_SIZE, 3), jnp.float32)
    shapes = nnx.as_pure(params), nnx.as_pure(rest), faces, mouths

    def kept(remat: bool) -> int:
        def back(params: Any, rest: Any, faces: Any, mouths: Any) -> Any:
            def forth(params: Any) -> jax.Array:
                model: Any = nnx.merge(graph, params, rest, copy=True)
                with blocks_again(model) if remat else contextlib.nullcontext():
                    return model(faces, mouths).sum()

            return jax.vjp(forth, params)[1]

        return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(jax.eval_shape(back, *shapes)))

    assert kept(True) < 0.5 * kept(False)


def test_parameters_stay_float32_where_computing_is_bfloat16() -> None:
    config = dataclasses.replace(toy_config(), model=small_config("audio", dtype="bfloat16"))
    model = nnx.eval_shape(lambda: part_of(DetectorNet(config.model), "audio"))
    floats = [x for x in jax.tree.leaves(nnx.state(model, nnx.Param))]
    assert len(floats) > 20 and {str(x.dtype) for x in floats} == {"float32"}
    layers = [m for _, m in nnx.iter_graph(model) if isinstance(m, nnx.Linear)]
    assert layers and {jnp.dtype(m.dtype).name for m in layers} == {"bfloat16"}


def test_nothing_is_compiled_after_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by evaluations, checkpoints and lines of the log between the steps, nor after resuming."""
    traced, make = [0], train.loop.make_train_step

    def watched(*args: Any, **options: Any) -> Any:
        step = make(*args, **options)

        def run(*args: Any) -> Any:  # the body of a jitted function runs when it is traced
            traced[0] += 1
            return step(*args)

        return run

    monkeypatch.setattr(train.loop, "make_train_step", watched)
    config = toy_config(steps=9, eval_every=3, log_every=2, save_every=4, measure_peak=True)
    train.loop.train(config, ToyTask(config), tmp_path)
    assert traced == [1]
    assert all(0 < r["peak_share"] < 10 for r in rows_of(tmp_path) if "steps_per_s" in r)


class Uneven(ToyTask):
    """The fifth batch has another shape."""

    def pipeline(self, *, process_index: int, process_count: int) -> grain.IterDataset:
        count = [0]

        def cut(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            count[0] += 1
            return {k: v[:4] for k, v in batch.items()} if count[0] == 5 else batch

        return super().pipeline(process_index=process_index, process_count=process_count).map(cut)


def test_a_step_compiled_anew_is_an_error_that_names_it(tmp_path: Path) -> None:
    config = toy_config()
    with pytest.raises(RuntimeError, match=r"step 5 was compiled anew.*'x': \(4, 16\)"):
        train.loop.train(config, Uneven(config), tmp_path / "a")
    config = toy_config(assert_no_recompile=False)
    train.loop.train(config, Uneven(config), tmp_path / "b")


def test_a_hidden_transfer_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train.loop, "put_batch", lambda batch, mesh: batch)
    config = toy_config()
    with pytest.raises(Exception, match="Disallowed host-to-device transfer"):
        train.loop.train(config, ToyTask(config), tmp_path)


def test_not_a_number_is_found_where_it_arises(tmp_path: Path) -> None:
    def broken(model: Any, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
        out = model(batch["x"])
        return jnp.log(out - 1e6).mean(), {}

    config = toy_config(debug_nans=True)
    task = ToyTask(config)
    task.loss = broken
    with pytest.raises(FloatingPointError, match="nan"):
        train.loop.train(config, task, tmp_path)
    assert not jax.config.jax_debug_nans  # pyright: ignore[reportAttributeAccessIssue]


def test_a_pipeline_that_ends_is_an_error(tmp_path: Path) -> None:
    class Short(ToyTask):
        def pipeline(self, *, process_index: int, process_count: int) -> grain.IterDataset:
            whole = super().pipeline(process_index=process_index, process_count=process_count)
            return grain.experimental.LimitIterDataset(whole, 7)

    config = toy_config()
    with pytest.raises(RuntimeError, match=re.escape("must repeat without end")):
        train.loop.train(config, Short(config), tmp_path)
    assert rows_of(tmp_path)[-1]["step"] == 6
