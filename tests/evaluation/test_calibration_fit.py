"""What is fitted on validation clips: scalings for an even prior, operating points, who is swapped with whom."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.calibration import Calibration
from avdetect.calibration_fit import balanced_platt, fit_calibration, measure, operating_points, sound_mates
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.testing import synthetic_clip
from tests.small_nets import small_detector


def test_probabilities_do_not_depend_on_the_share_of_forgeries() -> None:
    rng = np.random.default_rng(0)
    genuine, forged = rng.normal(-1, 1, 4000), rng.normal(1, 1, 4000)
    even = balanced_platt(np.r_[genuine, forged], np.r_[np.zeros(4000, bool), np.ones(4000, bool)])
    rare = balanced_platt(np.r_[genuine, forged[:400]], np.r_[np.zeros(4000, bool), np.ones(400, bool)])
    x = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(rare.probability(x), even.probability(x), atol=0.06)
    # Two unit Gaussians at -1 and 1: the true logit is 2 x.
    np.testing.assert_allclose(even.scale(x), 2 * x, atol=0.35)


def test_a_branch_that_learned_nothing_says_one_half() -> None:
    backwards = balanced_platt(np.array([3.0, 2.0, -2.0, -3.0]), np.array([False, False, True, True]))
    np.testing.assert_allclose(backwards.probability(np.array([-5.0, 0.0, 5.0])), 0.5, atol=1e-4)
    one_class = balanced_platt(np.array([1.0, 2.0]), np.array([True, True]))
    np.testing.assert_allclose(one_class.probability(np.array([-5.0, 5.0])), 0.5, atol=1e-4)


def test_operating_points_keep_false_alarms_and_misses_low() -> None:
    rng = np.random.default_rng(1)
    genuine, forged = rng.beta(2, 6, 2000), rng.beta(6, 2, 2000)
    above, below = operating_points(genuine, forged)
    assert (genuine >= above).mean() <= 0.021
    assert (forged <= below).mean() <= 0.101
    assert below <= above


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    """Eight short clips of two sources, one of them with a false voice."""
    folder = tmp_path_factory.mktemp("store")
    with RecordWriter(folder) as writer:
        for i in range(8):
            clip = synthetic_clip(i, 60)
            meta = {
                "key": f"c{i}#0@0",
                "path": f"c{i}.mp4",
                "source": f"source {i % 2}",
                "identity": f"p{i}",
                "track_id": 0,
                "start_tick": 0,
                "visual_fake": "0",
                "audio_fake": str(int(i == 7)),
                "generator": "vocoder" if i == 7 else "",
            }
            writer.add(encode(record_of(clip, meta["key"], meta, speech=np.ones(60))), meta)
    return RecordStore(folder)


def test_swapped_sound_is_genuine_and_of_the_same_source(store: RecordStore) -> None:
    mates = sound_mates(store, range(8))
    assert set(mates) == set(range(7)), "a clip with a false voice neither gives nor takes sound"
    for i, j in mates.items():
        assert i != j and j != 7
        assert store.index[i]["source"] == store.index[j]["source"]


def test_measured_clips_have_own_and_swapped_evidence(store: RecordStore) -> None:
    found = measure(small_detector(), store, [0, 1, 2, 3])
    assert [m.row for m in found] == [0, 1, 2, 3]
    for m in found:
        assert m.swapped is not None
        own, other = m.own.track.evidence, m.swapped.track.evidence
        np.testing.assert_array_equal(own.visual, other.visual)
        assert not np.array_equal(own.similarity, other.similarity, equal_nan=True)


def test_fitted_calibration_says_what_it_was_fitted_on(store: RecordStore) -> None:
    calibration, figures = fit_calibration(
        small_detector(), store, range(8), genuine=range(8), in_sync=range(7), description="eight drawn clips"
    )
    assert calibration.fitted_on == "eight drawn clips"
    assert calibration == Calibration.from_json(calibration.to_json())
    assert figures["audio_clips"] == [7, 1]
    assert figures["visual_clips"] == [8, 0]
    assert figures["threshold_clips"] == [7, 1], "only the genuine ones set the threshold"
    np.testing.assert_allclose(calibration.visual.probability(np.array([-3.0, 3.0])), 0.5, atol=1e-4)
