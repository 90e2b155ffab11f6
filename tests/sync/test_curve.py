from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.sync.curve import confidences, lag_sums, peaks, spread
from tests.sync.made_up import LAGS, inside, similarity


def curve_of(values: np.ndarray, weights: np.ndarray | None = None, block: int = 12) -> np.ndarray:
    sums = lag_sums(values, np.ones(len(values)) if weights is None else weights, block=block)
    return sums.combine(np.ones((1, sums.n_blocks))).curves()[0]


def test_where_every_lag_exists_the_curve_is_the_weighted_mean() -> None:
    rng = np.random.default_rng(0)
    values, weights = rng.standard_normal((90, 31)), rng.uniform(0, 1, 90)
    np.testing.assert_allclose(curve_of(values, weights), weights @ values / weights.sum(), atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([45, 75, 200]), st.floats(0.1, 20.0))
def test_what_is_added_to_a_tick_does_not_bend_the_curve(seed: int, t: int, size: float) -> None:
    """The mean over ticks fails this wherever lags are missing: that is the bias at the ends of short clips."""
    rng = np.random.default_rng(seed)
    values = similarity(3.0, t, seed=seed).astype(np.float64)
    tilted = values + size * rng.standard_normal((t, 1))
    before, after = curve_of(values), curve_of(tilted)
    np.testing.assert_allclose(after - np.nanmean(after), before - np.nanmean(before), atol=1e-6 * max(1.0, size))
    plain = np.nanmean(tilted, axis=0) - np.nanmean(values, axis=0)
    assert np.ptp(plain) > 1e-3 * size


@pytest.mark.parametrize("t", [40, 75, 150, 1000])
def test_the_peak_does_not_depend_on_the_length_of_the_clip(t: int) -> None:
    """Ticks that are good at one end of the clip only, as after a change of shot, must not pull the offset."""
    truth = np.exp(-0.5 * ((LAGS - 7.0) / 1.4) ** 2) + np.where(np.arange(t)[:, None] < t // 2, 0.0, 3.0)
    position, at_end = peaks(curve_of(np.where(inside(t), truth, np.nan))[None], LAGS)
    assert position[0] == pytest.approx(7.0, abs=0.01)
    assert not at_end[0]


@pytest.mark.parametrize("block", [1, 7, 50, 10_000])
def test_blocks_only_group_the_sum(block: int) -> None:
    values = similarity(-2.0, 333, seed=1)
    np.testing.assert_allclose(curve_of(values, block=block), curve_of(values, block=12), atol=1e-9)


def test_lags_that_few_ticks_have_are_refused() -> None:
    values = similarity(0.0, 22)
    curve = curve_of(values)
    assert np.isnan(curve[[0, 1, -1, -2]]).all(), "7 ticks have lag 15"
    assert np.isfinite(curve[12:19]).all()
    values = similarity(0.0, 200)
    values[:, 20] = np.nan
    values[:60, 20] = 0.5
    assert np.isnan(curve_of(values)[20]), "30 % of the ticks must not win by a lucky lag"


def test_ticks_without_weight_or_similarity_do_not_count() -> None:
    values = similarity(4.0, 300, seed=3)
    weights = np.ones(300)
    weights[100:200] = 0.0
    spoilt = values.copy()
    spoilt[100:200] = 9.0
    spoilt[:, :] = np.where(np.arange(300)[:, None] % 50 == 0, np.nan, spoilt)
    weights2 = np.where(np.arange(300) % 50 == 0, np.nan, weights)
    weights[::50] = 0.0
    np.testing.assert_allclose(curve_of(spoilt, weights2), curve_of(values, weights), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.floats(-12, 12), st.floats(1.0, 3.0))
def test_a_gaussian_peak_between_lags_is_found_exactly(offset: float, width: float) -> None:
    curve = np.exp(-0.5 * ((LAGS - offset) / width) ** 2)
    position, _ = peaks(curve[None], LAGS)
    assert position[0] == pytest.approx(offset, abs=0.02), "0.8 ms"


@settings(max_examples=60, deadline=None)
@given(st.floats(-12, 12), st.floats(1.0, 2.5))
def test_other_peaks_are_found_within_four_milliseconds(offset: float, width: float) -> None:
    for curve in (np.exp(-np.abs(LAGS - offset) / width), np.maximum(0, 1 - np.abs(LAGS - offset) / (width + 1))):
        assert peaks(curve[None], LAGS)[0][0] == pytest.approx(offset, abs=0.1)


def test_a_summit_at_the_end_of_the_lags_is_flagged() -> None:
    rising = np.linspace(0, 1, 31)
    late = np.where(np.arange(31) < 25, np.linspace(0, 1, 31), np.nan)
    position, at_end = peaks(np.stack([rising, late, -rising, np.full(31, np.nan)]), LAGS)
    np.testing.assert_array_equal(position[:3], [15, 9, -15])
    assert np.isnan(position[3])
    assert at_end.all()


def test_confidence_is_maximum_minus_median() -> None:
    curve = np.zeros((3, 31))
    curve[0, 10] = 0.4
    curve[1, 8:] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        height = confidences(curve)
        assert spread(np.full((2, 31), np.nan)) == 1.0
    assert height[0] == pytest.approx(0.4)
    assert np.isnan(height[1]), "eight lags are too few to know a median"
    assert height[2] == 0.0
