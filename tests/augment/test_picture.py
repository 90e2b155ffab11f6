"""Pictures are made worse, frame for frame, and the mesh stays on them."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from avdetect.augment import crops, picture, recode_picture
from avdetect.augment.chain import augment_clip
from avdetect.augment.config import AugmentConfig
from avdetect.augment.corruptions import PICTURE_CORRUPTIONS, SOUND_CORRUPTIONS, corrupt_clip
from avdetect.models.sync import LIP_POINTS, mirror_order
from avdetect.testing import synthetic_clip
from avdetect.types import Clip, Label

UNKNOWN = Label()


@pytest.fixture(scope="module")
def clip() -> Clip:
    return synthetic_clip(2, 20)


@pytest.fixture(scope="module")
def faces(clip: Clip) -> np.ndarray:
    assert clip.track is not None
    return clip.track.faces


@pytest.mark.parametrize("codec", recode_picture.CODECS)
def test_a_video_codec_keeps_number_and_order(codec: str) -> None:
    pictures = np.stack([np.full((64, 64, 3), 20 * i, np.uint8) for i in range(12)])
    made = recode_picture.recode_picture(pictures, codec, 30)
    assert made.shape == pictures.shape and made.dtype == np.uint8
    np.testing.assert_allclose(made.mean(axis=(1, 2, 3)), 20.0 * np.arange(12), atol=4)


def test_odd_sides_and_unknown_codecs_are_named() -> None:
    with pytest.raises(ValueError, match="33 x 32 have an odd side"):
        recode_picture.recode_picture(np.zeros((1, 32, 33, 3), np.uint8), "h264", 20)
    with pytest.raises(ValueError, match="'av2'"):
        recode_picture.recode_picture(np.zeros((1, 32, 32, 3), np.uint8), "av2", 20)


def test_colour_does_what_its_numbers_say(faces: np.ndarray) -> None:
    plain = {"saturation": 1.0, "balance": np.ones(3), "contrast": 1.0, "brightness": 0.0}
    np.testing.assert_allclose(picture.colour(faces, **plain), faces, atol=1)
    grey = picture.colour(faces, **{**plain, "saturation": 0.0})
    expected = cv2.cvtColor(faces.reshape(-1, 160, 3), cv2.COLOR_RGB2GRAY).reshape(faces.shape[:3])
    np.testing.assert_allclose(grey, np.repeat(expected[..., None], 3, -1), atol=1)
    flat = picture.colour(faces, **{**plain, "contrast": 0.0, "brightness": 30.0})
    assert np.abs(flat.astype(int) - 158).max() <= 1
    warm = picture.colour(np.full((1, 4, 4, 3), 100, np.uint8), **{**plain, "balance": np.array([1.2, 1.0, 0.8])})
    np.testing.assert_array_equal(warm[0, 0, 0], [120, 100, 80])


def test_gamma_keeps_the_ends() -> None:
    x = np.array([[[[0, 128, 255]]]], np.uint8)
    np.testing.assert_array_equal(picture.gamma(x, 2.0)[0, 0, 0], [0, 64, 255])


def test_kernels_sum_to_one_and_are_centred() -> None:
    for kernel in (picture.gaussian_kernel(1.3), picture.motion_kernel(5, 0.7), picture.disc_kernel(1.7)):
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        y, x = np.mgrid[: len(kernel), : len(kernel)]
        assert [(kernel * a).sum() for a in (x, y)] == pytest.approx([(len(kernel) - 1) / 2] * 2, abs=1e-3)


def test_noise_has_its_strength(faces: np.ndarray) -> None:
    grey = np.full((4, 64, 64, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    assert picture.gaussian_noise(grey, 8.0, rng).std() == pytest.approx(8.0, rel=0.03)
    assert picture.photon_noise(grey, 1000.0, rng).std() == pytest.approx(255 * np.sqrt(128 / 255 / 1000), rel=0.03)
    a, b = picture.gaussian_noise(faces[:2] // 2 + 60, 8.0, rng)
    assert np.std(a.astype(int) - b.astype(int)) > 8, "new in every frame"


def marked(clip: Clip, point: int) -> Clip:
    """White crops with a black dot where the mesh point lies."""
    assert clip.track is not None
    faces = np.full_like(clip.track.faces, 255)
    at = clip.track.landmarks[:, point, :2] * 160 - 0.5
    for face, (x, y) in zip(faces, at, strict=True):
        yy, xx = np.mgrid[:160, :160]
        face[:] = (255 - 255 * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 8))[..., None]
    return dataclasses.replace(clip, track=dataclasses.replace(clip.track, faces=faces))


def found(face: np.ndarray) -> np.ndarray:
    weight = 255.0 - face[..., 0]
    weight[weight < 60] = 0
    y, x = np.mgrid[:160, :160]
    return (np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum() + 0.5) / 160


@pytest.mark.parametrize("point", [1, 13, 61])
def test_the_mesh_stays_on_the_picture(clip: Clip, point: int) -> None:
    track = marked(clip, point).track
    assert track is not None
    moved = crops.jitter(track, turn_deg=7.0, log_zoom=0.08, move=(0.03, -0.02))
    for i in (0, 7, 19):
        np.testing.assert_allclose(found(moved.faces[i]), moved.landmarks[i, point, :2], atol=0.004)
        assert np.abs(moved.landmarks[i, point, :2] - track.landmarks[i, point, :2]).max() > 0.003


def test_a_mirror_exchanges_left_and_right(clip: Clip) -> None:
    track = marked(clip, 61).track
    assert track is not None
    made = crops.mirror(track)
    np.testing.assert_allclose(found(made.faces[3]), made.landmarks[3, 291, :2], atol=0.004)
    back = crops.mirror(made)
    np.testing.assert_array_equal(back.faces, track.faces)
    np.testing.assert_allclose(back.landmarks, track.landmarks, atol=1e-6)
    lips = list(LIP_POINTS)
    np.testing.assert_allclose(
        made.landmarks[:, lips, 0], 1 - track.landmarks[:, lips][:, list(mirror_order()), 0], atol=1e-6
    )


def sparse(clip: Clip, label: Label = UNKNOWN) -> Clip:
    assert clip.track is not None
    faces = np.zeros_like(clip.track.faces)
    faces[::5] = clip.track.faces[::5]
    return dataclasses.replace(clip, track=dataclasses.replace(clip.track, faces=faces), label=label)


def test_genuine_and_forged_go_through_the_same(clip: Clip) -> None:
    """The label is not looked at: equal pixels under another label come out equal."""
    genuine = augment_clip(sparse(clip, Label(False, False)), np.random.default_rng(5), AugmentConfig())
    forged = augment_clip(sparse(clip, Label(True, True)), np.random.default_rng(5), AugmentConfig())
    assert genuine.track is not None and forged.track is not None and genuine.audio is not None
    np.testing.assert_array_equal(genuine.track.faces, forged.track.faces)
    np.testing.assert_array_equal(genuine.track.mouths, forged.track.mouths)
    np.testing.assert_array_equal(genuine.audio, forged.audio)
    assert forged.label == Label(True, True)


def test_what_is_drawn_does_not_depend_on_the_pixels(clip: Clip) -> None:
    """Another picture under the same generator gets the same framing: decisions are made before looking."""
    assert clip.track is not None
    other = dataclasses.replace(clip.track, faces=255 - clip.track.faces, mouths=255 - clip.track.mouths)
    a, b = (
        augment_clip(dataclasses.replace(clip, track=t), np.random.default_rng(8), AugmentConfig()).track
        for t in (clip.track, other)
    )
    assert a is not None and b is not None
    np.testing.assert_array_equal(a.landmarks, b.landmarks)


def test_the_chain_keeps_shapes_and_skips_black_crops(clip: Clip) -> None:
    before = sparse(clip)
    assert before.track is not None
    faces = before.track.faces.copy()
    for seed in range(8):
        made = augment_clip(before, np.random.default_rng(seed), AugmentConfig(video_codec=0.5 if seed < 3 else 0.0))
        assert made.track is not None and made.n_ticks == clip.n_ticks
        assert made.track.faces.shape == faces.shape and made.track.mouths.dtype == np.uint8
        assert not made.track.faces[np.arange(20) % 5 != 0].any() and np.isfinite(made.track.landmarks).all()
    np.testing.assert_array_equal(before.track.faces, faces, "the input is not written to")


def test_halves_that_are_missing_stay_missing(clip: Clip) -> None:
    heard = augment_clip(dataclasses.replace(clip, track=None), np.random.default_rng(0), AugmentConfig())
    seen = augment_clip(dataclasses.replace(clip, audio=None), np.random.default_rng(0), AugmentConfig())
    assert heard.track is None and heard.audio is not None and seen.audio is None and seen.track is not None


@pytest.mark.parametrize("kind", PICTURE_CORRUPTIONS)
def test_corruptions_of_the_picture_grow(clip: Clip, kind: str) -> None:
    assert clip.track is not None
    original = clip.track.faces[:4].astype(float)

    def loss(severity: int) -> float:
        made = PICTURE_CORRUPTIONS[kind](clip.track.faces[:4], severity, np.random.default_rng(1))  # type: ignore
        assert made.shape == original.shape and made.dtype == np.uint8
        return float(np.mean((made - original) ** 2))

    losses = [loss(s) for s in (1, 2, 3, 4, 5)]
    assert losses[0] > 0 and np.all(np.diff(losses) > 0), losses


def test_a_corruption_is_fixed_by_kind_severity_and_key(clip: Clip) -> None:
    a, b, c = (corrupt_clip(clip, "gaussian_noise", 3, key).track for key in ("k", "k", "other"))
    assert a is not None and b is not None and c is not None
    np.testing.assert_array_equal(a.faces, b.faces)
    assert (a.faces != c.faces).any()
    heard = corrupt_clip(clip, "noise", 2, "k")
    assert heard.track is clip.track and (heard.audio != clip.audio).any()


def test_wrong_kinds_and_severities_are_named(clip: Clip) -> None:
    assert len(PICTURE_CORRUPTIONS) == 7 and len(SOUND_CORRUPTIONS) == 6
    with pytest.raises(KeyError, match="'rain'; there are: saturation"):
        corrupt_clip(clip, "rain", 1, "k")
    with pytest.raises(ValueError, match="severity 6"):
        corrupt_clip(clip, "blur", 6, "k")
