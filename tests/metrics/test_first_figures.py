"""Figures of merit against scikit-learn, by hand, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from avdetect import metrics

scores = st.lists(st.integers(-5, 5).map(lambda x: x / 2), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(positive=scores, negative=scores)
def test_auc_equals_scikit_learn_with_ties(positive: list[float], negative: list[float]) -> None:
    labels = [1] * len(positive) + [0] * len(negative)
    assert metrics.auc(positive, negative) == pytest.approx(roc_auc_score(labels, positive + negative), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(positive=scores, negative=scores)
def test_eer_is_where_the_roc_of_scikit_learn_meets_the_diagonal(positive: list[float], negative: list[float]) -> None:
    labels = [1] * len(positive) + [0] * len(negative)
    alarms, hits, _ = roc_curve(labels, positive + negative, drop_intermediate=False)
    # Walk the polygon to where misses equal false alarms.
    gap = (1 - hits) - alarms
    expected = []
    for i in range(len(gap) - 1):
        if gap[i] >= 0 >= gap[i + 1] and gap[i] != gap[i + 1]:
            share = gap[i] / (gap[i] - gap[i + 1])
            expected.append(alarms[i] + share * (alarms[i + 1] - alarms[i]))
    assume(expected)
    assert any(metrics.eer(positive, negative) == pytest.approx(e, abs=1e-9) for e in expected)


@pytest.mark.parametrize(
    ("positive", "negative", "auc", "eer"),
    [
        ([2, 3], [0, 1], 1.0, 0.0),
        ([0, 1], [2, 3], 0.0, 1.0),
        ([1, 1], [1, 1], 0.5, 0.5),
        ([0, 2], [1, 3], 0.25, 0.5),
        ([1, 2, 3, 4], [0, 0, 0, 2.5], 0.875, 0.25),
    ],
)
def test_worked_by_hand(positive: list, negative: list, auc: float, eer: float) -> None:
    assert metrics.auc(positive, negative) == pytest.approx(auc)
    assert metrics.eer(positive, negative) == pytest.approx(eer)


def test_without_one_of_the_classes_nothing_is_known() -> None:
    assert np.isnan(metrics.auc([], [1])) and np.isnan(metrics.auc([1], []))
    assert np.isnan(metrics.eer([], [1])) and np.isnan(metrics.eer([1], []))


def test_calibration_error_by_hand() -> None:
    # Two bins of ten: 0.25 with one of two true, 0.9 with three of four; weights 1/3 and 2/3.
    p = [0.25, 0.25, 0.9, 0.9, 0.9, 0.9]
    y = [1, 0, 1, 1, 1, 0]
    assert metrics.expected_calibration_error(p, y) == pytest.approx(0.25 / 3 + 0.15 * 2 / 3)
    assert metrics.expected_calibration_error([0.0, 1.0], [0, 1]) == 0.0
    assert metrics.expected_calibration_error([1.0, 1.0], [0, 0]) == 1.0


def test_calibration_error_of_calibrated_scores_is_small_and_of_sharpened_ones_large() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 20_000)
    y = rng.random(20_000) < p
    assert metrics.expected_calibration_error(p, y) < 0.02
    assert metrics.expected_calibration_error((p > 0.5).astype(float), y) > 0.2


def mean_of(values: np.ndarray):
    return lambda rows: float(values[rows].mean())


def test_bootstrap_covers() -> None:
    """The 90 % interval of a mean holds the truth about nine times in ten."""
    rng = np.random.default_rng(1)
    trials, covered = 100, 0
    for trial in range(trials):
        values = rng.normal(3.0, 1.0, 40)
        low, high = metrics.bootstrap(mean_of(values), range(40), rounds=150, seed=trial, level=0.9)
        covered += low <= 3.0 <= high
    assert 0.78 <= covered / trials <= 0.96


def test_bootstrap_draws_people_not_clips() -> None:
    """Ten times the clips of the same people tell nothing new; ten times the people do."""
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, 30)
    low, high = metrics.bootstrap(mean_of(values), range(30), rounds=2000)
    many = np.repeat(values, 10)
    same_low, same_high = metrics.bootstrap(mean_of(many), np.repeat(np.arange(30), 10).tolist(), rounds=2000)
    wide_low, wide_high = metrics.bootstrap(mean_of(many), range(300), rounds=2000)
    assert same_high - same_low == pytest.approx(high - low, rel=0.1)
    assert wide_high - wide_low < 0.5 * (high - low)


def test_bootstrap_is_repeatable_and_leaves_out_rounds_without_a_value() -> None:
    values = np.arange(6.0)

    def sometimes(rows: np.ndarray) -> float:
        return float("nan") if 0 in rows else float(values[rows].mean())

    first = metrics.bootstrap(sometimes, list("abcdef"), rounds=300, seed=5)
    assert first == metrics.bootstrap(sometimes, list("abcdef"), rounds=300, seed=5)
    assert first[0] >= 1.0 and np.isfinite(first[1])
    assert np.isnan(metrics.bootstrap(lambda rows: float("nan"), [1, 2], rounds=5)).all()
