"""Pieces of any sizes give what the whole gives, through calls of one shape."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.streams import Arrays, Batched, WindowedStream


class MovingSum:
    """Sum over ``reach`` ticks on either side of what is valid; keeps the shapes it was called with."""

    def __init__(self, reach: int):
        self.reach = reach
        self.shapes: set[tuple] = set()

    def __call__(self, a: Arrays) -> Arrays:
        self.shapes.add(tuple((n, x.shape, x.dtype.str) for n, x in sorted(a.items())))
        return {"sum": self.of(a["x"], a["valid"]), "seen": a["valid"]}

    def of(self, x: np.ndarray, valid: np.ndarray) -> np.ndarray:
        masked = np.pad(np.where(valid[:, None], x, 0), ((self.reach, self.reach), (0, 0)))
        return np.sum([masked[i : i + len(x)] for i in range(2 * self.reach + 1)], axis=0)


def material(n: int, seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    return {"x": rng.integers(1, 1000, (n, 2)), "valid": rng.random(n) < 0.8}


def run(stream: WindowedStream, arrays: Arrays, edges: list[int]) -> list[Arrays]:
    results = []
    for low, high in itertools.pairwise(edges):
        results += stream.push({n: a[low:high] for n, a in arrays.items()})
        assert stream.done == sum(len(r["sum"]) for r in results)
    return results + stream.finish()


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 70),
    step=st.integers(1, 17),
    reach=st.integers(0, 6),
    extra=st.integers(0, 3),
    cuts=st.lists(st.integers(0, 70), max_size=8),
)
def test_pieces_equal_the_whole(n: int, step: int, reach: int, extra: int, cuts: list[int]) -> None:
    arrays, function = material(n), MovingSum(reach)
    edges = [0, *sorted(min(c, n) for c in cuts), n]  # equal cuts make empty pieces
    results = run(WindowedStream(function, step=step, halo=reach + extra), arrays, edges)
    found = np.concatenate([r["sum"] for r in results])
    np.testing.assert_array_equal(found, function.of(arrays["x"], arrays["valid"]))
    np.testing.assert_array_equal(np.concatenate([r["seen"] for r in results]), arrays["valid"])
    assert len(function.shapes) == 1, "one shape, whatever the pieces"
    assert all(shape[0] == 2 * (reach + extra) + step for _, shape, _ in next(iter(function.shapes)))


def test_a_halo_shorter_than_the_reach_is_noticed_by_this_test() -> None:
    arrays, function = material(40), MovingSum(4)
    results = run(WindowedStream(function, step=8, halo=2), arrays, [0, 40])
    assert (np.concatenate([r["sum"] for r in results]) != function.of(arrays["x"], arrays["valid"])).any()


def test_results_come_as_soon_as_their_context_is_there_and_memory_stays_bounded() -> None:
    stream = WindowedStream(MovingSum(2), step=8, halo=3)
    arrays = material(1000)
    for i in range(1000):
        stream.push({n: a[i : i + 1] for n, a in arrays.items()})
        assert stream.done == max(0, (i + 1 - 3) // 8 * 8)
        assert all(len(a) <= 2 * 3 + 8 for a in stream._buffer.values())


def test_an_empty_stream_has_no_results_and_calls_nothing() -> None:
    function = MovingSum(1)
    stream = WindowedStream(function, step=4, halo=2)
    assert stream.finish() == []
    assert stream.push(material(0)) == [] and stream.finish() == []
    assert not function.shapes


def test_one_tick() -> None:
    function = MovingSum(1)
    stream = WindowedStream(function, step=4, halo=2)
    assert stream.push(material(1)) == []
    (only,) = stream.finish()
    assert only["sum"].shape == (1, 2)
    assert stream.finish() == [], "finishing again adds nothing"


def test_ticks_outside_are_zeros_and_not_valid() -> None:
    seen = []

    def keep(a: Arrays) -> Arrays:
        seen.append({n: x.copy() for n, x in a.items()})
        return {"x": a["x"]}

    stream = WindowedStream(keep, step=4, halo=2)
    stream.push({"x": np.ones((5, 1)), "valid": np.ones(5, bool)})
    stream.finish()
    assert [w["valid"].astype(int).tolist() for w in seen] == [[0, 0, 1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0, 0, 0]]
    assert all((w["x"][:, 0] == w["valid"]).all() for w in seen)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(0, 40), size=st.integers(1, 9))
def test_batches_keep_the_order_and_the_shape(n: int, size: int) -> None:
    shapes = []

    def double(items: np.ndarray) -> np.ndarray:
        shapes.append(items.shape)
        return items[:, 0] * 2

    batched = Batched(double, size=size)
    items = np.arange(n * 3).reshape(n, 3)
    for item in items:
        batched.push(item)
    np.testing.assert_array_equal(batched.finish(), items[:, 0] * 2)
    assert set(shapes) <= {(size, 3)} and len(shapes) == -(-n // size)


def test_batches_without_items() -> None:
    result = Batched(lambda x: pytest.fail("nothing to run"), size=4).finish()
    assert result.shape == (0,) and result.dtype == np.float32
