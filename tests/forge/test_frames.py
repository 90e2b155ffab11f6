"""Edits of whole frames: the same as those of the crops, and only around the face."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge
from avdetect.forge.frames import draw_on_frames, paste_crops, patched
from avdetect.forge.views import apply
from avdetect.types import Clip, FaceTrack

FAMILIES = ("self_blend", "face_swap", "mouth_paste", "mouth_freeze", "mouth_loop", "mouth_warp", "face_jitter")
SIZE = (300, 400)


def filmed(clip: Clip, zoom: float = 1.0) -> tuple[Clip, np.ndarray]:
    """Frames in which the clip's face crops lie turned and scaled, and the clip as cut from them."""
    track = clip.track
    assert track is not None
    frames = np.full((clip.n_ticks, *SIZE, 3), 90, np.uint8)
    matrices = np.zeros((clip.n_ticks, 2, 3), np.float32)
    for i in range(clip.n_ticks):
        matrix = cv2.getRotationMatrix2D((80, 80), 8, zoom)
        matrix[:, 2] += (110 + i, 60)
        matrices[i] = matrix
        cv2.warpAffine(track.faces[i], matrix, SIZE[::-1], dst=frames[i], borderMode=cv2.BORDER_TRANSPARENT)
    return dataclasses.replace(clip, track=dataclasses.replace(track, matrices=matrices)), frames


def recut(frames: np.ndarray, track: FaceTrack, tick: int) -> np.ndarray:
    assert track.matrices is not None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frames[tick], track.matrices[tick], (160, 160), flags=flags).astype(np.float32)


@pytest.mark.parametrize("name", FAMILIES)
def test_frames_show_the_edit_of_the_crops(name: str, clip: Clip, others: list[Clip]) -> None:
    clip, frames = filmed(clip, 1.3)
    track = clip.track
    assert track is not None
    plan = FORGERIES.get(name).forge.plan(clip, np.random.default_rng(4), others)
    forged = apply(clip, plan).track
    assert forged is not None
    kept = frames.copy()
    errors, sizes = [], []
    with patched(frames, draw_on_frames(frames, track, plan)) as made:
        assert made.shape == kept.shape and made.dtype == np.uint8
        np.testing.assert_array_equal(made[20:23], kept[20:23])  # not visible there
        for i in range(2, clip.n_ticks, 8):
            if track.visible[i]:
                found = recut(made, track, i) - recut(kept, track, i)
                wanted = forged.faces[i].astype(np.float32) - track.faces[i]
                errors.append(np.abs(cv2.GaussianBlur(found - wanted, (0, 0), 2))[8:-8, 8:-8].mean())
                sizes.append(np.abs(cv2.GaussianBlur(wanted, (0, 0), 2)).mean())
                if not plan.whole_picture:
                    np.testing.assert_array_equal(made[i, :20], kept[i, :20])
                    np.testing.assert_array_equal(made[i, :, :40], kept[i, :, :40])
    assert np.mean(errors) < 0.35 * np.mean(sizes) + 0.3, (np.mean(errors), np.mean(sizes))
    np.testing.assert_array_equal(frames, kept)


def test_crops_edited_by_others_are_pasted_back(clip: Clip) -> None:
    clip, frames = filmed(clip)
    track = clip.track
    assert track is not None
    faces = track.faces.copy()
    faces[5, 60:100, 60:100] = 255 - faces[5, 60:100, 60:100]
    patches = paste_crops(frames, track, dataclasses.replace(track, faces=faces))
    assert [p.tick for p in patches] == [5]
    kept = frames.copy()
    with patched(frames, patches) as made:
        found = recut(made, track, 5)[64:96, 64:96]
        assert np.abs(found - faces[5, 64:96, 64:96]).mean() < 6
        np.testing.assert_array_equal(np.delete(made, 5, 0), np.delete(kept, 5, 0))


def test_frames_are_put_back_after_an_error(clip: Clip, others: list[Clip]) -> None:
    clip, frames = filmed(clip)
    assert clip.track is not None
    plan = FORGERIES.get("face_jitter").forge.plan(clip, np.random.default_rng(0), others)
    kept = frames.copy()
    with pytest.raises(RuntimeError, match="disk"), patched(frames, draw_on_frames(frames, clip.track, plan)):
        assert (frames != kept).any()
        raise RuntimeError("disk full")
    np.testing.assert_array_equal(frames, kept)


def test_faces_outside_of_the_frame_give_no_patches(clip: Clip, others: list[Clip]) -> None:
    clip, frames = filmed(clip)
    assert clip.track is not None and clip.track.matrices is not None
    away = dataclasses.replace(
        clip.track, matrices=clip.track.matrices + np.array([[0, 0, 4000], [0, 0, 0]], np.float32)
    )
    plan = FORGERIES.get("mouth_freeze").forge.plan(clip, np.random.default_rng(0), others)
    assert draw_on_frames(frames, away, plan) == []


def test_without_matrices_frames_cannot_be_forged(clip: Clip, others: list[Clip]) -> None:
    assert clip.track is not None
    plan = FORGERIES.get("mouth_freeze").forge.plan(clip, np.random.default_rng(0), others)
    with pytest.raises(CannotForge, match="matrices"):
        draw_on_frames(np.zeros((clip.n_ticks, *SIZE, 3), np.uint8), clip.track, plan)
