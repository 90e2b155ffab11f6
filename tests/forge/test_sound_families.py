"""Forgeries of the sound: what was done is what the label says, and nothing else happened."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.signal import correlate

from avdetect.features.logmel import log_mel
from avdetect.forge import sound_swap, splice, timing, voice_change, world
from avdetect.forge.contract import CannotForge
from avdetect.forge.copy_synthesis import griffin_lim
from avdetect.forge.voice import faded_in, matched
from avdetect.testing import synthetic_clip
from avdetect.types import SAMPLES_PER_TICK, Clip, Label, Segment

GENUINE = Label(visual_fake=False, audio_fake=False)
TICKS = 100


@pytest.fixture(scope="module")
def talk() -> Clip:
    """Four seconds, long enough for every family."""
    return dataclasses.replace(synthetic_clip(6, TICKS), label=GENUINE)


@pytest.fixture(scope="module")
def stranger() -> Clip:
    return dataclasses.replace(synthetic_clip(9, 60), label=GENUINE)


def sound(clip: Clip) -> np.ndarray:
    assert clip.audio is not None
    return clip.audio


def lag(made: np.ndarray, original: np.ndarray) -> int:
    """Samples by which ``made`` is late."""
    return int(np.argmax(correlate(made, original, method="fft"))) - (len(original) - 1)


@pytest.mark.parametrize("seed", range(6))
def test_a_shift_is_found_again_with_its_sign(talk: Clip, seed: int) -> None:
    made = timing.shift(talk, np.random.default_rng(seed))
    offset = made.label.offset_ms
    assert offset is not None and 80 <= abs(offset) <= 600
    assert lag(sound(made), sound(talk)) == pytest.approx(offset * 16, abs=1), "positive = the sound is late"
    assert not made.label.audio_fake and not made.label.visual_fake
    lost = int(np.ceil(abs(offset) / 40))
    assert (~made.audio_valid).sum() == lost and made.audio_valid[:: -1 if offset > 0 else 1][: TICKS - lost].all()
    uncovered = sound(made).reshape(TICKS, -1)[~made.audio_valid]
    assert not uncovered[:-1].any() if offset > 0 else not uncovered[1:].any()


def test_gaps_of_the_sound_move_with_it(talk: Clip) -> None:
    valid = np.ones(TICKS, bool)
    valid[50] = False
    made = timing.shift(dataclasses.replace(talk, audio_valid=valid), np.random.default_rng(1))
    assert made.label.offset_ms is not None
    late = made.label.offset_ms / 40
    holes = np.flatnonzero(~made.audio_valid)
    inner = holes[(holes > 16) & (holes < TICKS - 16)]
    assert set(inner) == {int(np.floor(50 + late)), int(np.ceil(50 + late))}


@pytest.mark.parametrize("seed", range(5))
def test_a_drift_has_the_slope_that_its_segment_tells(talk: Clip, seed: int) -> None:
    made = timing.drift(talk, np.random.default_rng(seed))
    (segment,) = made.label.segments[:1]
    assert segment.kind == "sync" and made.label.offset_ms is None
    late = []
    for start in range(0, TICKS - 25, 25):  # one second at a time, searched for within +-0.4 s
        a, b = start * SAMPLES_PER_TICK, (start + 25) * SAMPLES_PER_TICK
        piece = sound(made)[a:b]
        before = np.pad(sound(talk), 6400)[a : b + 12800]
        found = correlate(before, piece, mode="valid", method="fft")
        late.append(6400 - int(np.argmax(found)))
    slope = np.polyfit(np.arange(len(late)), late, 1)[0]
    assert abs(slope) > 160, "more than 10 ms a second over four seconds, as two ticks by the end need"
    # Where it says that lips and sound are together, they are: within a tick and the width of a window.
    away = [abs(x) / SAMPLES_PER_TICK for x in late]
    inside = [any(s.start_s <= t + 0.5 < s.end_s for s in made.label.segments) for t in range(len(late))]
    assert all(x > 0.5 if flag else x < 2.0 for x, flag in zip(away, inside, strict=True)), (away, inside)


@pytest.mark.parametrize("seed", range(4))
def test_a_stretch_leaves_the_rest_alone(talk: Clip, seed: int) -> None:
    made = timing.stretch(talk, np.random.default_rng(seed))
    (segment,) = made.label.segments
    a, b = (round(x * 25) * SAMPLES_PER_TICK for x in (segment.start_s, segment.end_s))
    np.testing.assert_array_equal(sound(made)[:a], sound(talk)[:a])
    np.testing.assert_array_equal(sound(made)[b:], sound(talk)[b:])
    assert (sound(made)[a:b] != sound(talk)[a:b]).mean() > 0.5


def test_a_swap_brings_the_other_sound_at_the_same_level(talk: Clip, stranger: Clip) -> None:
    made = sound_swap.swap_other(talk, np.random.default_rng(0), [stranger])
    level = [np.sqrt(np.mean(np.square(sound(c)))) for c in (made, talk)]
    assert level[0] == pytest.approx(level[1], rel=0.01) or np.abs(sound(made)).max() == pytest.approx(1)
    period = sound(made)[: 20 * SAMPLES_PER_TICK]
    similar = np.abs(correlate(np.tile(sound(stranger), 2), period, mode="valid", method="fft")).max()
    energy = np.linalg.norm(period)
    assert similar > 0.2 * energy**2, "it is the stranger's sound"
    assert made.label.segments == (Segment(0.0, 4.0, "sync"),) and made.label.audio_fake is False


def test_without_another_clip_the_sound_is_of_another_time(talk: Clip) -> None:
    made = sound_swap.swap_same(talk, np.random.default_rng(3))

    def share(n: int) -> float:
        return float(np.isclose(np.roll(sound(talk), n * SAMPLES_PER_TICK), sound(made), rtol=0.02, atol=1e-4).mean())

    away = max(range(TICKS), key=share)
    assert share(away) > 0.97, "but for the seam"
    assert 37 <= away <= TICKS - 37
    with pytest.raises(CannotForge, match="shorter than 3 s"):
        sound_swap.swap_same(dataclasses.replace(synthetic_clip(1, 50), label=GENUINE), np.random.default_rng(0))


def test_a_swap_takes_no_false_voice_and_not_the_same_recording(talk: Clip, stranger: Clip) -> None:
    false = dataclasses.replace(stranger, label=Label(visual_fake=False, audio_fake=True))
    for others in ([], [false]):
        with pytest.raises(CannotForge, match="no other clip has a genuine sound"):
            sound_swap.swap_other(talk, np.random.default_rng(0), others)
    for seed in range(5):
        made = sound_swap.swap_same(talk, np.random.default_rng(seed), [talk])
        assert np.abs(np.corrcoef(sound(made), sound(talk))[0, 1]) < 0.9


@pytest.mark.parametrize("ticks", [50, 100, 250])
def test_every_drift_is_more_than_a_tick_somewhere(ticks: int) -> None:
    quiet = Clip(
        None, np.random.default_rng(0).uniform(-0.1, 0.1, ticks * 640).astype(np.float32), np.ones(ticks, bool)
    )
    for seed in range(60):
        assert timing.drift(quiet, np.random.default_rng(seed)).label.segments


def test_gaps_of_the_sound_drift_with_it(talk: Clip) -> None:
    valid = np.ones(TICKS, bool)
    valid[10] = valid[90] = False
    made = timing.drift(dataclasses.replace(talk, audio_valid=valid), np.random.default_rng(11))
    holes = np.flatnonzero(~made.audio_valid)
    assert set(holes) != {10, 90} and len(holes) >= 2


@pytest.mark.parametrize("remake", [griffin_lim, world.through_world], ids=["griffin_lim", "world"])
def test_a_voice_made_anew_keeps_words_and_time(talk: Clip, remake) -> None:
    """The spectrogram is alike at lag zero; the waveform is not."""
    made = matched(remake(sound(talk), np.random.default_rng(2)), sound(talk))
    mel = [np.asarray(log_mel(x[None]))[0] for x in (made, sound(talk))]
    scores = {n: np.corrcoef(np.roll(mel[0], n, axis=0).ravel(), mel[1].ravel())[0, 1] for n in range(-8, 9)}
    assert scores[0] > 0.75 and abs(max(scores, key=scores.get)) <= 1, scores  # type: ignore[arg-type]
    assert np.corrcoef(made, sound(talk))[0, 1] < 0.95


@pytest.mark.parametrize("factor", [0.75, 1.4])
def test_a_changed_voice_has_the_pitch_asked_for(talk: Clip, factor: float) -> None:
    made = voice_change.changed(sound(talk), pitch=factor, formants=1.0)
    pitches = []
    for audio in (made, sound(talk)):
        pitch = world.analyse(audio).pitch
        pitches.append(np.median(pitch[pitch > 0]))
    assert pitches[0] / pitches[1] == pytest.approx(factor, rel=0.06)


def test_formants_move_without_the_pitch(talk: Clip) -> None:
    made = voice_change.changed(sound(talk), pitch=1.0, formants=1.25)
    a, b = (world.analyse(x) for x in (made, sound(talk)))
    assert np.median(a.pitch[a.pitch > 0]) == pytest.approx(np.median(b.pitch[b.pitch > 0]), rel=0.05)
    centroid = [float((p.envelope.mean(0) * np.arange(513)).sum() / p.envelope.mean(0).sum()) for p in (a, b)]
    assert centroid[0] > 1.05 * centroid[1]


@pytest.mark.parametrize("seed", range(4))
def test_a_splice_is_true_to_the_bit(talk: Clip, stranger: Clip, seed: int) -> None:
    made = splice.voice(talk, np.random.default_rng(seed))
    marked = np.zeros(TICKS, bool)
    for s in made.label.segments:
        assert s.kind == "audio" and 0.4 <= round(s.end_s - s.start_s, 6) <= 3.0 and s.end_s <= 4.0
        piece = slice(round(s.start_s * 25), round(s.end_s * 25))
        assert not marked[piece].any(), "stretches do not overlap"
        marked[piece] = True
    same = (sound(made) == sound(talk)).reshape(TICKS, -1)
    assert same[~marked].all() and made.label.audio_fake and not marked.all()
    loud = np.abs(sound(talk)).reshape(TICKS, -1).max(axis=1) > 0.02
    assert (~same[marked & loud]).mean() > 0.9


def test_both_forges_picture_and_sound_in_the_same_places(talk: Clip, stranger: Clip) -> None:
    made = splice.both(talk, np.random.default_rng(2), [stranger])
    assert made.label.visual_fake and made.label.audio_fake
    places = {
        kind: {(s.start_s, s.end_s) for s in made.label.segments if s.kind == kind} for kind in ("audio", "visual")
    }
    ticks = {kind: {t for a, b in found for t in range(round(a * 25), round(b * 25))} for kind, found in places.items()}
    assert ticks["visual"] and ticks["visual"] <= ticks["audio"]


def test_a_fade_is_inside_and_smooth() -> None:
    original, made = np.zeros(4000, np.float32), np.ones(4000, np.float32)
    out = faded_in(original, made, 1000, 2000)
    assert not out[:1001].any() and not out[1999:].any() and out[1200:1800].all()
    assert np.abs(np.diff(out)).max() < 0.01
    assert faded_in(original, made, 0, 4000).all(), "no fade at the ends of the clip"


@pytest.mark.parametrize(
    ("forge", "said"),
    [(timing.shift, "silent"), (timing.drift, "silent"), (splice.voice, "silent"), (sound_swap.swap_same, "silent")],
)
def test_silence_cannot_be_forged(talk: Clip, forge, said: str) -> None:
    with pytest.raises(CannotForge, match=said):
        forge(dataclasses.replace(talk, audio=np.zeros_like(sound(talk))), np.random.default_rng(0))
    with pytest.raises(CannotForge, match="no sound"):
        forge(dataclasses.replace(talk, audio=None), np.random.default_rng(0))


def test_what_is_made_stays_in_range() -> None:
    loud = np.sign(np.sin(np.arange(16000) / 20)).astype(np.float32)
    spiky = np.zeros(15000, np.float32)
    spiky[::500] = 1
    made = matched(spiky, loud)
    assert made.shape == loud.shape and np.abs(made).max() <= 1
    with pytest.raises(CannotForge):
        matched(np.full(16000, np.nan, np.float32), loud)
