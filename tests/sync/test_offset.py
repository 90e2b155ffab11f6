from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from avdetect.sync.offset import estimate_offset, student_t975
from tests.sync.made_up import LAGS, similarity


@settings(max_examples=25, deadline=None)
@given(st.floats(-7.5, 7.5), st.integers(100, 400), st.integers(0, 1000))
def test_offsets_of_up_to_300_ms_are_recovered(offset: float, t: int, seed: int) -> None:
    found = estimate_offset(similarity(offset, t, seed=seed, height=0.45), LAGS)
    assert found.offset_ms == pytest.approx(40 * offset, abs=40)
    assert found.offset_ms is not None and found.ci_ms is not None
    assert found.ci_ms[0] <= found.offset_ms <= found.ci_ms[1]


def test_the_estimate_has_no_bias_and_the_interval_covers() -> None:
    rng = np.random.default_rng(2)
    truths = rng.uniform(-7, 7, 100)
    found = [estimate_offset(similarity(x, 150, seed=i), LAGS) for i, x in enumerate(truths)]
    errors = np.array([f.offset_ms for f in found], float) - 40 * truths
    assert abs(np.median(errors)) < 2.0
    assert np.median(np.abs(errors)) < 8.0
    covered = np.mean([f.ci_ms[0] <= 40 * x <= f.ci_ms[1] for f, x in zip(found, truths, strict=True)])  # type: ignore[index]
    assert 0.88 <= covered <= 0.99, "about 95 % must lie inside; less is overconfident, all is useless"


def test_intervals_shrink_with_length() -> None:
    widths = [np.ptp(estimate_offset(similarity(2.0, t, seed=4), LAGS).ci_ms or np.nan) for t in (150, 600, 2400)]
    assert widths[0] > widths[1] > widths[2]


def test_unrelated_sound_is_not_sharp() -> None:
    sharp = [estimate_offset(similarity(0, t, seed=s, height=0), LAGS).sharpness for s in range(25) for t in (75, 300)]
    assert np.median(sharp) < 2.5
    assert np.mean(np.array(sharp) > 4.5) <= 0.04
    assert estimate_offset(similarity(0, 300, height=0.35), LAGS).sharpness > 5


@pytest.mark.parametrize("t", [30, 75, 300])
def test_a_lag_that_belongs_wins_again_whatever_part_is_asked(t: int) -> None:
    offsets = np.random.default_rng(5).uniform(-7, 7, 20)
    own = [estimate_offset(similarity(x, t, seed=i, height=0.5), LAGS).stability for i, x in enumerate(offsets)]
    foreign = [estimate_offset(similarity(0, t, seed=s, height=0), LAGS).stability for s in range(20)]
    assert all(0 <= share <= 1 for share in own + foreign)
    assert np.median(own) > 0.95 and np.quantile(own, 0.1) > np.median(foreign)


def test_stability_needs_three_blocks_and_ticks_that_count() -> None:
    values = similarity(0, 300, seed=3)
    assert estimate_offset(values, LAGS).stability == 1.0
    for ticks in (3, 12):
        assert np.isnan(estimate_offset(values, LAGS, weights=(np.arange(300) < ticks).astype(float)).stability)
    assert np.isnan(estimate_offset(np.full((100, 31), np.nan), LAGS).stability)


def test_the_interval_of_unrelated_sound_is_wide() -> None:
    found = [estimate_offset(similarity(0, 150, seed=s, height=0), LAGS) for s in range(15)]
    widths = [np.ptp(f.ci_ms) for f in found if f.ci_ms is not None]
    assert np.median(widths) > 400


def test_the_same_input_gives_the_same_bits() -> None:
    values = similarity(3.3, 200, seed=9)
    a, b = (estimate_offset(values, LAGS) for _ in range(2))
    assert a.stability == b.stability
    assert (a.offset_ms, a.ci_ms, a.confidence, a.sharpness) == (b.offset_ms, b.ci_ms, b.confidence, b.sharpness)


def test_the_zero_point_is_subtracted() -> None:
    values = similarity(3.0, 300, seed=1)
    plain, moved = estimate_offset(values, LAGS), estimate_offset(values, LAGS, zero_offset_ms=-40.0)
    assert moved.offset_ms == pytest.approx(plain.offset_ms + 40.0)  # type: ignore[operator]
    assert moved.ci_ms == pytest.approx([end + 40.0 for end in plain.ci_ms])  # type: ignore[union-attr]


def test_weights_choose_the_ticks() -> None:
    offsets = np.where(np.arange(600) < 300, -5.0, 5.0)
    values = similarity(offsets, seed=2)
    first = estimate_offset(values, LAGS, weights=(np.arange(600) < 300).astype(float))
    assert first.offset_ms == pytest.approx(-200, abs=15)
    assert first.ticks == pytest.approx(300, abs=16)


@pytest.mark.parametrize("t", [0, 1, 5, 24])
def test_too_little_is_not_measured_and_does_not_crash(t: int) -> None:
    found = estimate_offset(similarity(0, t), LAGS)
    assert found.ci_ms is None
    assert found.offset_ms is None or t == 24


def test_nothing_measured_at_all() -> None:
    found = estimate_offset(np.full((100, 31), np.nan), LAGS)
    assert found.offset_ms is None and found.ci_ms is None and np.isnan(found.confidence)
    found = estimate_offset(similarity(0, 100), LAGS, weights=np.zeros(100))
    assert found.offset_ms is None and found.ticks == 0


def test_an_offset_beyond_the_lags_is_not_reported() -> None:
    found = estimate_offset(similarity(17.0, 400, seed=0, height=0.6), LAGS)
    assert found.at_end and found.offset_ms is None


@pytest.mark.parametrize("freedom", [3, 5, 10, 100])
def test_student_quantile(freedom: int) -> None:
    assert student_t975(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.02)


def test_of_two_peaks_of_one_height_the_nearer_is_taken_unless_much_speaks_for_the_other() -> None:
    def two_peaks(t: int, more: float) -> float | None:
        bump = np.exp(-0.5 * np.square(LAGS - 2.0)) + (1 + more) * np.exp(-0.5 * np.square(LAGS - 11.0))
        return estimate_offset(np.tile(0.2 * bump, (t, 1)), LAGS).offset_ms

    assert two_peaks(50, 0.05) == pytest.approx(80, abs=10), "one hundredth higher, for two seconds"
    assert two_peaks(50, 0.3) == pytest.approx(440, abs=10)
    assert two_peaks(1500, 0.05) == pytest.approx(440, abs=10), "for a minute"


def test_nearness_does_not_move_a_peak() -> None:
    far = 0.2 * np.exp(-0.5 * np.square((LAGS - 10.3) / 1.5))
    short, long = (estimate_offset(np.tile(far, (t, 1)), LAGS).offset_ms for t in (30, 3000))
    assert short == pytest.approx(long, abs=1e-6)


def test_the_interval_stays_within_the_lags_searched() -> None:
    for seed in range(8):
        found = estimate_offset(similarity(0, 60, seed=seed, height=0), LAGS, zero_offset_ms=-22.5)
        if found.ci_ms is not None:
            assert -600 + 22.5 <= found.ci_ms[0] <= found.ci_ms[1] <= 600 + 22.5
