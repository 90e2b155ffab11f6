"""Clips written from arrays come back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.media.errors import MediaError
from avdetect.media.reader import open_media
from avdetect.media.write import write_clip
from tests.media.flash_beep import BEEPS_S, beeps, onsets


def pictures(count: int, height: int = 48, width: int = 64) -> np.ndarray:
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[...] = (np.arange(count) * 3 % 250)[:, None, None, None]
    return frames


@pytest.mark.parametrize("extension", ["mp4", "mkv", "webm"])
def test_round_trip(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"clip.{extension}"
    frames, sound = pictures(55), beeps(16_000)
    write_clip(frames, sound, path, fps=25)
    with open_media(path) as media:
        blocks = list(media.blocks())
    got = np.concatenate([block.frames for block in blocks if block.frames is not None])
    assert abs(len(got) - 55) <= 1
    np.testing.assert_allclose(got[:55, 20, 20, 0].astype(int), frames[:, 20, 20, 0], atol=4)
    assert np.concatenate([block.frame_pts_s for block in blocks])[:55] == pytest.approx(np.arange(55) / 25, abs=0.002)
    found = onsets(np.concatenate([block.audio for block in blocks if block.audio is not None]))
    assert found == pytest.approx(BEEPS_S, abs=0.005)


def test_without_sound_and_with_odd_sides(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(pictures(10, 51, 37), None, path, fps=12.5)
    with open_media(path) as media:
        assert media.info.audio is None
        assert media.info.video is not None
        assert (media.info.video.width, media.info.video.height) == (36, 50)
        assert sum(block.n_ticks for block in media.blocks()) == 20


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no codecs are known"):
        write_clip(pictures(2), None, tmp_path / "clip.gif")
    with pytest.raises(ValueError, match="frames have shape"):
        write_clip(np.zeros((2, 3, 4), np.uint8), None, tmp_path / "clip.mp4")
    with pytest.raises(ValueError, match="audio has shape"):
        write_clip(pictures(2), np.zeros((2, 100), np.float32), tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match="there is no folder"):
        write_clip(pictures(2), None, tmp_path / "none" / "clip.mp4")
