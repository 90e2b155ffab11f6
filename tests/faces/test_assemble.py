"""Pieces that are given out early are those of the whole track."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.faces.align import Alignment, fit_pose
from avdetect.faces.assemble import TrackBuilder
from avdetect.faces.config import GROUP, Sighting
from avdetect.faces.crops import take_patch
from avdetect.testing.face import mesh
from avdetect.types import FaceTrack

ALIGNMENT = Alignment()


def assembled(times: np.ndarray, *, early: bool) -> list[FaceTrack]:
    """A talking face seen at moments (s); taken piece by piece, or when all of it has been seen."""
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (200, 300, 3), np.uint8)
    opening = rng.uniform(0, 1, len(times))
    builder, pieces = TrackBuilder(ALIGNMENT), []
    builder.track_id = 0
    n, last = int(times[-1] * 25) + 1, -1
    for tick in range(n):
        number = int(np.abs(tick / 25 - times).argmin())
        if number != last:
            points = mesh(opening[number], 0.5, 0.0) * 50
            points[:, :2] += [150 + number % 3, 80]
            points = points.astype(np.float32)
            pose = fit_pose(points, ALIGNMENT)
            patch = take_patch(frame, pose, ALIGNMENT)
            builder.saw(Sighting(0, number, float(times[number]), 0, points, 1.0, pose, patch))
            last = number
        builder.shown(tick, number)
        if early and tick % GROUP == GROUP - 1:
            pieces.append(builder.take((tick - 1) / 25, ended=False))
    pieces.append(builder.take(np.inf, ended=True))
    return [piece for piece in pieces if piece is not None]


@pytest.mark.parametrize("missing", [3, 4])
@pytest.mark.parametrize("phase", range(GROUP))
def test_no_crop_is_made_before_its_window_is_over(missing: int, phase: int) -> None:
    """Where frames are missing, a tick between two is told of the later one as well, by its landmarks alone."""
    times = np.delete(np.arange(64), np.arange(missing) + 30 + phase) / 25
    pieces, (whole,) = assembled(times, early=True), assembled(times, early=False)
    assert len(pieces) > 2
    for name in ("faces", "mouths", "landmarks", "mouth_centres", "matrices"):
        found = np.concatenate([getattr(piece, name) for piece in pieces])
        np.testing.assert_array_equal(found, getattr(whole, name), err_msg=name)
