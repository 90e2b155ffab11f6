"""Parts that do not know of each other, and the other ways of Flax to look at modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from avdetect.bundle import flat_parameters
from avdetect.models.detector import PARTS, DetectorNet
from avdetect.models.layers import compute_dtype, unfold, unit
from tests.small_nets import small_config

ROOT = Path(__file__).resolve().parents[2]


def values(net: DetectorNet, part: str) -> dict[str, np.ndarray]:
    return {name: np.asarray(v[...]) for name, v in flat_parameters(getattr(net, part)).items()}


def test_a_part_is_the_same_whatever_others_there_are() -> None:
    whole = DetectorNet(small_config(), seed=3)
    assert list(whole.parts()) == list(PARTS)
    for part in ("sync_pixels", "fusion"):
        alone = DetectorNet(small_config(part), seed=3)
        assert list(alone.parts()) == [part]
        mine, theirs = values(alone, part), values(whole, part)
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(mine[n], theirs[n]) for n in mine)
    other = values(DetectorNet(small_config("fusion"), seed=4), "fusion")
    assert any(not np.array_equal(other[n], v) for n, v in values(whole, "fusion").items())


def test_parts_start_from_different_numbers() -> None:
    """The sound trunks of both pairs have equal shapes, but not equal parameters."""
    net = DetectorNet(small_config("sync_landmarks", "sync_pixels"), seed=0)
    a, b = values(net, "sync_landmarks"), values(net, "sync_pixels")
    kernel = "sound.stem.project.kernel"
    assert a[kernel].shape == b[kernel].shape and not np.array_equal(a[kernel], b[kernel])


def test_parameters_are_float32_in_every_precision() -> None:
    net = DetectorNet(small_config("sync_landmarks", "audio", dtype="bfloat16"))
    assert {v.dtype for v in values(net, "audio").values()} == {np.dtype("float32")}


def test_precision_by_name() -> None:
    assert compute_dtype("auto") == jnp.float32, "the tests run on a CPU"
    assert compute_dtype("bfloat16") == jnp.bfloat16


def test_unfold_puts_neighbours_side_by_side() -> None:
    x = jnp.arange(10.0).reshape(1, 5, 2)
    np.testing.assert_array_equal(unfold(x, 3)[0], [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7], [4, 5, 6, 7, 8, 9]])


def test_unit_is_safe_at_zero() -> None:
    found = np.asarray(unit(jnp.array([[3.0, 4.0], [0.0, 0.0]])))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.0, 0.0]], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("flags", [{"NNX_GRAPH_MODE": "false"}, {"NNX_GRAPH_UPDATES": "false"}], ids=str)
def test_the_models_under_the_other_modes_of_flax(flags: dict[str, str]) -> None:
    """Flax is moving to modules as plain trees: the same tests must hold there."""
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", str(here)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **flags}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
