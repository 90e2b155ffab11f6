from __future__ import annotations

import numpy as np

from avdetect.faces.cuts import CutFinder
from avdetect.testing.face import Pose
from tests.faces.drawn import scene, talker


def cuts(frames: list[np.ndarray]) -> list[int]:
    finder = CutFinder()
    return [i for i, frame in enumerate(frames) if finder.push(frame)]


def other_room(i: int) -> np.ndarray:
    frame = scene(Pose(90, 110, 40), seed=3, tick=i, wall=60)
    frame[150:, 160:] = 220
    return frame


def test_a_cut_between_two_rooms_is_found_and_a_talking_head_is_none() -> None:
    assert cuts([*(scene(talker(i), tick=i) for i in range(12)), *(other_room(i) for i in range(5))]) == [12]


def test_a_cut_in_the_dark_is_found() -> None:
    dark = [(scene(talker(i), tick=i) // 5).astype(np.uint8) for i in range(4)]
    assert cuts([*dark, *((other_room(i) // 5).astype(np.uint8) for i in range(4))]) == [4]


def test_a_flash_and_a_fade_are_no_cuts() -> None:
    flash = [np.clip(scene(talker(i), tick=i) * (1.6 if i == 5 else 1.0), 0, 255).astype(np.uint8) for i in range(10)]
    assert cuts(flash) == []
    fade = [(scene(talker(i), tick=i) * min(1.0, i / 12)).astype(np.uint8) for i in range(1, 16)]
    assert cuts(fade) == []


def test_black_frames_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    assert cuts([rng.integers(0, 3, (90, 160, 3)).astype(np.uint8) for _ in range(6)]) == []
