"""Many devices do what one does."""

from __future__ import annotations

import re
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

from avdetect.checkpoint import Checkpoints
from avdetect.config import MeshConfig
from avdetect.sharding import local_copy, make_mesh, put_batch, shardings, spec_of
from tests.train.toy_task import WIDTH, ToyTask, rows_of, toy_config
from train.loop import train
from train.optim import optimizer
from train.state import first_state


@pytest.mark.parametrize("sizes", [[(2, 2)], pytest.param([(4, 1), (1, 4)], marks=pytest.mark.slow)], ids=str)
def test_twenty_steps_on_four_devices_are_those_of_one(sizes: list[tuple[int, int]], tmp_path: Path) -> None:
    logs, ends = {}, {}
    for data, fsdp in [(1, 1), *sizes]:
        config = toy_config(mesh=MeshConfig(data, fsdp, min_shard=16), steps=20, log_every=1)
        folder = tmp_path / f"{data}x{fsdp}"
        train(config, ToyTask(config), folder)
        logs[data, fsdp] = [(r["loss"], r["grad_norm"], r["error"]) for r in rows_of(folder) if "loss" in r]
        checkpoints = Checkpoints(folder, keep=2)
        ends[data, fsdp] = {name: x for name, x in checkpoints.arrays(20).items() if x.dtype == np.float32}
        checkpoints.close()
    one = ends.pop((1, 1))
    assert len(logs[1, 1]) == 20 and logs[1, 1][-1][0] < logs[1, 1][0][0]
    assert {name.split(".")[0] for name in one} == {"params", "optimizer", "average"}
    assert one["params.first.kernel"].shape == (16, WIDTH)
    for (data, fsdp), end in ends.items():
        np.testing.assert_allclose(logs[data, fsdp], logs[1, 1], rtol=1e-4, err_msg=f"{data} x {fsdp}")
        for name, value in one.items():
            np.testing.assert_allclose(end[name], value, rtol=1e-4, atol=1e-6, err_msg=f"{data} x {fsdp} {name}")
        assert end["params.first.kernel"].sharding.shard_shape((16, WIDTH)) == (16, WIDTH // fsdp)


def test_large_arrays_are_born_in_shares_and_small_ones_everywhere() -> None:
    mesh = make_mesh(MeshConfig(2, 2))
    config = toy_config(mesh=MeshConfig(2, 2, min_shard=100))
    chain = optimizer(config.optim, 10)
    _, state, where = first_state(config, ToyTask(config).model, chain, mesh)
    kernel, bias = state.params["first"]["kernel"], state.params["first"]["bias"]
    assert kernel.sharding.spec == P(None, "fsdp") and bias.sharding.spec == P()
    assert {s.data.shape for s in kernel.addressable_shards} == {(16, WIDTH // 2)}
    assert state.average["first"]["kernel"].sharding == kernel.sharding
    moments = [x for x in jax.tree.leaves(state.optimizer) if x.shape == (16, WIDTH)]
    assert len(moments) == 2 and all(m.sharding == kernel.sharding for m in moments)
    assert jax.tree.structure(where) == jax.tree.structure(state)
    whole = local_copy(state.params, mesh)
    assert len(whole["first"]["kernel"].devices()) == 1 and whole["first"]["kernel"].shape == (16, WIDTH)
    np.testing.assert_array_equal(whole["first"]["kernel"], kernel)


def test_rows_of_a_batch_are_spread_over_both_axes() -> None:
    mesh = make_mesh(MeshConfig(2, 2))
    x = np.arange(24).reshape(8, 3)
    put = put_batch({"x": x, "label": np.arange(8)}, mesh)
    np.testing.assert_array_equal(put["x"], x)
    rows = sorted((s.data.shape, int(s.data[0, 0])) for s in put["x"].addressable_shards)
    assert rows == [((2, 3), 0), ((2, 3), 6), ((2, 3), 12), ((2, 3), 18)]


@pytest.mark.parametrize(
    ("shape", "fsdp", "least", "spec"),
    [
        ((512, 128), 4, 1, P("fsdp", None)),
        ((64, 64), 4, 1, P(None, "fsdp")),
        ((510, 6, 128), 4, 1, P(None, None, "fsdp")),
        ((7, 5), 2, 1, P()),
        ((512, 128), 4, 512 * 128 + 1, P()),
        ((512, 128), 1, 1, P()),
        ((), 4, 0, P()),
        ((0, 8), 4, 0, P(None, "fsdp")),
    ],
)
def test_the_largest_axis_that_divides_is_spread(shape: tuple, fsdp: int, least: int, spec: P) -> None:
    assert spec_of(shape, fsdp, least) == spec


def test_the_mesh_takes_what_is_left() -> None:
    assert dict(make_mesh(MeshConfig()).shape) == {"data": 4, "fsdp": 1}
    assert dict(make_mesh(MeshConfig(-1, 2)).shape) == {"data": 2, "fsdp": 2}
    assert dict(make_mesh(MeshConfig(1, -1)).shape) == {"data": 1, "fsdp": 4}
    assert make_mesh(MeshConfig(2, 1)).size == 2
    assert make_mesh(MeshConfig(), jax.devices()[:1]).size == 1
    tree = shardings({"a": jax.ShapeDtypeStruct((8, 8), "float32")}, make_mesh(MeshConfig(2, 2)), min_shard=1)
    assert tree["a"].spec == P(None, "fsdp")


@pytest.mark.parametrize(
    ("mesh", "words"),
    [
        (MeshConfig(-1, -1), "may be -1"),
        (MeshConfig(0, 1), "mesh.data=0"),
        (MeshConfig(-1, 3), "4 devices are not groups of 3"),
        (MeshConfig(4, 2), "mesh.data=4 times mesh.fsdp=2 is not the 4 devices"),
    ],
)
def test_a_mesh_that_does_not_fit(mesh: MeshConfig, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        make_mesh(mesh)


def test_a_batch_that_does_not_divide(tmp_path: Path) -> None:
    for batch, accumulate in ((6, 1), (8, 4)):
        config = toy_config(mesh=MeshConfig(4, 1), batch=batch, accumulate=accumulate)
        with pytest.raises(ValueError, match=r"train\.batch=\d does not divide over 4 devices"):
            train(config, ToyTask(config), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_goes_on_on_other_devices(tmp_path: Path) -> None:
    """The checkpoint of four devices, taken up by one."""
    straight = toy_config(mesh=MeshConfig(1, 1), steps=8, save_every=4, log_every=1)
    train(straight, ToyTask(straight), tmp_path / "straight")
    wide = toy_config(mesh=MeshConfig(2, 2, min_shard=16), steps=8, save_every=4, log_every=1)
    task = ToyTask(wide)
    stop_after(task, 4)
    with pytest.raises(RuntimeError, match="enough"):
        train(wide, task, tmp_path / "moved")
    train(straight, ToyTask(straight), tmp_path / "moved")
    losses = [[r["loss"] for r in rows_of(tmp_path / name) if "loss" in r] for name in ("straight", "moved")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def stop_after(task: ToyTask, step: int) -> None:
    """The next evaluation after ``step`` fails."""

    def fail(model: object) -> dict[str, float]:
        raise RuntimeError("enough")

    task.evaluate = fail  # type: ignore[method-assign]
