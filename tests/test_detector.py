"""What the compiled networks say of clips: the same in pieces as whole, whatever came before, masked at the edges."""

from __future__ import annotations

import dataclasses
import itertools
import json

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from avdetect.clips import cut_track
from avdetect.data.clip_examples import mouths_around
from avdetect.detector import Detector
from avdetect.models import audio as audio_model
from avdetect.models.detector import PARTS
from avdetect.models.sync import LIP_POINTS, erode, normalise_mouths
from avdetect.sound_stream import SoundStream
from avdetect.testing import synthetic_clip
from avdetect.track_stream import TrackStream
from avdetect.types import LAGS, MAX_LAG, SAMPLES_PER_TICK, Clip, Evidence
from avdetect.visual_stream import STRIDE
from tests.small_nets import fresh_detector, small_detector, small_net

TICKS = 210
"""More than one window of the sound (192) and of the lips (128)."""


@pytest.fixture(scope="module")
def clip() -> Clip:
    """A face that is hidden for a while, with sound that is missing for a while."""
    made = synthetic_clip(3, TICKS)
    assert made.track is not None and made.audio is not None
    visible, covered = made.track.visible.copy(), made.audio_valid.copy()
    visible[60:75] = False
    covered[150:158] = False
    audio = made.audio.copy()
    audio[150 * SAMPLES_PER_TICK : 158 * SAMPLES_PER_TICK] = 0
    return dataclasses.replace(
        made, track=dataclasses.replace(made.track, visible=visible), audio=audio, audio_valid=covered
    )


@pytest.fixture(scope="module")
def whole(clip: Clip) -> Evidence:
    return small_detector().evidence(clip)


def same(a: Evidence, b: Evidence) -> None:
    """Equal to the last bit."""
    for field in dataclasses.fields(Evidence):
        x, y = getattr(a, field.name), getattr(b, field.name)
        assert (x is None) == (y is None), field.name
        if x is not None:
            np.testing.assert_array_equal(x, y, err_msg=field.name)


@pytest.mark.parametrize("seed", range(3))
def test_in_pieces_as_whole(clip: Clip, whole: Evidence, seed: int) -> None:
    assert clip.track is not None and clip.audio is not None
    rng = np.random.default_rng(seed)
    detector = small_detector()

    def cuts() -> list[int]:
        return [0, *sorted(rng.integers(0, TICKS, 6).tolist()), TICKS]

    sound, edges = SoundStream(detector), cuts()
    for a, b in itertools.pairwise(edges):
        sound.push(clip.audio[a * SAMPLES_PER_TICK : b * SAMPLES_PER_TICK], clip.audio_valid[a:b])
    sound.finish()
    stream, edges = TrackStream(detector, sound), cuts()
    for a, b in itertools.pairwise(edges):
        stream.push(cut_track(clip.track, a, b))
    same(stream.evidence(), whole)


def test_a_track_that_ended_before_the_sound_did_keeps_no_crops(clip: Clip, whole: Evidence) -> None:
    assert clip.track is not None and clip.audio is not None
    sound = SoundStream(small_detector())
    stream = TrackStream(small_detector(), sound)
    stream.push(clip.track)
    stream.finish()
    assert stream._windows is None and stream._visual is None
    sound.push(clip.audio, clip.audio_valid)
    sound.finish()
    same(stream.evidence(), whole)
    same(stream.evidence(), whole)
    assert len(stream.lips()["known"]) == TICKS


def test_similarity_is_measured_where_both_sides_are_known_and_nowhere_else(clip: Clip, whole: Evidence) -> None:
    assert clip.track is not None
    r = small_detector().sync_reach
    lips = np.asarray(erode(jnp.asarray(clip.track.visible[None]), r))[0]
    sound = np.asarray(erode(jnp.asarray(clip.audio_valid[None]), r))[0]
    expected = np.zeros((TICKS, len(LAGS)), bool)
    for i in range(TICKS):
        for j, lag in enumerate(LAGS):
            expected[i, j] = lips[i] and 0 <= i + lag < TICKS and sound[i + lag]
    np.testing.assert_array_equal(np.isfinite(whole.similarity), expected)
    assert not expected[: r + MAX_LAG, 0].any() and expected[r, MAX_LAG:].any(), "the edges are masked, not padded"
    np.testing.assert_array_equal(np.isfinite(whole.sync), expected.any(axis=1))


def test_similarity_is_the_mean_cosine_of_the_pairs(clip: Clip, whole: Evidence) -> None:
    assert clip.track is not None and clip.audio is not None
    net = small_net()
    points = clip.track.landmarks[None, :, LIP_POINTS].astype(np.float32)
    mouths = normalise_mouths(jnp.asarray(clip.track.mouths[None]))
    embed = nnx.jit(lambda pair, x: pair.embed_lips(x))
    hear = nnx.jit(lambda pair, audio, valid: pair.embed_sound(audio, valid))
    cosines = []
    for pair, lips in ((net.sync_landmarks, points), (net.sync_pixels, mouths)):
        seen = np.asarray(embed(pair, lips))[0]
        heard = np.asarray(hear(pair, clip.audio[None], clip.audio_valid[None]))[0]
        cosines.append(seen @ heard.T)
    expected = np.mean(cosines, axis=0)
    for i, j in np.argwhere(np.isfinite(whole.similarity))[::7]:
        # Embeddings are kept in half precision.
        assert whole.similarity[i, j] == pytest.approx(expected[i, i + LAGS[j]], abs=3e-3)


def test_the_voice_is_that_of_the_network_over_the_whole_sound(clip: Clip, whole: Evidence) -> None:
    assert clip.audio is not None
    net = small_net().audio
    fake, speech = nnx.jit(lambda m, a, v: m(a, v))(net, clip.audio[None], clip.audio_valid[None])
    known = np.asarray(erode(jnp.asarray(clip.audio_valid[None]), audio_model.reach(net.config)))[0]
    np.testing.assert_array_equal(np.isfinite(whole.audio), known)
    np.testing.assert_allclose(whole.audio[known], np.asarray(fake)[0][known], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(whole.speech[known], 1 / (1 + np.exp(-np.asarray(speech)[0][known])), atol=1e-3)


def test_the_face_is_looked_at_five_times_a_second_and_between_by_interpolation(clip: Clip, whole: Evidence) -> None:
    assert clip.track is not None
    looked = [i for i in range(0, TICKS, STRIDE) if clip.track.visible[i]]
    some = looked[::6]
    mouths = mouths_around(clip.track.mouths, clip.track.visible, np.array(some))
    net = nnx.jit(lambda m, x, y: m(x, y))
    logits = net(small_net().visual, clip.track.faces[some].astype(np.float32), mouths.astype(np.float32))
    np.testing.assert_allclose(whole.visual[some], logits, rtol=1e-4, atol=1e-4)
    a, b = looked[3], looked[4]
    np.testing.assert_allclose(whole.visual[a : b + 1], np.linspace(whole.visual[a], whole.visual[b], 6), atol=1e-5)
    hidden = [i for i in range(TICKS) if min(abs(i - n) for n in looked) >= STRIDE]
    assert hidden and np.isnan(whole.visual[hidden]).all()
    assert np.isfinite(whole.visual).sum() == TICKS - len(hidden)


def test_a_track_inside_a_file_hears_the_sound_around_it(clip: Clip, whole: Evidence) -> None:
    """A face that appears at tick 80 is compared with sound from before that."""
    assert clip.track is not None and clip.audio is not None
    detector, start = small_detector(), 80
    sound = SoundStream(detector)
    sound.push(clip.audio, clip.audio_valid)
    sound.finish()
    stream = TrackStream(detector, sound)
    stream.push(cut_track(clip.track, start, TICKS))
    found = stream.evidence()
    r = detector.sync_reach
    np.testing.assert_allclose(found.similarity[r:], whole.similarity[start + r :], atol=1e-3)
    assert np.isfinite(found.similarity[r, 0]), "the sound 15 ticks before the face is known"
    np.testing.assert_array_equal(found.audio, whole.audio[start:])


def test_nothing_is_compiled_twice_and_nothing_that_came_before_matters(clip: Clip, whole: Evidence) -> None:
    detector = fresh_detector()
    for other in (synthetic_clip(5, 1), synthetic_clip(6, 33), synthetic_clip(7, 20, face=False)):
        detector.evidence(other)
    same(detector.evidence(clip), whole)
    assert clip.track is not None
    detector.evidence(dataclasses.replace(clip, audio=None, audio_valid=np.zeros(TICKS, bool)))
    same(detector.evidence(clip), whole)
    sizes = detector.cache_sizes()
    assert set(sizes) == {"lips", "sound", "visual", "mismatch", "classes"}
    assert all(size <= 1 for size in sizes.values()), sizes
    assert sum(sizes.values()) == 5, "this test scored something with each of them"


def test_silence_is_measured(clip: Clip) -> None:
    assert clip.audio is not None
    found = small_detector().evidence(dataclasses.replace(clip, audio=np.zeros_like(clip.audio)))
    for field in ("similarity", "audio", "speech", "sync"):
        assert np.isfinite(getattr(found, field)).any(), field
    assert found.classes is not None and np.exp(found.classes).sum() == pytest.approx(1, rel=1e-5)


def test_a_face_without_sound(clip: Clip, whole: Evidence) -> None:
    found = small_detector().evidence(dataclasses.replace(clip, audio=None, audio_valid=np.zeros(TICKS, bool)))
    np.testing.assert_array_equal(found.visual, whole.visual)
    for field in ("audio", "sync", "speech", "similarity"):
        assert np.isnan(getattr(found, field)).all(), field
    assert found.classes is not None and found.similarity.shape == (TICKS, len(LAGS))


def test_sound_without_a_face(clip: Clip, whole: Evidence) -> None:
    found = small_detector().evidence(dataclasses.replace(clip, track=None))
    np.testing.assert_array_equal(found.audio, whole.audio)
    np.testing.assert_array_equal(found.speech, whole.speech)
    for field in ("visual", "sync", "similarity"):
        assert np.isnan(getattr(found, field)).all(), field
    assert found.classes is not None


def test_one_tick() -> None:
    found = small_detector().evidence(synthetic_clip(4, 1, sound=False))
    assert found.visual.shape == (1,) and np.isfinite(found.visual).all() and found.classes is not None
    found = small_detector().evidence(synthetic_clip(4, 1))
    assert np.isfinite(found.visual).all() and np.isnan(found.similarity).all() and np.isnan(found.sync).all()


def test_a_face_that_is_never_seen(clip: Clip) -> None:
    assert clip.track is not None
    hidden = dataclasses.replace(clip.track, visible=np.zeros(TICKS, bool))
    found = small_detector().evidence(dataclasses.replace(clip, track=hidden))
    assert np.isnan(found.visual).all() and np.isnan(found.similarity).all() and np.isnan(found.sync).all()
    assert np.isfinite(found.audio).any() and found.classes is not None


@pytest.mark.parametrize(
    "parts",
    [("visual",), ("audio",), ("sync_pixels",), ("fusion",), ("sync_landmarks", "fusion"), ("visual", "audio")],
    ids="+".join,
)
def test_a_detector_without_some_parts(parts: tuple[str, ...], clip: Clip, whole: Evidence) -> None:
    detector = small_detector(*parts)
    found = detector.evidence(clip)
    if "visual" in parts:
        np.testing.assert_array_equal(found.visual, whole.visual)
    else:
        assert np.isnan(found.visual).all()
    if "audio" in parts:
        np.testing.assert_allclose(found.audio, whole.audio, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(found.speech, whole.speech, atol=1e-3)
    else:
        assert np.isnan(found.audio).all() and np.isnan(found.speech).all()
    has_pair = any(p.startswith("sync") for p in parts)
    assert np.isfinite(found.similarity).any() == has_pair
    assert np.isfinite(found.sync).any() == (has_pair and "fusion" in parts)
    assert found.classes is None
    report = detector.score(clip)
    assert report.verdict in ("real", "fake", "inconclusive")


def test_a_detector_of_nothing_knows_nothing(clip: Clip) -> None:
    from avdetect.calibration import Calibration
    from avdetect.config import ModelConfig
    from avdetect.models.detector import DetectorNet

    detector = Detector(DetectorNet(ModelConfig()), Calibration(), card={})
    for one in (clip, dataclasses.replace(clip, track=None)):
        found = detector.evidence(one)
        assert found.classes is None
        for field in ("visual", "audio", "sync", "similarity", "speech"):
            assert np.isnan(getattr(found, field)).all(), field
        assert detector.score(one).verdict == "inconclusive"


def test_a_report_on_a_clip_is_strict_json_and_repeatable(clip: Clip) -> None:
    detector = small_detector()
    assert set(detector.net.parts()) == set(PARTS)
    first, again = detector.score(clip), detector.score(clip)
    text = first.to_json()
    assert text == again.to_json()
    parsed = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert parsed["model"]["name"] == "small" and len(parsed["tracks"]) == 1


def test_where_a_clip_lies_in_its_file_does_not_matter(clip: Clip, whole: Evidence) -> None:
    assert clip.track is not None
    moved = dataclasses.replace(clip, track=dataclasses.replace(clip.track, start_tick=1000))
    same(small_detector().evidence(moved), whole)
