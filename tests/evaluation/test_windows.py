"""Short windows: how they are cut, what they are scored by, and that true sound wins where the detector can tell."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.evaluation.targets import windows
from avdetect.evaluation.targets.windows import OffsetsOfClip, Window
from avdetect.testing import synthetic_clip
from avdetect.types import Evidence
from tests.small_nets import small_detector


@given(st.integers(0, 400), st.integers(1, 120), st.integers(1, 5))
def test_windows_share_nothing_and_stay_inside(ticks: int, length: int, most: int) -> None:
    starts = windows.window_starts(ticks, length, most=most)
    assert len(starts) == min(ticks // length, most)
    assert all(0 <= s <= ticks - length for s in starts)
    assert all(b - a >= length for a, b in itertools.pairwise(starts))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    folder = tmp_path_factory.mktemp("records")
    with RecordWriter(folder) as writer:
        for i, ticks in enumerate((90, 70, 25)):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "s", "identity": f"p{i}", "track_id": 0,
                    "start_tick": 0, "visual_fake": "0", "audio_fake": "0", "generator": ""}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, ticks), meta["key"], meta, speech=np.ones(ticks))), meta)
    return RecordStore(folder)


def test_each_window_is_scored_with_its_own_and_with_another_sound(store: RecordStore) -> None:
    found = windows.other_sound(small_detector(), store, range(3), [1.2, 2.4])
    assert [len(found[s]) for s in (1.2, 2.4)] == [3, 1], (
        "clips of 90, 70 and 25 ticks, each with the sound of the next: a window is no longer than either"
    )
    for window in (w for of in found.values() for w in of):
        assert set(window.own) == set(window.other) == {"fused", "lag"}
        assert window.own["lag"] != window.other["lag"]


def test_the_best_lag_needs_ticks_enough() -> None:
    similarity = np.full((10, 31), np.nan, np.float32)
    similarity[:2, 3] = 0.9
    similarity[:5, 7] = 0.5
    assert windows.best_similarity(Evidence.only(10, similarity=similarity)) == pytest.approx(0.5)


def test_figures_tell_own_from_other() -> None:
    made = [Window(f"p{i % 4}", "s", {"lag": -0.5 + 0.01 * i}, {"lag": -0.1}) for i in range(8)]
    made.append(Window("p9", "s", {"lag": float("nan")}, {"lag": -0.1}))
    found = windows.other_sound_figures(made, "lag")
    assert (found["windows"], found["measured"], found["people"]) == (9, 8, 4)
    assert found["auc"] == 1.0 and found["ci"] == [1.0, 1.0]
    assert np.isnan(windows.other_sound_figures(made[-1:], "lag")["auc"])


def test_offsets_are_held_against_the_median_of_their_clip() -> None:
    clips = [
        OffsetsOfClip("a", "a.mp4", np.array([0.0, 10.0, -20.0, 200.0]), np.array([True, True, True, False]),
                      np.array([5.0, 90.0, np.nan, 0.0])),
        OffsetsOfClip("b", "b.mp4", np.array([100.0, np.nan]), np.array([True, False]), np.array([100.0, 60.0])),
    ]  # fmt: skip
    found = windows.offset_figures(clips, tolerance_ms=40)
    assert (found["clips"], found["windows"]) == (2, 6)
    assert found["within"] == pytest.approx(4 / 6) and found["within_reported"] == 1.0
    assert found["reported"] == pytest.approx(4 / 6) and found["moved"] == pytest.approx(4 / 6)
    assert np.isnan(windows.offset_figures([replace(c, moved=np.zeros(0)) for c in clips], tolerance_ms=40)["moved"])


def test_clips_that_are_hardly_longer_than_a_window_are_passed_over(store: RecordStore, tmp_path: Path) -> None:
    found = windows.offsets_in_windows(small_detector(), store, range(3), seconds=2.0, step_s=0.4)
    assert [(c.path, len(c.offsets), len(c.moved)) for c in found] == [("c0.mp4", 5, 0)]


def test_moved_sound_is_measured_where_it_went(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A detector that finds the true offset: what is left after the move is taken off is that of the clip."""
    seen: list[np.ndarray] = []

    def found(detector: object, parts: list) -> tuple[np.ndarray, np.ndarray]:
        seen.append(parts[1].audio)
        return np.full(len(parts), 160.0 * (len(seen) - 1)), np.ones(len(parts), bool)

    monkeypatch.setattr(windows, "_offsets", found)
    (clip,) = windows.offsets_in_windows(small_detector(), store, range(3), seconds=2.0, step_s=0.4, moved_ms=[160.0])
    np.testing.assert_allclose(clip.moved, 0.0)
    late = 160 * 16
    np.testing.assert_array_equal(seen[1][late:], seen[0][:-late])
