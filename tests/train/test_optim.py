"""Optimizers by their formulas."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from avdetect.config import OptimConfig, override
from train.optim import optimizer, schedule

W = {"kernel": jnp.array([[1.0, -2.0], [0.5, 3.0]]), "bias": jnp.array([1.0, -1.0])}
G = {"kernel": jnp.array([[0.3, 0.1], [-0.2, 0.4]]), "bias": jnp.array([0.1, -0.2])}


def at(value: Any) -> float:
    """A number of JAX's as Python's."""
    return float(np.asarray(value))


def after(config: OptimConfig, steps: int, grads: dict = G) -> dict[str, np.ndarray]:
    chain = optimizer(config, 1000)
    params: Any = W
    state = chain.init(params)
    for _ in range(steps):
        updates, state = chain.update(grads, state, params)
        params = optax.apply_updates(params, updates)
    return {name: np.asarray(x) for name, x in params.items()}


def test_the_rate_warms_up_and_falls_along_a_cosine() -> None:
    rate = schedule(OptimConfig(lr=0.4, warmup=10), 110)
    assert [at(rate(s)) for s in (0, 5, 10)] == pytest.approx([0.0, 0.2, 0.4])
    assert at(rate(60)) == pytest.approx((0.4 + 0.004) / 2) and at(rate(110)) == pytest.approx(0.004)
    short = schedule(OptimConfig(lr=0.4, warmup=100), 20)
    assert at(short(10)) == pytest.approx(0.4), "warm-up takes at most half of the run"


def test_adamw_by_hand() -> None:
    config = OptimConfig(lr=0.1, warmup=1, weight_decay=0.5, clip=100.0, b2=0.95)
    got, want = after(config, 3), {n: np.asarray(x) for n, x in W.items()}
    moments = {n: (np.zeros_like(x), np.zeros_like(x)) for n, x in want.items()}
    for t in (1, 2, 3):
        rate = at(schedule(config, 1000)(t - 1))
        for n, g in G.items():
            m, v = moments[n]
            m, v = 0.9 * m + 0.1 * np.asarray(g), 0.95 * v + 0.05 * np.asarray(g) ** 2
            moments[n] = m, v
            step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-8)
            decay = 0.5 * want[n] if n == "kernel" else 0.0  # vectors are not decayed
            want[n] = want[n] - rate * (step + decay)
    for n in want:
        np.testing.assert_allclose(got[n], want[n], rtol=1e-5)


def test_sgd_by_hand() -> None:
    config = OptimConfig(name="sgd", lr=0.1, warmup=1, weight_decay=0.5, clip=100.0, momentum=0.8)
    got, want = after(config, 3), {n: np.asarray(x) for n, x in W.items()}
    velocity = {n: np.zeros_like(x) for n, x in want.items()}
    for t in range(3):
        rate = at(schedule(config, 1000)(t))
        for n, g in G.items():
            velocity[n] = np.asarray(g) + 0.8 * velocity[n]
            nesterov = np.asarray(g) + 0.8 * velocity[n]
            want[n] = want[n] - rate * (nesterov + (0.5 * want[n] if n == "kernel" else 0.0))
    for n in want:
        np.testing.assert_allclose(got[n], want[n], rtol=1e-5)


def test_long_gradients_are_shortened_together() -> None:
    config = OptimConfig(name="sgd", lr=0.1, warmup=1, weight_decay=0.0, clip=0.1, momentum=0.0)
    norm = np.sqrt(sum(float(jnp.square(g).sum()) for g in G.values()))
    moved = after(config, 2)
    for n in W:
        rate = at(schedule(config, 1000)(1))
        np.testing.assert_allclose(moved[n], np.asarray(W[n]) - rate * np.asarray(G[n]) * 0.1 / norm, rtol=1e-5)


def test_the_choice_comes_from_the_configuration() -> None:
    assert override(OptimConfig(), "name=sgd").name == "sgd"
    with pytest.raises(TypeError, match="adam"):
        override(OptimConfig(), "name=adam")
