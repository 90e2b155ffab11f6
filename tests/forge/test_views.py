"""Views, masks and labels: where a face lies in each picture, and what is said of an edit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avdetect.forge import views
from avdetect.forge.blending import between_views, grown, in_view, lay_over, slow_noise
from avdetect.forge.contract import CannotForge
from avdetect.forge.views import View
from avdetect.types import Clip, FaceTrack, Label, Segment


@dataclasses.dataclass
class Painted:
    """A plan that paints a colour."""

    track: FaceTrack
    edited: np.ndarray
    level: int
    keeps_lips: bool = False
    whole_picture: bool = False

    @property
    def landmarks(self) -> np.ndarray:
        return self.track.landmarks

    def draw(self, view: View, tick: int) -> np.ndarray:
        picture = view.pictures[tick].copy()
        if self.level >= 0:
            picture[:] = self.level
        return picture


def track_of(clip: Clip) -> FaceTrack:
    assert clip.track is not None
    return clip.track


def test_affine_maps() -> None:
    rng = np.random.default_rng(0)
    a, b, points = rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=(5, 2))
    np.testing.assert_allclose(
        views.moved(points, views.compose(a, b)), views.moved(views.moved(points, b), a), atol=1e-12
    )
    np.testing.assert_allclose(views.moved(views.moved(points, a), views.inverted(a)), points, atol=1e-9)
    np.testing.assert_allclose(between_views(np.eye(2, 3), a), np.eye(2, 3), atol=1e-12)
    assert views.pixels_per_pixel(np.array([[0, -320.0, 5], [320.0, 0, 7]])) == pytest.approx(2)


def test_places_of_the_crops(clip: Clip) -> None:
    """The middle of a crop is the middle of its pixels; both crops have nearly the same scale."""
    track = track_of(clip)
    faces, mouths = views.face_view(track), views.mouth_view(track)
    np.testing.assert_allclose(views.moved(np.array([0.5, 0.5]), faces.places[0]), 79.5)
    centre = views.mouth_centres(track)[3]
    np.testing.assert_allclose(views.moved(centre, mouths.places[3]), 31.5, atol=1e-4)
    assert views.pixels_per_pixel(mouths.places[0]) == pytest.approx(64 / (160 / 2.4), rel=1e-6)


def test_centres_that_were_not_kept_are_found_from_the_lips(clip: Clip) -> None:
    track = track_of(clip)
    found = views.mouth_centres(dataclasses.replace(track, mouth_centres=None))
    assert np.isfinite(found).all() and found.shape == (clip.n_ticks, 2)
    # 0.02 of the crop is 3 pixels; the ticks without a face take their neighbours' places.
    assert np.abs(found - views.mouth_centres(track)).max() < 0.03
    assert np.abs(np.diff(found, axis=0)).max() < 0.004
    hidden = dataclasses.replace(track, mouth_centres=None, visible=np.zeros(clip.n_ticks, bool))
    np.testing.assert_array_equal(views.mouth_centres(hidden), 0.5)


def test_an_edit_that_changes_nothing_is_refused(clip: Clip) -> None:
    with pytest.raises(CannotForge, match=r"0 of 47"):
        views.apply(clip, Painted(track_of(clip), track_of(clip).visible, -1))


def test_segments_are_the_edited_stretches(clip: Clip) -> None:
    edited = np.zeros(clip.n_ticks, bool)
    edited[5:10] = edited[30:50] = True
    start = dataclasses.replace(clip, label=Label(audio_fake=True, segments=(Segment(0, 1, "audio"),), offset_ms=80.0))
    out = views.apply(start, Painted(track_of(clip), edited, 9))
    assert out.label.audio_fake and out.label.visual_fake and out.label.offset_ms is None
    assert out.label.segments == (
        Segment(0, 1, "audio"), Segment(0.2, 0.4, "visual"), Segment(1.2, 2.0, "visual"),
        Segment(0.2, 0.4, "sync"), Segment(1.2, 2.0, "sync"),
    )  # fmt: skip
    assert (track_of(out).faces[edited] == 9).all()
    np.testing.assert_array_equal(track_of(out).faces[~edited], track_of(clip).faces[~edited])
    silent = views.apply(dataclasses.replace(start, audio=None), Painted(track_of(clip), edited, 9))
    assert {s.kind for s in silent.label.segments} == {"audio", "visual"} and silent.label.offset_ms == 80.0
    together = views.apply(start, Painted(track_of(clip), edited, 9, keeps_lips=True))
    assert {s.kind for s in together.label.segments} == {"audio", "visual"} and together.label.offset_ms == 80.0


def test_black_pictures_are_left_black(clip: Clip) -> None:
    faces = track_of(clip).faces.copy()
    faces[::2] = 0
    few = dataclasses.replace(clip, track=dataclasses.replace(track_of(clip), faces=faces))
    out = track_of(views.apply(few, Painted(track_of(few), track_of(few).visible, 7)))
    assert not out.faces[::2].any() and (out.faces[1] == 7).all() and (out.mouths[0] == 7).all()


def test_laying_over_is_exact_at_both_ends() -> None:
    rng = np.random.default_rng(1)
    below, above = rng.integers(0, 256, (2, 40, 30, 3), dtype=np.uint8)
    mask = np.zeros((40, 30), np.float32)
    mask[10:20], mask[20:30] = 1, 0.5
    out = lay_over(below, above, mask)
    np.testing.assert_array_equal(out[:10], below[:10])
    np.testing.assert_array_equal(out[10:20], above[10:20])
    middle = (below[20:30].astype(float) + above[20:30]) / 2
    assert np.abs(out[20:30] - middle).max() <= 1


def test_a_mask_lies_alike_in_both_views(clip: Clip) -> None:
    """A disc around the mouth's middle is one in the mouth crop."""
    track = track_of(clip)
    centre = views.mouth_centres(track)[0]
    mask = grown(views.moved(centre[None], views.FACE_PLACE), 20)
    assert in_view(mask, views.face_view(track), 0) is mask
    seen = in_view(mask, views.mouth_view(track), 0)
    y, x = np.mgrid[0:64, 0:64]
    assert (x[seen > 0.5].mean(), y[seen > 0.5].mean()) == pytest.approx((31.5, 31.5), abs=0.6)
    assert (seen > 0.5).sum() == pytest.approx((mask > 0.5).sum() * 0.96**2, rel=0.05)


def test_slow_noise() -> None:
    noise = slow_noise(np.random.default_rng(0), (20_000, 2), memory=0.8)
    assert noise.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(noise[1:, 0], noise[:-1, 0])[0, 1] == pytest.approx(0.8, abs=0.03)
