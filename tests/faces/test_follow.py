"""Who is who among faces that were lost, without networks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from avdetect.faces import follow
from avdetect.faces.align import Alignment
from avdetect.faces.config import Shown, TrackerConfig
from avdetect.faces.detect import Detection
from avdetect.faces.follow import CATCH_UP_S, Face, Follower
from avdetect.faces.roi import Roi


def found(x: float, score: float) -> Detection:
    """A box of 100 pixels around (x, 200)."""
    points = np.array([[x - 20, 180], [x + 20, 180], [x, 200], [x, 220], [x - 45, 190], [x + 45, 190]], float)
    return Detection(np.array([x - 50, 150, x + 50, 250], float), points, score)


def face(number: int, x: float, *, lost: bool = True) -> Face:
    square = Roi(x, 200.0, 195.0, 0.0)
    box = np.array([x - 50, 135, x + 50, 265], float)
    return Face(number, 0, 10, square, 0.4, box, right=square, seen=True, lost=lost)


def look(monkeypatch: pytest.MonkeyPatch, faces: list[Face], detections: list[Detection]) -> Follower:
    """A follower after the detector found this."""
    monkeypatch.setattr(follow, "detect", lambda *args, **options: sorted(detections, key=lambda d: -d.score))
    follower = Follower(TrackerConfig(), Alignment(), SimpleNamespace())  # type: ignore[arg-type]
    follower.faces, follower._births = faces, len(faces)
    follower._look(Shown(5, 12, 0.48, np.zeros((400, 600, 3), np.uint8), False))
    return follower


@pytest.mark.parametrize("scores", [(0.95, 0.90), (0.90, 0.95)])
@pytest.mark.parametrize("turned", [False, True])
def test_neighbours_that_were_lost_together_keep_their_numbers(
    monkeypatch: pytest.MonkeyPatch, scores: tuple[float, float], turned: bool
) -> None:
    faces = [face(0, 200.0), face(1, 300.0)]
    follower = look(monkeypatch, faces[::-1] if turned else faces, [found(210, scores[0]), found(305, scores[1])])
    assert {f.number: (f.used.x, f.lost) for f in follower.faces} == {0: (210.0, False), 1: (305.0, False)}


def test_a_nearer_face_takes_a_detection_and_the_other_stays_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    follower = look(monkeypatch, [face(0, 200.0), face(1, 300.0)], [found(290, 0.9)])
    assert {f.number: f.lost for f in follower.faces} == {0: True, 1: False}


def test_a_detection_of_nobody_near_is_a_new_face(monkeypatch: pytest.MonkeyPatch) -> None:
    follower = look(monkeypatch, [face(0, 200.0)], [found(480, 0.95), found(205, 0.6)])
    assert [(f.number, f.used.x, f.lost) for f in follower.faces] == [(0, 205.0, False), (1, 480.0, False)]


def test_the_expected_square_lies_between_the_one_used_and_the_right_one() -> None:
    moving = face(0, 200.0, lost=False)
    moving.right = Roi(216.0, 200.0, 195.0, 0.0)
    after = {-1.0: 200.0, -0.08: 200.0, 0.0: 200.0, CATCH_UP_S / 2: 208.0, CATCH_UP_S: 216.0, 2.0: 216.0}
    for seconds, x in after.items():
        assert moving.expected(moving.time_s + seconds).x == pytest.approx(x), seconds
