from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from avdetect.sync.changes import constant_stretches, most_probable_path
from avdetect.sync.drift import Drift
from avdetect.sync.segments import OffsetSegment, offset_segments
from avdetect.sync.windows import offset_windows
from tests.sync.made_up import LAGS, similarity


def segments_of(values: np.ndarray) -> tuple[tuple[OffsetSegment, ...], Drift]:
    return offset_segments(
        values,
        LAGS,
        offset_windows(values, LAGS),
        weights=np.ones(len(values)),
        believe=lambda e: e.offset_ms is not None and e.sharpness > 3,
    )


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, (12, 4), elements=st.floats(-5, 5, width=32)), st.floats(0.1, 6))
def test_the_path_is_the_best_of_all(votes: np.ndarray, cost: float) -> None:
    """Against exhaustive dynamic programming over every pair of lags."""

    def value(path: np.ndarray) -> float:
        return float(votes[np.arange(len(path)), path].sum() - cost * np.count_nonzero(np.diff(path)))

    best = votes[0].copy()
    for row in votes[1:]:
        best = np.max(best[:, None] - cost * (1 - np.eye(4)), axis=0) + row
    assert value(most_probable_path(votes, cost)) == pytest.approx(best.max(), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_jump_is_found_where_it_is(seed: int) -> None:
    segments, drift = segments_of(similarity(np.where(np.arange(1500) < 700, -2.0, 6.0), seed=seed))
    assert len(segments) == 2
    assert segments[1].start == pytest.approx(700, abs=25), "one second"
    assert segments[0].estimate.offset_ms == pytest.approx(-80, abs=20)
    assert segments[1].estimate.offset_ms == pytest.approx(240, abs=20)
    assert drift.ppm is None and "jumps" in drift.why_not


def test_a_stretch_of_a_few_seconds_inside_is_found() -> None:
    offsets = np.where(np.abs(np.arange(1500) - 700) < 60, 6.0, -1.0)
    segments, _ = segments_of(similarity(offsets, seed=1, height=0.5))
    assert len(segments) == 3
    assert segments[1].estimate.offset_ms == pytest.approx(240, abs=40)


@pytest.mark.parametrize("offset", [0.0, 2.5, -7.3])
def test_a_constant_offset_stays_in_one_piece(offset: float) -> None:
    counts = [len(segments_of(similarity(offset, 1500, seed=s, height=0.5))[0]) for s in range(4)]
    assert counts == [1] * 4


def test_sound_that_has_nothing_to_do_with_the_lips_stays_in_one_piece() -> None:
    found = [segments_of(similarity(0, 1500, seed=s, height=0))[0] for s in range(8)]
    assert [len(f) for f in found] == [1] * 8


@pytest.mark.parametrize("ppm", [1000.0, -3000.0])
def test_a_drift_is_no_row_of_jumps(ppm: float) -> None:
    whole = [segments_of(similarity(np.arange(2250) * ppm * 1e-6, seed=s, height=0.5)) for s in range(4)]
    assert sum(len(segments) == 1 for segments, _ in whole) >= 3
    for segments, drift in whole:
        if len(segments) == 1:
            assert drift.ppm == pytest.approx(ppm, abs=250)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 400), st.integers(0, 99), st.floats(0, 0.6))
def test_stretches_cover_the_track_in_order(t: int, seed: int, height: float) -> None:
    stretches = constant_stretches(similarity(0, t, seed=seed), LAGS, height=height)
    if t == 0:
        assert stretches == ()
        return
    assert stretches[0].start == 0 and stretches[-1].end == t
    assert all(a.end == b.start and a.lag != b.lag for a, b in pairwise(stretches))
    assert all(s.end - s.start >= 26 for s in stretches) or len(stretches) == 1
