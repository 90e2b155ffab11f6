"""Against scikit-learn and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from avdetect.calibration import fit_isotonic
from avdetect.metrics import auc
from avdetect.metrics.calibration_errors import brier, cllr, log_loss, min_cllr
from avdetect.metrics.four_way import class_f1, confusion, macro_f1
from avdetect.metrics.paired import delong, holm, paired_bootstrap
from avdetect.metrics.ranking import average_precision, hits_at_alarms
from avdetect.metrics.sync import distances, lip_sync_errors, offset_hits
from avdetect.metrics.thresholds import accuracy, balanced_accuracy, fit_threshold

scores = st.lists(st.integers(-5, 5).map(lambda x: x / 2), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(scores, scores)
def test_equal_to_scikit_learn(positive: list, negative: list) -> None:
    y, x = [1] * len(positive) + [0] * len(negative), np.array(positive + negative)
    assert average_precision(positive, negative) == pytest.approx(average_precision_score(y, x))
    p = 1 / (1 + np.exp(-x))
    assert brier(p, y) == pytest.approx(brier_score_loss(y, p))
    assert log_loss(p, y) == pytest.approx(sklearn_log_loss(y, p))


@settings(max_examples=40, deadline=None)
@given(scores, scores)
def test_monotone_maps_change_no_ranking(positive: list, negative: list) -> None:
    a, b = np.array(positive), np.array(negative)
    for f in (auc, average_precision, min_cllr):
        assert f(np.exp(a), np.exp(b)) == pytest.approx(f(a, b), abs=1e-9)
    assert -1e-12 <= min_cllr(a, b) <= cllr(a, b) + 1e-9
    t = fit_threshold(a, b)
    assert balanced_accuracy(a, b, t) >= max(balanced_accuracy(a, b, x) for x in (*a, *b, 99.0)) - 1e-12


def test_by_hand() -> None:
    assert hits_at_alarms([1, 3, 5], [0, 2, 4, 2], 0.25) == pytest.approx(2 / 3)
    assert hits_at_alarms([1, 3, 5], [0, 2, 4, 2], 0.2) == pytest.approx(1 / 3)
    assert cllr([0.0], [0.0]) == pytest.approx(1.0), "knowing nothing costs one bit"
    assert cllr([math.log(3)], [-math.log(3)]) == pytest.approx(math.log2(4 / 3))
    assert min_cllr([2, 3], [0, 1]) == 0.0 and min_cllr([1, 1], [1]) == pytest.approx(1.0)
    assert fit_threshold([2, 3], [0, 1]) == 1.5
    assert accuracy([2, 3], [0, 1, 5], 2.0) == pytest.approx(4 / 5)
    assert balanced_accuracy([2, 3], [0, 1, 5], 2.0) == pytest.approx(5 / 6)
    with pytest.raises(ValueError, match="0 forged and 1 genuine"):
        fit_threshold([], [1])
    table = confusion(np.array([0, 0, 1, 3]), np.array([0, 1, 1, 3]))
    assert class_f1(table)["RVRA"] == pytest.approx(2 / 3) and macro_f1(table) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    found = fit_isotonic(np.array([0.0, 1, 2, 3]), np.array([0, 1, 0, 1]))
    assert found.probability(np.array([-9, 0, 1, 2, 3, 9])).tolist() == [0, 0, 0.5, 0.5, 1, 1]


def test_lip_sync_errors_by_hand() -> None:
    """Means at the lags are 3, 1, 2; the median is 2, the least 1. An edge that is missing is left out."""
    d = np.array([[np.nan, 1.0, 2.5], [3.0, 0.5, 1.5], [3.0, 1.5, np.nan]])
    assert lip_sync_errors(d) == pytest.approx((1.0, 1.0))
    assert np.isnan(lip_sync_errors(np.full((3, 3), np.nan))).all()
    np.testing.assert_allclose(distances(np.array([[1.0, 0.0, -1.0]])), [[0, math.sqrt(2), 2]])


def test_offsets_are_found_better_with_context_and_edges_do_not_count() -> None:
    rng, lags = np.random.default_rng(0), np.arange(-15, 16)
    s = rng.normal(0, 1, (400, 31)) + 1.8 * (lags == 3)
    s[np.add.outer(np.arange(400), lags) < 0] = np.nan
    found = offset_hits(s, lags, 3)
    shares = [h / n for h, n in found.values()]
    assert list(found) == [5, 7, 9, 11, 13, 15] and shares[0] + 0.2 < shares[-1] and shares[-1] > 0.95
    assert found[15][1] == 400 - 10 and offset_hits(s[:3], lags, 3)[15] == (0, 0)
    with pytest.raises(ValueError, match="outside those searched"):
        offset_hits(s, lags, 16)


def test_paired_tests() -> None:
    rng = np.random.default_rng(0)
    p = []
    for _ in range(200):  # two detectors equally good: the probabilities are spread evenly
        truth = np.r_[np.ones(40), np.zeros(40)]
        a, b = truth + rng.normal(0, 1, 80), truth + rng.normal(0, 1, 80)
        p.append(delong((a[:40], a[40:]), (b[:40], b[40:])).p)
    assert 0.01 < np.mean(np.array(p) < 0.05) < 0.1 and abs(np.mean(p) - 0.5) < 0.1
    assert holm([0.01, math.nan, 0.04, 0.03]) == pytest.approx([0.03, math.nan, 0.06, 0.06], nan_ok=True)
    x = rng.normal(0, 1, 60)
    found = paired_bootstrap(lambda r: (float(x[r].mean()), float(x[r].mean() + 1)), range(60), rounds=99)
    assert found.difference == pytest.approx(1) and found.p == pytest.approx(0.02)
