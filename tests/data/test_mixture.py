"""Draws: shares as asked for, the same batches for any number of processes, and from any saved position on."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from avdetect.data.mixture import batches, mixture, parse_weights, weights_of

GROUPS = {"a/RVRA": list(range(0, 40)), "a/RVFA": list(range(100, 110)), "b/RVRA": list(range(200, 202))}


def draw(element: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"element": np.array([element]), "noise": rng.random((1, 3))}


def pairs(element: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"element": np.array([element, -element]), "noise": rng.random((2, 3))}


@pytest.mark.slow
def test_worker_processes_give_the_very_same_batches() -> None:
    from absl import flags

    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    assert same(take(iter(stream(workers=2, threads=1)), 5), take(iter(stream()), 5))


@pytest.mark.slow
def test_workers_end_with_a_killed_run(tmp_path) -> None:
    import os
    import signal
    import subprocess
    import sys
    import time

    import psutil

    program = (
        "from absl import flags; flags.FLAGS.mark_as_parsed()\n"
        "from tests.data.test_mixture import stream\n"
        "if __name__ == '__main__':\n"
        "    it = iter(stream(workers=2, threads=1)); next(it); print('ready', flush=True)\n"
        "    while True: next(it)\n"
    )
    path = tmp_path / "run.py"
    path.write_text(program)
    process = subprocess.Popen(
        [sys.executable, path], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 30
    while (alive := [c for c in children if c.is_running() and c.status() != "zombie"]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not alive, alive


def stream(*, index: int = 0, count: int = 1, seed: int = 3, **options):
    data = mixture(GROUPS, weights_of(GROUPS, balance=0.5), seed=seed)
    return batches(data, draw, batch=8, seed=seed, process_index=index, process_count=count, **options)


def take(iterator, n: int) -> list[dict[str, np.ndarray]]:
    return [next(iterator) for _ in range(n)]


def same(one, other) -> bool:
    return all(np.array_equal(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a)


def test_shares_follow_the_balance_and_the_factors() -> None:
    natural = weights_of(GROUPS, balance=1.0)
    assert natural == pytest.approx({"a/RVRA": 40 / 52, "a/RVFA": 10 / 52, "b/RVRA": 2 / 52})
    assert weights_of(GROUPS, balance=0.0) == pytest.approx(dict.fromkeys(GROUPS, 1 / 3))
    found = weights_of(GROUPS, balance=0.0, factors=["a/RVFA=0", "a/*=3"])
    assert found == pytest.approx({"a/RVRA": 0.75, "b/RVRA": 0.25}), "the first that fits counts"


@pytest.mark.parametrize(
    ("factors", "said"),
    [(["c/*=1"], "fits none"), (["a/RVRA"], "name=factor"), (["a/*=-1"], "0 or more"), (["*=0"], "no clips are left")],
)
def test_wrong_weights_are_named(factors: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        weights_of(GROUPS, balance=1.0, factors=factors)


def test_weights_are_read() -> None:
    assert parse_weights(("a=2", "b = 0.5")) == {"a": 2.0, "b": 0.5}


def test_groups_are_drawn_by_their_shares_and_every_member_in_turn() -> None:
    weights = {"a/RVRA": 0.5, "b/RVRA": 0.5}
    data = mixture(GROUPS, weights, seed=1)
    drawn: list[int] = [data[i] or 0 for i in range(160)]
    assert Counter(x < 100 for x in drawn) == {True: 80, False: 80}
    first = [x for x in drawn if x < 100][:40]
    second = [x for x in drawn if x < 100][40:80]
    assert sorted(first) == sorted(second) == GROUPS["a/RVRA"] and first != second, "shuffled anew for each pass"


def test_one_order_for_one_seed() -> None:
    assert same(take(iter(stream()), 5), take(iter(stream()), 5))
    assert not same(take(iter(stream()), 5), take(iter(stream(seed=4)), 5))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_saved_position_gives_what_would_have_come(threads: int) -> None:
    iterator = iter(stream(threads=threads))
    take(iterator, 3)
    state = iterator.get_state()
    expected = take(iterator, 4)
    fresh = iter(stream(threads=1))
    fresh.set_state(state)
    assert same(take(fresh, 4), expected)


@pytest.mark.parametrize("count", [2, 4, 8])
def test_processes_share_the_very_batches_of_one(count: int) -> None:
    whole = take(iter(stream()), 2)
    shares = [take(iter(stream(index=i, count=count)), 2) for i in range(count)]
    for step, batch in enumerate(whole):
        for name in batch:
            np.testing.assert_array_equal(np.concatenate([share[step][name] for share in shares]), batch[name])


def test_groups_of_one_person_stay_together() -> None:
    data = mixture(GROUPS, weights_of(GROUPS, balance=1.0), seed=0)
    (batch,) = take(iter(batches(data, pairs, batch=8, seed=0, group=2)), 1)
    assert batch["element"].shape == (8,) and batch["noise"].shape == (8, 3)
    np.testing.assert_array_equal(batch["element"][1::2], -batch["element"][0::2])


def test_a_batch_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ValueError, match="8 cannot be divided by 3"):
        stream(count=3)


def test_a_pool_is_drawn_once_and_gone_through_again_and_again() -> None:
    calls = []

    def counted(element: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        calls.append(element)
        return draw(element, rng)

    def pooled(made, pool: int = 12):
        data = mixture(GROUPS, weights_of(GROUPS, balance=0.5), seed=3)
        return iter(batches(data, made, batch=4, seed=3, threads=1, pool=pool))

    passes = [np.concatenate([b["noise"] for b in take(it, 3)]) for it in [pooled(counted)] for _ in range(4)]
    assert len(calls) == 12, "each example is made once"
    first = {row.tobytes() for row in passes[0]}
    assert len(first) == 12 and all({row.tobytes() for row in p} == first for p in passes)
    assert not np.array_equal(passes[0], passes[1]), "each time in another order"
    rows = np.concatenate([b["noise"] for b in take(iter(stream(threads=1)), 2)])[:12]
    assert first == {row.tobytes() for row in rows}, "they are the first of all draws"


def test_a_pool_goes_on_from_a_saved_position() -> None:
    def pooled():
        return iter(stream(pool=24, threads=1))

    it = pooled()
    take(it, 4)
    state = it.get_state()
    rest, other = take(it, 5), pooled()
    other.set_state(state)
    assert same(rest, take(other, 5))


def test_a_star_stands_for_anything_in_a_group() -> None:
    found = weights_of(GROUPS, balance=0.0, factors=["*/RVFA=0", "b*=3"])
    assert found == {"a/RVRA": 0.25, "b/RVRA": 0.75}
