from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avdetect.calibration import QualityMinima
from avdetect.types import Quality
from avdetect.verdict.quality import assess


def quality(n: int = 20, **values: float) -> Quality:
    usual = {"size_px": 80.0, "sharpness": 15.0, "yaw_deg": 5.0, "pitch_deg": -4.0, "light": 0.4, "presence": 1.0}
    return Quality(**{k: np.full(n, v, np.float32) for k, v in (usual | values).items()})


SEEN = np.ones(20, bool)


def test_a_good_face_has_no_fault() -> None:
    faults, good = assess(quality(), SEEN)
    assert faults == []
    assert good.all()


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"size_px": 12}, "too small"),
        ({"sharpness": 0.3}, "too blurred"),
        ({"light": 0.01}, "too dark"),
        ({"light": 0.99}, "too bright"),
        ({"yaw_deg": -75}, "turned too far"),
        ({"pitch_deg": 60}, "turned too far"),
        ({"presence": 0.2}, "hidden"),
    ],
)
def test_each_measure_can_fail_alone(values: dict[str, float], fault: str) -> None:
    faults, good = assess(quality(20, **values), SEEN)
    assert faults == [fault]
    assert not good.any()


def test_some_bad_ticks_are_masked_but_do_not_condemn_the_track() -> None:
    q = quality()
    q.size_px[:8] = 10
    faults, good = assess(q, SEEN)
    assert faults == []
    np.testing.assert_array_equal(good, np.arange(20) >= 8)
    assert assess(q, SEEN, replace(QualityMinima(), share=0.7))[0] == ["too small"]


def test_ticks_without_a_face_count_neither_way() -> None:
    q = quality()
    q.size_px[10:] = np.nan
    faults, good = assess(q, np.arange(20) < 10)
    assert faults == []
    assert good.sum() == 10
    assert assess(q, np.zeros(20, bool))[1].sum() == 0
