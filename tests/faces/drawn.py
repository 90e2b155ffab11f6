"""Pictures of drawn faces, and blocks of them as the media room would hand them over."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from avdetect.faces.config import TrackerConfig
from avdetect.faces.nets import FaceNets
from avdetect.faces.tracker import FaceTracker, join
from avdetect.testing.clip import sensor_noise
from avdetect.testing.face import Pose, draw_face
from avdetect.types import FaceTrack


def scene(
    *poses: Pose, width: int = 320, height: int = 240, seed: int = 0, tick: int = 0, wall: float = 125.0
) -> np.ndarray:
    """A picture of drawn faces; each has its own colours, by its place in the arguments."""
    ramp = np.linspace(0.8, 1.1, height)[:, None, None] * np.linspace(0.9, 1.05, width)[None, :, None]
    canvas = np.clip(ramp * np.array([wall * 0.95, wall, wall * 1.1]), 0, 255).astype(np.uint8)
    for i, pose in enumerate(poses):
        draw_face(canvas, pose, seed=seed + i)
    return sensor_noise(cv2.GaussianBlur(canvas, (0, 0), 0.6), seed, tick)


def talker(i: int, *, x: float = 160.0, y: float = 95.0, scale: float = 60.0, sway: float = 4.0) -> Pose:
    """A head that sways and speaks, at tick ``i``."""
    return Pose(
        x + sway * np.sin(i / 9), y + sway * np.cos(i / 13), scale,
        roll=0.06 * np.sin(i / 11), opening=0.5 + 0.5 * np.sin(i / 2.1),
    )  # fmt: skip


def blocks(frames: np.ndarray, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """The arguments of ``FaceTracker.push`` for a 25 Hz film, with some replaced."""
    n = len(frames)
    made = {
        "frame_valid": np.ones(n, bool),
        "frame_index": np.arange(n, dtype=np.int32),
        "frame_pts_s": np.arange(n) / 25,
    }
    return {"frames": frames, **made, **changes}


def follow(
    film: dict[str, np.ndarray],
    nets: FaceNets,
    *,
    step: int = 1000,
    config: TrackerConfig | None = None,
    watch: Callable[[list[FaceTrack]], None] | None = None,
) -> dict[int, FaceTrack]:
    """Push a film in blocks of ``step`` ticks and join the pieces of each track."""
    tracker = FaceTracker(config, nets)
    found: dict[int, list[FaceTrack]] = {}
    n = len(film["frame_valid"])
    for start in [*range(0, n, step), n]:
        part = {k: v[start : start + step] for k, v in film.items()}
        pieces = tracker.push(**part, start_tick=start) if start < n else tracker.finish()
        if watch is not None:
            watch(pieces)
        for piece in pieces:
            found.setdefault(piece.track_id, []).append(piece)
    assert all(not p.ended for pieces in found.values() for p in pieces[:-1])
    assert all(pieces[-1].ended for pieces in found.values())
    return {k: join(v) for k, v in found.items()}
