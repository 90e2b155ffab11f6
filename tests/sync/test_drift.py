from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.sync.drift import estimate_drift
from avdetect.sync.windows import SPAN, offset_windows
from tests.sync.made_up import LAGS, similarity


@settings(max_examples=50, deadline=None)
@given(st.floats(-4000, 4000), st.integers(0, 1000), st.floats(0, 0.2))
def test_a_line_survives_a_fifth_of_outliers(ppm: float, seed: int, wrong: float) -> None:
    rng = np.random.default_rng(seed)
    time = np.arange(0, 120, 2.0)
    offsets = 50 + ppm * 1e-3 * time + rng.normal(0, 8, len(time))
    bad = rng.random(len(time)) < wrong
    offsets[bad] = rng.uniform(-600, 600, int(bad.sum()))
    found = estimate_drift(time, offsets)
    assert found.ppm is not None and found.ci_ppm is not None
    assert found.ppm == pytest.approx(ppm, abs=250)
    assert found.ci_ppm[0] <= found.ppm <= found.ci_ppm[1]
    assert found.offset_at_start_ms == pytest.approx(50, abs=25)


@pytest.mark.parametrize("ppm", [0.0, 1000.0, -2500.0])
def test_drift_of_a_made_up_track(ppm: float) -> None:
    covered = []
    for seed in range(12):
        windows = offset_windows(similarity(np.arange(2250) * ppm * 1e-6 + 0.3, seed=seed, height=0.45), LAGS)
        found = estimate_drift(windows.centre_s, windows.offset_ms, stride=SPAN)
        assert found.ppm == pytest.approx(ppm, abs=200)
        assert found.ci_ppm is not None
        covered.append(found.ci_ppm[0] <= ppm <= found.ci_ppm[1])
    assert np.mean(covered) >= 0.8


def test_too_short_or_too_uncertain_has_a_reason_and_no_figure() -> None:
    rng = np.random.default_rng(0)
    short = estimate_drift(np.arange(0, 18, 2.0), np.zeros(9))
    assert short.ppm is None and "20 s" in short.why_not
    few = estimate_drift(np.arange(0, 60, 2.0), np.where(np.arange(30) % 6 == 0, 0.0, np.nan))
    assert few.ppm is None and "5 independent windows" in few.why_not
    noisy = estimate_drift(np.arange(0, 30, 2.0), rng.uniform(-300, 300, 15))
    assert noisy.ppm is None and "ppm" in noisy.why_not
    assert estimate_drift(np.empty(0), np.empty(0)).ppm is None


def test_hours_of_windows_are_thinned() -> None:
    time = np.arange(0, 7200, 0.4)
    found = estimate_drift(time, 0.02 * time + np.sin(time), stride=SPAN)
    assert found.ppm == pytest.approx(20, abs=1)
