"""Examples: labels of every tick and face, lengths filled up, nothing claimed where nothing is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avdetect.clips import cut_clip
from avdetect.data.clip_draw import label_of
from avdetect.data.clip_examples import arrays_of, mismatch_labels, ticks_labelled
from avdetect.data.sample import write_segments
from avdetect.models.sync import CROP
from avdetect.testing import synthetic_clip
from avdetect.types import Clip, Label, Segment

GENUINE = Label(visual_fake=False, audio_fake=False)


def example(clip: Clip, *, seed: int = 0, ticks: int = 40, **options):
    given = {"faces": 3, "speech": None, "in_sync": True, **options}
    return arrays_of(clip, ticks=ticks, rng=np.random.default_rng(seed), **given)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return dataclasses.replace(synthetic_clip(3, 30), label=GENUINE)


def test_a_genuine_clip_is_genuine_on_every_tick(clip: Clip) -> None:
    found = example(clip)
    assert (found["audio_fake"][:30] == 0).all() and np.isnan(found["audio_fake"][30:]).all()
    assert (found["face_fake"] == 0).all() and found["class"] == 0
    assert (found["mismatch"][:30] == 0).all() and np.isnan(found["mismatch"][30:]).all()
    assert found["matched"][:30].all() and not found["matched"][30:].any()
    assert found["mouths"].shape == (40, CROP, CROP) and not found["mouths"][30:].any()
    assert found["covered"].sum() == 30 and not found["audio"][30 * 640 :].any()


def test_only_the_forged_stretch_is_forged(clip: Clip) -> None:
    segments = (Segment(0.2, 0.6, "audio"), Segment(0.2, 0.6, "sync"), Segment(0.4, 0.8, "visual"))
    found = example(dataclasses.replace(clip, label=Label(True, True, segments=segments)), faces=30)
    np.testing.assert_array_equal(np.flatnonzero(found["audio_fake"] == 1), np.arange(5, 15))
    np.testing.assert_array_equal(np.flatnonzero(found["mismatch"] == 1), np.arange(5, 15))
    assert not found["matched"][5:15].any() and found["matched"][:5].all() and found["matched"][15:30].all()
    assert found["class"] == 3 and (found["face_fake"] == 1).sum() == 10


def test_segments_of_one_branch_do_not_mark_another(clip: Clip) -> None:
    label = Label(visual_fake=True, audio_fake=False, segments=(Segment(0.0, 0.4, "visual"),))
    found = example(dataclasses.replace(clip, label=label))
    assert (found["audio_fake"][:30] == 0).all() and found["matched"][:30].all() and found["class"] == 1


def test_a_shift_is_no_mismatch_but_nothing_is_matched_at_lag_zero() -> None:
    label = Label(False, False, offset_ms=200.0, segments=(Segment(0, 1.2, "sync"),))
    mismatch, matched = mismatch_labels(label, 30, known=True, local=False)
    assert (mismatch == 0).all() and not matched.any()


def test_a_drift_is_neither_right_nor_wrong() -> None:
    label = Label(False, False, segments=(Segment(0.4, 1.2, "sync"),))
    mismatch, matched = mismatch_labels(label, 30, known=True, local=True)
    assert (mismatch[:10] == 0).all() and np.isnan(mismatch[10:]).all()
    assert matched[:10].all() and not matched[10:].any()


def test_nothing_is_claimed_of_clips_whose_agreement_is_not_known(clip: Clip) -> None:
    found = example(clip, in_sync=False)
    assert np.isnan(found["mismatch"]).all() and not found["matched"].any()


def test_unknown_labels_stay_unknown(clip: Clip) -> None:
    found = example(dataclasses.replace(clip, label=Label()))
    assert np.isnan(found["audio_fake"]).all() and np.isnan(found["face_fake"]).all() and found["class"] == -1
    assert np.isnan(ticks_labelled(None, Label(segments=(Segment(0, 1, "audio"),)), "audio", 5)).all()


def test_sound_without_a_face_and_a_face_without_sound(clip: Clip) -> None:
    heard = example(dataclasses.replace(clip, track=None, label=Label(audio_fake=True)))
    assert not heard["visible"].any() and np.isnan(heard["face_fake"]).all() and not heard["faces"].any()
    assert (heard["audio_fake"][:30] == 1).all() and not heard["matched"].any()
    silent = Clip(clip.track, None, np.zeros(30, bool), Label(visual_fake=True))
    seen = example(silent)
    assert not seen["covered"].any() and np.isnan(seen["audio_fake"]).all() and (seen["face_fake"] == 1).all()


def test_faces_are_those_that_a_record_keeps(clip: Clip) -> None:
    assert clip.track is not None
    faces = np.zeros_like(clip.track.faces)
    faces[::5] = np.arange(1, 7, dtype=np.uint8)[:, None, None, None] * 20
    sparse = dataclasses.replace(clip, track=dataclasses.replace(clip.track, faces=faces))
    found = example(sparse, faces=6)["faces"]
    assert sorted(found[:, 0, 0, 0]) == [20, 40, 60, 80, 100, 120]


def test_a_clip_too_long_is_refused(clip: Clip) -> None:
    with pytest.raises(ValueError, match="cut it first"):
        example(clip, ticks=20)


def test_labels_are_cut_with_the_clip() -> None:
    text = write_segments((Segment(1.0, 2.0, "audio"), Segment(4.0, 5.0, "visual")))
    row = {"visual_fake": "1", "audio_fake": "1", "segments": text}
    assert label_of(row, 0, 20) == Label(False, False), "both forgeries lie later"
    found = label_of(row, 40, 60)
    assert found == Label(visual_fake=False, audio_fake=True, segments=(Segment(0, 2.0 - 1.6, "audio"),))
    whole = label_of({"visual_fake": "0", "audio_fake": "1", "segments": None}, 10, 30)
    assert whole == Label(visual_fake=False, audio_fake=True), "no segments: the whole clip"
    assert label_of({"visual_fake": None, "audio_fake": ""}, 0, 5) == Label()
    assert label_of({"visual_fake": "0", "offset_ms": "-120"}, 0, 5).offset_ms == -120.0


def test_a_cut_keeps_picture_and_sound_together(clip: Clip) -> None:
    assert clip.track is not None and clip.audio is not None
    part = cut_clip(clip, 7, 19)
    assert part.track is not None and part.audio is not None and part.n_ticks == 12
    np.testing.assert_array_equal(part.track.mouths, clip.track.mouths[7:19])
    np.testing.assert_array_equal(part.audio, clip.audio[7 * 640 : 19 * 640])
