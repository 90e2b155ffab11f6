"""Real talking heads: one face, followed without a hole, aligned to the contract."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from avdetect.faces.nets import FaceNets
from avdetect.verdict.quality import assess
from tests.faces.drawn import blocks, follow

pytestmark = pytest.mark.needs_data
SECONDS = 2.4


def read(path: Path) -> dict[str, np.ndarray]:
    """The first seconds of a clip on the 25 Hz clock, nearest frames."""
    frames, times = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is None or frame.time > SECONDS:
                break
            frames.append(frame.to_ndarray(format="rgb24"))
            times.append(frame.time)
    pts = np.array(times)
    n = int(pts[-1] * 25) + 1
    index = np.abs(pts[None] - np.arange(n)[:, None] / 25).argmin(1).astype(np.int32)
    return blocks(np.stack([frames[i] for i in index]), frame_index=index, frame_pts_s=pts[index])


@pytest.mark.parametrize("folder", ["lrc_ar", "lrs3_other", "voxceleb2", "sonic", "livedub", "vdtts"])
def test_a_talking_head_is_one_good_track(nets: FaceNets, shared_data: Path, folder: str) -> None:
    clips = sorted((shared_data / folder).glob("*.mp4"))
    if not clips:
        pytest.skip(f"no clips in {shared_data / folder}")
    film = read(clips[0])
    (track,) = follow(film, nets).values()
    n = len(film["frame_valid"])
    assert track.n_ticks == n
    assert track.visible.all()
    assert assess(track.quality, track.visible)[0] == []
    # Where the eyes are in the crop, whatever the head does; a turned head moves them sideways.
    middle = track.landmarks[:, [33, 263], :2].mean(1)
    assert np.abs(middle[:, 1] - 0.36).max() < 0.12
    assert np.abs(middle[:, 0] - 0.5).max() < 0.2
    lips = track.landmarks[:, [61, 291], :2].mean(1)
    assert np.abs(lips[:, 1] - 0.68).max() < 0.14
    again = follow(film, nets, step=9)[0]
    np.testing.assert_array_equal(track.faces, again.faces)
    np.testing.assert_array_equal(track.landmarks, again.landmarks)
