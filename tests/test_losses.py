"""The losses against plain loops, one entry at a time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avdetect import losses

matching = jax.jit(losses.matching, static_argnames="ignore")
matching_across = jax.jit(losses.matching_across)


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=[0, 1, 2])
def example(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(request.param)
    b, t, d = 3, 9, 5
    lips, sound = unit(rng.normal(size=(b, t, d))), unit(rng.normal(size=(b, t, d)))
    sound = unit(sound + lips)  # somewhat alike, so that hits are neither all nor none
    valid = rng.random((b, t)) < 0.7
    if request.param == 2:
        valid[1] = False
    return lips, sound, valid


def log_sum_exp(values: list[float]) -> float:
    return float(np.logaddexp.reduce(np.array(values, np.float64)))


def matching_by_loops(lips, sound, valid, scale, ignore) -> tuple[float, float]:
    total, hits, count = 0.0, 0, 0
    for b in range(len(lips)):
        ticks = [i for i in range(lips.shape[1]) if valid[b, i]]
        for i in ticks:

            def s(x: int, y: int, b: int = b) -> float:
                return scale * float(np.dot(lips[b, x].astype(np.float64), sound[b, y].astype(np.float64)))

            rivals = [j for j in ticks if j == i or abs(j - i) > ignore]
            total += (log_sum_exp([s(i, j) for j in rivals]) - s(i, i)) / 2
            total += (log_sum_exp([s(j, i) for j in rivals]) - s(i, i)) / 2
            best = max(ticks, key=lambda j: s(i, j))
            hits += abs(best - i) <= ignore
            count += 1
    return total / max(count, 1), hits / max(count, 1)


@pytest.mark.parametrize("ignore", [0, 1, 2])
def test_matching_equals_the_loops(example, ignore: int) -> None:
    lips, sound, valid = example
    value, hit = matching(lips, sound, valid, scale=jnp.float32(7.0), ignore=ignore)
    expected, expected_hit = matching_by_loops(lips, sound, valid, 7.0, ignore)
    assert float(value) == pytest.approx(expected, rel=1e-5)
    assert float(hit) == pytest.approx(expected_hit, abs=1e-6)
    assert 0 < expected_hit < 1, "an example in which every tick hits or misses proves little"


def matching_across_by_loops(lips, sound, valid, scale) -> float:
    total, count = 0.0, 0
    for t in range(lips.shape[1]):
        clips = [b for b in range(len(lips)) if valid[b, t]]
        for i in clips:
            scores = [scale * float(np.dot(lips[i, t].astype(np.float64), sound[j, t])) for j in clips]
            total += log_sum_exp(scores) - scores[clips.index(i)]
            count += 1
    return total / max(count, 1)


def test_matching_across_equals_the_loops(example) -> None:
    lips, sound, valid = example
    value = matching_across(lips, sound, valid, scale=jnp.float32(5.0))
    assert float(value) == pytest.approx(matching_across_by_loops(lips, sound, valid, 5.0), rel=1e-5)


def spoiled(x: np.ndarray, valid: np.ndarray) -> np.ndarray:
    noise = unit(np.random.default_rng(99).normal(size=x.shape))
    return np.where(valid[..., None], x, noise)


def test_what_is_masked_changes_neither_value_nor_gradient(example) -> None:
    lips, sound, valid = example

    def both(lips, sound):
        scale = jnp.float32(7.0)
        return matching(lips, sound, valid, scale=scale)[0] + matching_across(lips, sound, valid, scale=scale)

    graded = jax.jit(jax.value_and_grad(both, argnums=(0, 1)))
    value, gradient = graded(lips, sound)
    other, other_gradient = graded(spoiled(lips, valid), spoiled(sound, valid))
    assert float(value) == pytest.approx(float(other), rel=1e-6)
    for g, h in zip(gradient, other_gradient, strict=True):
        np.testing.assert_allclose(g, h, atol=1e-6)
        assert not np.asarray(g)[~valid].any(), "masked ticks must not be learned from"


def test_neighbours_are_neither_right_nor_wrong() -> None:
    """Sound that equals its neighbours exactly costs nothing, and with ignore=0 it does."""
    t, d = 8, 8
    lips = np.repeat(np.eye(d, dtype=np.float32)[: t // 2], 2, axis=0)[None]
    valid = np.ones((1, t), bool)
    # Ticks come in equal pairs: each is the other's neighbour.
    ignored, hit = matching(lips, lips, valid, scale=jnp.float32(50.0), ignore=1)
    punished, _ = matching(lips, lips, valid, scale=jnp.float32(50.0), ignore=0)
    assert float(ignored) == pytest.approx(0.0, abs=1e-6) and float(hit) == 1.0
    assert float(punished) == pytest.approx(np.log(2), rel=1e-5)


def test_nothing_valid_costs_nothing_and_is_finite() -> None:
    lips = unit(np.random.default_rng(0).normal(size=(2, 6, 4)))
    valid = np.zeros((2, 6), bool)

    def value(x):
        a, hit = matching(x, lips, valid, scale=jnp.float32(10.0))
        return a + hit + matching_across(x, lips, valid, scale=jnp.float32(10.0))

    found, gradient = jax.jit(jax.value_and_grad(value))(lips)
    assert float(found) == 0.0 and not np.asarray(gradient).any()
    assert float(losses.binary(jnp.ones((3,)), jnp.ones((3,)), jnp.zeros((3,), bool))) == 0.0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_binary_equals_the_loop(smoothing: float) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, (4, 6)).astype(np.float32)
    labels = (rng.random((4, 6)) < 0.5).astype(np.float32)
    valid = rng.random((4, 6)) < 0.6
    total = 0.0
    for i, j in np.argwhere(valid):
        p = 1 / (1 + np.exp(-float(logits[i, j])))
        y = labels[i, j] * (1 - smoothing) + smoothing / 2
        total -= y * np.log(p) + (1 - y) * np.log(1 - p)
    value = losses.binary(jnp.asarray(logits), jnp.asarray(labels), jnp.asarray(valid), smoothing=smoothing)
    assert float(value) == pytest.approx(total / valid.sum(), rel=1e-5)
    logits[~valid] = 1e4
    again = losses.binary(jnp.asarray(logits), jnp.asarray(labels), jnp.asarray(valid), smoothing=smoothing)
    assert float(again) == pytest.approx(float(value), rel=1e-6)


def test_binary_takes_missing_labels_where_masked() -> None:
    """NaN labels under the mask must spoil neither the value nor the gradient."""
    labels = jnp.array([1.0, jnp.nan])
    valid = jnp.array([True, False])
    value, gradient = jax.value_and_grad(lambda x: losses.binary(x, jnp.nan_to_num(labels), valid))(jnp.zeros(2))
    assert float(value) == pytest.approx(np.log(2), rel=1e-6)
    assert np.isfinite(gradient).all() and float(gradient[1]) == 0.0


def test_four_way_equals_the_loop() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 2, (5, 4))
    log_p = np.array([row - log_sum_exp(list(row)) for row in logits], np.float32)
    labels = np.array([0, 3, 1, 2, 3], np.int32)
    expected = -np.mean([log_p[i, labels[i]] for i in range(5)])
    assert float(losses.four_way(jnp.asarray(log_p), jnp.asarray(labels))) == pytest.approx(expected, rel=1e-6)
