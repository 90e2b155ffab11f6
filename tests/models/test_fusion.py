"""The head over the lag-similarity matrix: masks, reach, and peaks wherever they stand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.models.fusion import MIN_COVERAGE, lag_curves, reach
from avdetect.types import LAGS

T, K = 40, len(LAGS)
judge = nnx.jit(lambda head, similarity, known, speech: head.mismatch(similarity, known, speech))
classify = nnx.jit(lambda head, logits, present: head.classes(logits, present))


def material(seed: int = 0, batch: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    similarity = rng.normal(0, 0.3, (batch, T, K)).astype(np.float32)
    known = rng.random((batch, T, K)) < 0.9
    return similarity, known, rng.random((batch, T)).astype(np.float32)


@pytest.mark.parametrize("radius", [0, 2, 6])
def test_curves_equal_the_loop(radius: int) -> None:
    similarity, known, _ = material()
    curve, count = map(np.asarray, jax.jit(lag_curves, static_argnums=2)(similarity, known, radius))
    for i in range(T):
        for j in range(K):
            near = [similarity[0, n, j] for n in range(max(0, i - radius), min(T, i + radius + 1)) if known[0, n, j]]
            assert count[0, i, j] == len(near)
            assert curve[0, i, j] == pytest.approx(np.mean(near) if near else 0.0, abs=1e-5)


def test_reach(net) -> None:
    similarity, known, speech = material()
    changed, at, r = similarity.copy(), 20, reach(net.fusion.config)
    changed[:, at] += 0.5 * np.random.default_rng(5).normal(size=K)
    known[:, at] = True
    differs = np.asarray(judge(net.fusion, similarity, known, speech)) != judge(net.fusion, changed, known, speech)
    assert np.flatnonzero(differs[0]).tolist() == list(range(at - r, at + r + 1))


def test_what_is_not_known_does_not_matter(net) -> None:
    similarity, known, speech = material()
    usual = judge(net.fusion, similarity, known, speech)
    for filler in (np.nan, 7.0):
        np.testing.assert_array_equal(usual, judge(net.fusion, np.where(known, similarity, filler), known, speech))
    assert np.isfinite(usual).all()


def test_nothing_known_is_finite(net) -> None:
    similarity, known, speech = material()
    assert np.isfinite(judge(net.fusion, similarity, np.zeros_like(known), speech)).all()


def test_a_lag_with_too_few_ticks_is_not_used(net) -> None:
    similarity, known, speech = material()
    known[:, :, 4] = False
    known[:, 10 : 10 + MIN_COVERAGE - 1, 4] = True
    changed = similarity.copy()
    changed[:, :, 4] += 3.0
    usual = judge(net.fusion, similarity, known, speech)
    np.testing.assert_array_equal(usual, judge(net.fusion, changed, known, speech))
    known[:, 10 : 10 + MIN_COVERAGE, 4] = True
    changed_now = judge(net.fusion, changed, known, speech)
    assert not np.array_equal(judge(net.fusion, similarity, known, speech), changed_now)


def peaked(lag: int, height: float = 0.6) -> np.ndarray:
    """Similarity of a steady offset: a peak three lags wide over nothing."""
    curve = height * np.clip(1 - np.abs(LAGS - lag) / 2, 0, 1)
    return np.tile(curve.astype(np.float32), (1, T, 1))


def test_a_peak_counts_the_same_wherever_it_stands(net) -> None:
    known, speech = np.ones((1, T, K), bool), np.ones((1, T), np.float32)
    here = np.asarray(judge(net.fusion, peaked(0), known, speech))
    for lag in (-10, -4, 3, 10):
        np.testing.assert_allclose(judge(net.fusion, peaked(lag), known, speech), here, rtol=1e-4, atol=1e-4)
    flat = np.asarray(judge(net.fusion, peaked(0, height=0.05), known, speech))
    assert np.abs(flat - here).max() > 0.01, "but its height counts"


def test_a_batch_is_its_singles_and_padding_does_not_matter(net) -> None:
    similarity, known, speech = material(batch=3)
    known[1, 25:] = False
    speech[1, 25:] = 0
    together = np.asarray(judge(net.fusion, similarity, known, speech))
    for i in range(3):
        one = slice(i, i + 1)
        alone = judge(net.fusion, similarity[one], known[one], speech[one])
        np.testing.assert_allclose(together[i], alone[0], rtol=1e-5, atol=1e-5)
    short = judge(net.fusion, similarity[1:2, :25], known[1:2, :25], speech[1:2, :25])
    np.testing.assert_allclose(together[1, :25], short[0], rtol=1e-4, atol=1e-5)


def test_classes_are_log_probabilities_and_absent_branches_do_not_matter(net) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (5, 3)).astype(np.float32)
    present = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]], bool)
    found = np.asarray(classify(net.fusion, logits, present))
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, rtol=1e-5)
    for filler in (np.nan, 100.0):
        np.testing.assert_array_equal(found, classify(net.fusion, np.where(present, logits, filler), present))
    other = classify(net.fusion, np.where(present, logits + 1, 0), present)
    assert (np.abs(np.asarray(other) - found).max(axis=1) > 1e-4).tolist() == present.any(axis=1).tolist()


def test_the_head_stays_in_full_precision(net, half_net) -> None:
    similarity, known, speech = material()
    np.testing.assert_array_equal(
        judge(net.fusion, similarity, known, speech), judge(half_net.fusion, similarity, known, speech)
    )
    assert judge(half_net.fusion, similarity, known, speech).dtype == jnp.float32


def test_lag_similarity_is_what_inference_measures() -> None:
    """Training shows the head the very matrix that scoring a file does."""
    from avdetect.models.fusion import lag_similarity
    from avdetect.track_stream import similarity_matrix
    from avdetect.types import MAX_LAG

    rng = np.random.default_rng(5)
    lips, sound = rng.normal(size=(2, 1, 40, 6)).astype(np.float32)
    valid = rng.random((1, 40)) < 0.8
    similarity, known = map(np.asarray, lag_similarity(jnp.asarray(lips), jnp.asarray(sound), jnp.asarray(valid)))
    edge = ((MAX_LAG, MAX_LAG), (0, 0))
    heard = {"a": np.pad(sound[0], edge), "sync_known": np.pad(valid[0], edge[0])}
    expected = similarity_matrix({"a": lips[0], "known": valid[0]}, heard, ["a"])
    np.testing.assert_array_equal(known[0], np.isfinite(expected))
    np.testing.assert_allclose(similarity[0][known[0]], expected[known[0]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("place", [False, True])
def test_where_a_peak_stands_matters_only_where_it_is_told(place: bool) -> None:
    from avdetect.config import FusionConfig
    from avdetect.models.fusion import FusionHead

    head = FusionHead(FusionConfig(radii=(4, 9), place=place), dtype=jnp.dtype("float32"), rngs=nnx.Rngs(3))
    known, speech = np.ones((1, T, K), bool), np.ones((1, T), np.float32)

    def peak_at(lag: int) -> float:
        similarity = np.full((1, T, K), 0.1, np.float32)
        similarity[:, :, K // 2 + lag] = 0.6
        return float(judge(head, similarity, known, speech)[0, T // 2])

    assert (peak_at(0) == pytest.approx(peak_at(7), abs=1e-5)) is not place
