from __future__ import annotations

import numpy as np
import pytest

from avdetect.sync.speaking import (
    LOWER_LIP,
    MOUTH_LEFT,
    MOUTH_RIGHT,
    UPPER_LIP,
    lip_activity,
    mouth_opening,
    moving_sum,
    tick_weights,
)


def mesh(opening: np.ndarray) -> np.ndarray:
    points = np.zeros((len(opening), 468, 3))
    points[:, MOUTH_LEFT, 0], points[:, MOUTH_RIGHT, 0] = 0.3, 0.7
    points[:, UPPER_LIP, 1], points[:, LOWER_LIP, 1] = 0.6, 0.6 + opening
    return points


def test_a_talking_mouth_is_active_and_an_open_one_is_not() -> None:
    time = np.arange(100) / 25
    talking = lip_activity(mouth_opening(mesh(0.05 * (1 + np.sin(2 * np.pi * 4 * time)))), np.ones(100, bool))
    gaping = lip_activity(mouth_opening(mesh(np.full(100, 0.1))), np.ones(100, bool))
    assert np.median(talking) == pytest.approx(0.05 / 0.4 / np.sqrt(2), rel=0.1)
    assert gaping.max() < 1e-6


def test_hidden_faces_have_no_activity() -> None:
    visible = np.arange(100) < 40
    activity = lip_activity(mouth_opening(mesh(np.where(visible, 0.05, 0.0))), visible)
    assert np.isnan(activity[60:]).all()
    assert activity[:30].max() < 1e-6, "the zeros of hidden ticks are no movement"
    assert np.isnan(lip_activity(mouth_opening(mesh(np.zeros(10))), np.zeros(10, bool))).all()


@pytest.mark.parametrize("width", [1, 2, 5, 50])
def test_moving_sum_is_the_sum_of_what_is_there(width: int) -> None:
    values = np.random.default_rng(0).uniform(size=17)
    expected = [values[max(0, i - width // 2) : max(0, i - width // 2 + width)].sum() for i in range(17)]
    np.testing.assert_allclose(moving_sum(values, width), expected)


def test_speech_reaches_to_the_ticks_whose_lips_may_have_made_it() -> None:
    speech = np.zeros(60)
    speech[30] = 0.8
    visible = np.ones(60, bool)
    visible[25] = False
    weights = tick_weights(speech, visible)
    assert weights[22] == weights[38] == pytest.approx(0.8)
    assert weights[21] == weights[39] == weights[25] == 0
    np.testing.assert_array_equal(tick_weights(np.full(5, np.nan), None), 1.0)
    assert len(tick_weights(np.empty(0), None)) == 0
