from __future__ import annotations

import numpy as np
import pytest

from avdetect.sync.curve import lag_sums
from avdetect.sync.windows import HOP, SPAN, agreement_height, offset_windows
from tests.sync.made_up import LAGS, similarity


def test_one_window_for_each_hop_on_the_tracks_clock() -> None:
    windows = offset_windows(similarity(2.0, 203), LAGS)
    assert len(windows.centre_s) == 21
    np.testing.assert_allclose(windows.centre_s[:3], [0.2, 0.6, 1.0])
    assert windows.curves.shape == (21, 31)


def test_offsets_follow_a_jump() -> None:
    windows = offset_windows(similarity(np.where(np.arange(1500) < 700, -3.0, 5.0), seed=1), LAGS)
    before, after = windows.centre_s < 26.8, windows.centre_s > 29.2
    assert windows.reliable[before].mean() > 0.7 and windows.reliable[after].mean() > 0.7
    assert np.nanmedian(windows.offset_ms[before]) == pytest.approx(-120, abs=10)
    assert np.nanmedian(windows.offset_ms[after]) == pytest.approx(200, abs=10)
    assert np.nanmean(np.abs(windows.offset_ms[before] + 120) < 60) > 0.97


def test_unrelated_sound_has_few_reliable_windows() -> None:
    share = [offset_windows(similarity(0, 750, seed=s, height=0), LAGS).reliable.mean() for s in range(12)]
    assert np.mean(share) < 0.2
    heights = [agreement_height(offset_windows(similarity(0, 750, seed=s, height=0), LAGS)) for s in range(12)]
    assert np.median(heights) < 0.5 * agreement_height(offset_windows(similarity(0, 750), LAGS))


def test_unreliable_is_nan_but_the_raw_offset_stays() -> None:
    windows = offset_windows(similarity(0, 750, height=0), LAGS)
    assert np.isnan(windows.offset_ms[~windows.reliable]).all()
    assert np.isfinite(windows.raw_offset_ms).all()


def test_silence_in_the_middle_has_no_offset() -> None:
    weights = np.ones(750)
    weights[250:500] = 0.0
    windows = offset_windows(similarity(0, 750, seed=2), LAGS, weights=weights)
    silent = (windows.centre_s > 11.5) & (windows.centre_s < 18.5)
    assert np.isnan(windows.raw_offset_ms[silent]).all() and not windows.reliable[silent].any()
    assert windows.reliable[~silent].mean() > 0.6


def test_long_tracks_are_cut_into_pieces_without_a_seam() -> None:
    t = 1100 * HOP
    values = similarity(1.0, t, seed=5)
    windows = offset_windows(values, LAGS)
    for i in (1022, 1023, 1024, 1025, 1099):
        low, high = max(0, i - SPAN // 2) * HOP, min(t, (i + SPAN // 2 + 1) * HOP)
        sums = lag_sums(values[low:high], np.ones(high - low), block=high - low)
        np.testing.assert_allclose(windows.curves[i], sums.curves()[0], atol=1e-7)


@pytest.mark.parametrize("t", [0, 1, 9, 11])
def test_short_tracks(t: int) -> None:
    windows = offset_windows(similarity(0, t), LAGS)
    assert len(windows.reliable) == -(-t // HOP) and not windows.reliable.any()
    assert agreement_height(windows) == 0.0
