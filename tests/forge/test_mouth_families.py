"""Mouths pasted, held, repeated and driven; faces that tremble."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avdetect.faces.align import LIPS
from avdetect.forge import face_jitter, mouth_motion, mouth_paste
from avdetect.forge.contract import CannotForge
from avdetect.forge.mouth_transplant import plan_transplant, similarity
from avdetect.forge.views import apply
from avdetect.types import Clip, FaceTrack


def track_of(clip: Clip) -> FaceTrack:
    assert clip.track is not None
    return clip.track


def test_there_and_back() -> None:
    assert mouth_paste.there_and_back(np.arange(9), 4).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert mouth_paste.there_and_back(np.arange(3), 1).tolist() == [0, 0, 0]


def test_a_mouth_from_the_same_tick_changes_next_to_nothing(clip: Clip) -> None:
    track = track_of(clip)
    plan = plan_transplant(track, np.arange(clip.n_ticks), np.random.default_rng(0))
    out = track_of(apply(clip, plan)) if _differs(clip, plan) else track
    assert np.abs(out.mouths.astype(int) - track.mouths).max() <= 2
    np.testing.assert_allclose(out.landmarks, track.landmarks, atol=1e-6)


def _differs(clip: Clip, plan: object) -> bool:
    try:
        apply(clip, plan)  # type: ignore[arg-type]
    except CannotForge:
        return False
    return True


def test_the_pasted_mouth_is_the_donors(clip: Clip) -> None:
    """Between lips of tick 40, pasted on every tick, the pixels of tick 40."""
    track = track_of(clip)
    mouths = track.mouths.copy()
    mouths[40, 24:40, 24:40] = (0, 255, 0)
    marked = dataclasses.replace(track, mouths=mouths)
    plan = plan_transplant(marked, np.full(clip.n_ticks, 40), np.random.default_rng(0))
    out = track_of(apply(dataclasses.replace(clip, track=marked), plan))
    for i in (0, 10, 30):
        green = out.mouths[i, 28:36, 28:36].astype(int)
        assert (green[..., 1] - green[..., 0]).mean() > 150
        assert np.abs(out.landmarks[i, LIPS] - track.landmarks[40, LIPS]).max() < 0.03


def test_other_people_move_to_the_place_of_this_mouth(clip: Clip, others: list[Clip]) -> None:
    giver = track_of(others[0])
    plan = plan_transplant(track_of(clip), np.arange(clip.n_ticks), np.random.default_rng(0), giver=giver)
    own, new = (m[plan.edited][:, LIPS, :2].mean((0, 1)) for m in (track_of(clip).landmarks, plan.landmarks))
    np.testing.assert_allclose(own, new, atol=0.002)


def test_similarity() -> None:
    rng = np.random.default_rng(2)
    mesh = rng.uniform(0, 1, (468, 3)).astype(np.float32)
    turned = mesh.copy()
    turned[:, :2] = mesh[:, :2] @ np.array([[0.9, 0.3], [-0.3, 0.9]]) + [0.1, -0.2]
    matrix = similarity(mesh, turned)
    np.testing.assert_allclose(mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2], turned[:, :2], atol=1e-5)


def test_loops_repeat(clip: Clip) -> None:
    plan = mouth_motion.plan_loop(track_of(clip), np.random.default_rng(0), [])
    shown = set(plan.moments.tolist())
    assert 4 <= len(shown) <= 20 and np.ptp(list(shown)) == len(shown) - 1


def test_warped_lips_follow_their_driver(clip: Clip, others: list[Clip]) -> None:
    for seed in range(12):
        plan = mouth_motion.plan_warp(track_of(clip), np.random.default_rng(seed), [track_of(others[0])])
        before, after = (mouth_motion.opening(m)[plan.edited] for m in (plan.before, plan.landmarks))
        assert np.abs(after - before).max() > 0.01 and (after > -1e-3).all()
    # Pixels move with the landmarks: where the lower lip was, there is now what was above it.
    out = track_of(apply(clip, plan))
    tick = int(np.argmax(np.where(plan.edited, np.abs(mouth_motion.opening(plan.landmarks - plan.before)), 0)))
    (x, y), (_, y_new) = (np.round(m[tick, 17, :2] * 160 - 0.5).astype(int) for m in (plan.before, plan.landmarks))
    old_lip = track_of(clip).faces[tick, y, x].astype(int)
    assert abs(y_new - y) >= 1
    assert np.abs(out.faces[tick, y_new, x] - old_lip).mean() < 25


def test_still_mouths_are_not_frozen(clip: Clip) -> None:
    track = track_of(clip)
    still = dataclasses.replace(track, landmarks=np.repeat(track.landmarks[:1], clip.n_ticks, axis=0))
    for plan in (mouth_motion.plan_freeze, mouth_motion.plan_loop, mouth_motion.plan_warp):
        with pytest.raises(CannotForge, match="moves"):
            plan(still, np.random.default_rng(0), [])


def test_short_clips_need_others(clip: Clip, others: list[Clip]) -> None:
    from avdetect.clips import cut_track

    short = cut_track(track_of(clip), 0, 12)
    for plan in (mouth_paste.plan_mouth_paste, mouth_motion.plan_warp):
        with pytest.raises(CannotForge, match="12 ticks"):
            plan(short, np.random.default_rng(0), [])
        assert plan(short, np.random.default_rng(0), [track_of(others[0])]).edited.all()


def test_mouths_without_pictures_cannot_be_taken(clip: Clip) -> None:
    bare = dataclasses.replace(track_of(clip), mouths=np.zeros_like(track_of(clip).mouths))
    with pytest.raises(CannotForge, match="no mouth crops"):
        mouth_motion.plan_freeze(bare, np.random.default_rng(0), [])


def test_jitter_stays_on_the_face_and_is_small(clip: Clip) -> None:
    for seed in range(6):
        plan = face_jitter.plan_face_jitter(track_of(clip), np.random.default_rng(seed), [])
        out = track_of(apply(clip, plan))
        for corner in (np.s_[:, :20, :20], np.s_[:, :20, -20:], np.s_[:, -10:, :20]):
            np.testing.assert_array_equal(out.faces[corner], track_of(clip).faces[corner])
        moves = (out.landmarks - track_of(clip).landmarks)[out.visible, :, :2] * 160
        assert 0.1 < np.abs(moves).mean() < 2.5 and np.abs(moves).max() < 12
        np.testing.assert_array_equal(out.landmarks[..., 2], track_of(clip).landmarks[..., 2])
