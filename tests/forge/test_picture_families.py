"""What every forgery of the picture promises, by name."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from avdetect.clips import cut_track
from avdetect.data.records import clip_of_record, decode, encode, record_of
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge
from avdetect.forge.views import PictureForge, compose, face_view, inverted, mouth_view
from avdetect.types import Clip, FaceTrack, Label, Segment

PICTURE = [
    name
    for name in ("self_blend", "face_swap", "mouth_paste", "mouth_freeze", "mouth_loop", "mouth_warp", "face_jitter")
    if name in FORGERIES
]
LIPS_LET_GO = ("mouth_paste", "mouth_freeze", "mouth_loop", "mouth_warp")
SEEDS = (0, 1)


def forge(name: str, clip: Clip, seed: int, others: list[Clip]) -> Clip:
    return FORGERIES.get(name).forge(clip, np.random.default_rng(seed), others)


def track_of(clip: Clip) -> FaceTrack:
    assert clip.track is not None
    return clip.track


def arrays_of(clip: Clip) -> dict[str, np.ndarray]:
    track = track_of(clip)
    names = ("faces", "mouths", "landmarks", "visible", "boxes", "mouth_centres")
    return {**{n: np.asarray(getattr(track, n)) for n in names}, "audio": np.asarray(clip.audio)}


@pytest.mark.parametrize("name", PICTURE)
def test_what_it_says_of_itself_is_true(name: str, clip: Clip, others: list[Clip]) -> None:
    family = FORGERIES.get(name)
    assert isinstance(family.forge, PictureForge) and "picture" in family.changes and family.about
    assert ("timing" in family.changes) == (name in LIPS_LET_GO)
    if family.needs_others:
        with pytest.raises(CannotForge, match="other"):
            forge(name, clip, 0, [])
    else:
        assert forge(name, clip, 0, []).label.visual_fake is True


@pytest.mark.parametrize("name", PICTURE)
@pytest.mark.parametrize("seed", SEEDS)
def test_forged_where_the_label_says_and_nowhere_else(name: str, seed: int, clip: Clip, others: list[Clip]) -> None:
    out = forge(name, clip, seed, others)
    label, track, before = out.label, track_of(out), track_of(clip)
    assert label.visual_fake is True and label.audio_fake is clip.label.audio_fake is False
    forged = np.zeros(clip.n_ticks, bool)
    for segment in label.segments:
        if segment.kind == "visual":
            forged[round(segment.start_s * 25) : round(segment.end_s * 25)] = True
    assert not forged[20:23].any() and forged.sum() >= 30
    assert any(s.kind == "sync" for s in label.segments) == (name in LIPS_LET_GO)
    assert label.offset_ms == (None if name in LIPS_LET_GO else 0.0)
    for field in ("faces", "mouths", "landmarks"):
        np.testing.assert_array_equal(getattr(track, field)[~forged], getattr(before, field)[~forged])
    changed = (track.mouths != before.mouths).any((1, 2, 3)) | (track.faces != before.faces).any((1, 2, 3))
    assert changed[forged].mean() > 0.5
    assert out.audio is not None and clip.audio is not None
    np.testing.assert_array_equal(out.audio, clip.audio)


@pytest.mark.parametrize("name", PICTURE)
def test_shapes_and_ranges_are_kept_and_the_input_is_not_written_to(name: str, clip: Clip, others: list[Clip]) -> None:
    before = {k: v.copy() for k, v in arrays_of(clip).items()}
    theirs = [{k: v.copy() for k, v in arrays_of(o).items()} for o in others]
    out = arrays_of(forge(name, clip, 5, others))
    for key, value in arrays_of(clip).items():
        np.testing.assert_array_equal(value, before[key])
        assert out[key].shape == value.shape and out[key].dtype == value.dtype and np.isfinite(out[key]).all()
    for other, kept in zip(others, theirs, strict=True):
        for key, value in arrays_of(other).items():
            np.testing.assert_array_equal(value, kept[key])
    assert np.abs(out["landmarks"]).max() < 2


@pytest.mark.parametrize("name", PICTURE)
def test_the_same_key_gives_the_same_bits_and_another_key_others(name: str, clip: Clip, others: list[Clip]) -> None:
    first, again, other = (arrays_of(forge(name, clip, s, others)) for s in (7, 7, 8))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
    assert any((first[key] != other[key]).any() for key in ("faces", "mouths"))


@pytest.mark.parametrize("name", PICTURE)
@pytest.mark.parametrize("seed", SEEDS)
def test_both_crops_show_the_same_edit(name: str, seed: int, clip: Clip, others: list[Clip]) -> None:
    """The edit in the mouth crop is that of the face crop, resampled; the crop's rim may lack what lies beyond it."""
    out = track_of(forge(name, clip, seed, others))
    before, errors, sizes = track_of(clip), [], []
    faces, mouths = face_view(before), mouth_view(before)
    for i in np.flatnonzero(before.visible)[::5]:
        change = out.faces[i].astype(np.float32) - before.faces[i]
        matrix = compose(mouths.places[i], inverted(faces.places[i]))
        expected = cv2.warpAffine(change, matrix, (64, 64), flags=cv2.INTER_LINEAR)[6:-6, 6:-6]
        found = (out.mouths[i].astype(np.float32) - before.mouths[i])[6:-6, 6:-6]
        errors.append(np.abs(cv2.GaussianBlur(found - expected, (0, 0), 1.5)).mean())
        sizes.append(np.abs(cv2.GaussianBlur(found, (0, 0), 1.5)).mean())
    # Both crops have noise of their own; sharpening makes it stronger, and coarsening starts at other pixels.
    share, floor = (0.35, 0.8) if name == "self_blend" else (0.2, 0.4)
    assert np.mean(errors) < share * np.mean(sizes) + floor, (np.mean(errors), np.mean(sizes))


@pytest.mark.parametrize("name", PICTURE)
def test_landmarks_follow_the_lips(name: str, clip: Clip, others: list[Clip]) -> None:
    out, before = track_of(forge(name, clip, 3, others)), track_of(clip)
    gap, was = (t.landmarks[:, 14, 1] - t.landmarks[:, 13, 1] for t in (out, before))
    eyes = [33, 133, 362, 263]
    if name in LIPS_LET_GO:
        assert np.corrcoef(gap[before.visible], was[before.visible])[0, 1] < 0.9 or np.ptp(gap[before.visible]) < 0.01
        np.testing.assert_array_equal(out.landmarks[:, eyes], before.landmarks[:, eyes])
    else:
        np.testing.assert_allclose(gap, was, atol=0.02)
    if name == "mouth_freeze":
        assert np.ptp(gap[before.visible]) < 0.25 * np.ptp(was[before.visible])


@pytest.mark.parametrize("name", PICTURE)
def test_clips_from_records_with_few_face_crops(name: str, clip: Clip, others: list[Clip]) -> None:
    stored = [
        clip_of_record(decode(encode(record_of(c, "k", {"track_id": 0, "start_tick": 0})))) for c in (clip, *others)
    ]
    out = track_of(forge(name, stored[0], 1, stored[1:]))
    black = ~track_of(stored[0]).faces.any((1, 2, 3))
    assert black.sum() > 30 and not out.faces[black].any()
    assert (out.mouths != track_of(stored[0]).mouths).any((1, 2, 3))[track_of(clip).visible].mean() > 0.5


@pytest.mark.parametrize("name", PICTURE)
def test_pieces_of_a_clip_can_be_forged(name: str, clip: Clip, others: list[Clip]) -> None:
    audio = clip.audio
    assert audio is not None
    piece = dataclasses.replace(
        clip,
        track=cut_track(track_of(clip), 24, 44),
        audio=audio[24 * 640 : 44 * 640],
        audio_valid=clip.audio_valid[24:44],
        label=Label(audio_fake=True, segments=(Segment(0.0, 0.4, "audio"),)),
    )
    out = forge(name, piece, 2, others)
    assert out.n_ticks == 20 and out.label.audio_fake is True
    assert Segment(0.0, 0.4, "audio") in out.label.segments
    assert all(0 <= s.start_s < s.end_s <= 0.8 for s in out.label.segments)


@pytest.mark.parametrize("name", PICTURE)
def test_no_face_no_forgery(name: str, clip: Clip, others: list[Clip]) -> None:
    with pytest.raises(CannotForge, match="no face"):
        forge(name, dataclasses.replace(clip, track=None), 0, others)
    hidden = dataclasses.replace(track_of(clip), visible=np.zeros(clip.n_ticks, bool))
    with pytest.raises(CannotForge, match="no face"):
        forge(name, dataclasses.replace(clip, track=hidden), 0, others)


@pytest.mark.parametrize("name", PICTURE)
def test_faces_at_the_edge_of_their_crops_do_no_harm(name: str, clip: Clip, others: list[Clip]) -> None:
    track = track_of(clip)
    far = dataclasses.replace(clip, track=dataclasses.replace(track, landmarks=track.landmarks * 1.5 - 0.4))
    for seed in SEEDS:
        try:
            out = arrays_of(forge(name, far, seed, others))
        except CannotForge:
            continue
        assert all(np.isfinite(v).all() for v in out.values())
