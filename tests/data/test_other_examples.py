"""Batches for the voice and the fusion head."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from avdetect.data import audio_examples
from avdetect.data.audio_examples import AudioBatches, Voice, copies, load_voices, partner
from avdetect.data.fusion_examples import FusionBatches, Heard, shifted
from avdetect.data.records import encode
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.testing import synthetic_speech
from avdetect.types import LAGS, MAX_LAG, SAMPLES_PER_TICK


def same(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_record) -> Path:
    rows: list[dict] = [
        {"identity": "ann", "audio_fake": "0", "visual_fake": "0"},
        {"identity": "ann", "audio_fake": 1, "visual_fake": "1", "generator": "tts"},
        {"identity": "bob", "visual_fake": "0"},
        {"identity": "cy", "audio_fake": "0", "sound": False},
        {"identity": "di", "audio_fake": "0", "face": False, "path": "clip0.mp4"},
    ]
    folder = tmp_path_factory.mktemp("records")
    with RecordWriter(folder) as writer:
        for i, row in enumerate(rows):
            record = make_record(i, 33, **row)
            writer.add(encode(record), record.meta)
    return folder


@pytest.fixture(scope="module")
def store(folder: Path) -> RecordStore:
    return RecordStore(folder)


def test_voices_are_those_whose_label_is_known_and_each_file_counts_once(store: RecordStore) -> None:
    voices = load_voices(store, range(5))
    assert [(v.key, v.fake, v.system) for v in voices] == [("clip0#0@0", False, ""), ("clip1#0@0", True, "tts")]
    raw = store.read(0)
    assert raw.audio is not None and raw.speech is not None
    np.testing.assert_allclose(voices[0].audio, raw.audio / 32767, atol=1e-6)
    np.testing.assert_allclose(voices[0].speech, raw.speech / 255, atol=1e-6)


def voice(i: int, *, fake: bool = False, system: str = "", ticks: int = 40) -> Voice:
    speech = np.full(ticks, 0.9, np.float32)
    return Voice(f"s{i % 2}/{i}", f"p{i}", system, fake, synthetic_speech(i, ticks).audio, np.ones(ticks, bool), speech)


def test_copies_are_false_and_keep_the_person() -> None:
    voices = [voice(0), voice(1), voice(2, fake=True, system="tts")]
    made = copies(voices, count=5, seed=0)
    assert len(made) == 2 and {v.identity for v in made} == {"p0", "p1"}
    assert {v.system for v in made} == {"griffin_lim", "world"}, "families in turn"
    assert all(v.fake and v.pair == v.path for v in made), "beside the recording it was made of"
    for a, b in zip(made, copies(voices, count=5, seed=0), strict=True):
        np.testing.assert_array_equal(a.audio, b.audio)
    assert copies([voices[2]], count=3, seed=0) == []


def test_voice_batches_are_half_false_and_repeatable() -> None:
    voices = [voice(0), voice(1), voice(2, fake=True, system="a"), voice(3, fake=True, system="b", ticks=11)]
    batches = AudioBatches(voices, ticks=30, batch=8, seed=1)
    batch = batches(2)
    same(batch, AudioBatches(voices, ticks=30, batch=8, seed=1)(2))
    np.testing.assert_array_equal(batch["fake"], [0, 1] * 4)
    assert batch["audio"].shape == (8, 30 * SAMPLES_PER_TICK) and batch["valid"].shape == (8, 30)
    assert np.abs(batch["audio"]).max() <= 1
    for step in range(10):
        batch = batches(step)
        for audio, valid, speech, known in zip(*(batch[n] for n in ("audio", "valid", "speech", "known")), strict=True):
            n = int(valid.sum())
            assert n >= 11 and valid[:n].all(), "covered from the start, nothing in between"
            assert not audio[n * SAMPLES_PER_TICK :].any() and np.isnan(speech[n:]).all()
            assert (speech[:n] == (np.float32(0.9) if known else 0)).all()
    with pytest.raises(ValueError, match="genuine and false"):
        AudioBatches(voices[:2], ticks=30, batch=8, seed=1)


def numbered(key: str, ticks: int, *, first: int = 0, **columns) -> Voice:
    """A voice of which every sample tells the tick that it is of."""
    number = (first + np.arange(ticks)) / 2000
    sound = np.repeat(number, SAMPLES_PER_TICK).astype(np.float32)
    plain = Voice(key, "p", "", False, sound, np.ones(ticks, bool), np.full(ticks, np.nan, np.float32))
    return dataclasses.replace(plain, start_tick=first, **columns)


def test_a_copy_and_its_original_are_cut_at_the_same_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_examples, "NOISE_SHARE", 0.0)
    monkeypatch.setattr(audio_examples, "OWN_SHARE", 1.0)
    monkeypatch.setattr(audio_examples.channel, "sound", lambda audio, rng: audio)
    pieces = [numbered("d/x.mp4#0@0", 300), numbered("d/x.mp4#0@300", 300, first=300)]
    false = {"system": "world", "fake": True, "pair": "d/x.mp4"}
    made = [numbered(f"{pieces[1].key}@world", 100, first=300, **false), numbered(pieces[0].key, 90, **false)]
    batches = AudioBatches([*pieces, *made], ticks=64, batch=8, seed=0)
    starts = np.array([batches(step)["audio"][:, 0] for step in range(20)]) * 2000
    np.testing.assert_allclose(starts[:, ::2], starts[:, 1::2], atol=1e-2)
    assert starts.min() < 20 and (starts > 300).any() and starts.max() < 400


def test_the_partner_of_a_false_voice_is_the_piece_of_its_place_and_its_file() -> None:
    here = [numbered("x.mp4#0@0", 60, sha256="a"), numbered("x.mp4#0@60", 60, first=60, sha256="a")]
    there = [dataclasses.replace(v, folder=1, sha256="b") for v in here]
    false = {"system": "s", "fake": True, "pair": "x.mp4"}
    for pieces, digest, folder in ((here, "a", 0), (there, "b", 1)):
        copied = numbered("x.mp4#0@60@world", 40, first=60, folder=2, sha256=digest, **false)
        found = partner(copied, [*here, *there])
        assert found is not None and found.n_ticks == 40 and found.sha256 == digest and found.start_tick == 60
        recorded = numbered("dubbed.mp4#0@57", 40, first=57, folder=folder, sha256="c", **false)
        assert partner(recorded, [*here, *there]) is pieces[1], "of its own folder, whole, from nearly the same tick"
    assert partner(copied, []) is None


def test_files_of_one_name_in_two_folders_are_two_voices(folder: Path, tmp_path: Path, make_record) -> None:
    with RecordWriter(tmp_path) as writer:
        record = make_record(0, 20, identity="eve", audio_fake="0")
        writer.add(encode(record), record.meta)
    both = RecordStore(f"{folder},{tmp_path}")
    voices = load_voices(both, range(len(both)))
    assert [(v.key, v.folder, v.identity) for v in voices if not v.fake] == [
        ("clip0#0@0", 0, "ann"),
        ("clip0#0@0", 1, "eve"),
    ]


def heard(i: int, *, ticks: int = 60, fake: bool = False, prints: dict[str, str | None] | None = None) -> Heard:
    """Lips and sound that agree tick by tick at lag 0, each tick with a direction of its own."""
    rng = np.random.default_rng(i)
    vectors = rng.normal(size=(ticks, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    known = np.ones(ticks, bool)
    sound = {"p": vectors, "known": known, "sync_known": known, "audio": np.zeros(ticks), "speech": np.full(ticks, 3.0)}
    return Heard(
        f"k{i}",
        "src",
        f"p{i}",
        {"p": vectors, "known": known},
        sound,
        2.0 if fake else -2.0,
        -1.0,
        fake,
        False,
        prints or {},
    )


def test_sound_from_another_place_is_marked_where_it_does_not_exist() -> None:
    sound = {"known": np.ones(10, bool), "x": np.arange(10) + 1}
    for start, ticks in ((0, 4), (-20, 3), (30, 5), (7, 10)):
        out = shifted(sound, start, ticks)
        wanted = np.arange(start - MAX_LAG, start + ticks + MAX_LAG)
        inside = (wanted >= 0) & (wanted < 10)
        np.testing.assert_array_equal(out["known"], inside)
        np.testing.assert_array_equal(out["x"], np.where(inside, wanted + 1, 0))


def test_fusion_batches_say_where_lips_and_sound_agree() -> None:
    clips = [heard(i) for i in range(5)]
    batches = FusionBatches(clips, ["p"], ticks=40, batch=16, seed=0)
    same(batches(3), FusionBatches(clips, ["p"], ticks=40, batch=16, seed=0)(3))
    lags, share = set(), []
    for step in range(12):
        batch = batches(step)
        assert batch["similarity"].shape == (16, 40, len(LAGS))
        for i in range(16):
            known, target = batch["known"][i], batch["mismatch"][i].astype(bool)
            share.append(target[known.any(axis=1)].mean())
            best = np.where(known, batch["similarity"][i], -1).max(axis=1)
            where = np.where(known, batch["similarity"][i], -1).argmax(axis=1)
            matched = best > 0.9
            middle = known.sum(axis=1) > 2 * MAX_LAG  # all lags known: the true one is among them
            np.testing.assert_array_equal(matched[middle], ~target[middle])
            lags |= set(LAGS[where[matched & middle]].tolist())
    assert {-9, 0, 9} <= lags <= set(range(-9, 10)), "own sound at any constant lag is no mismatch"
    assert 0.3 < np.mean(share) < 0.7 and any(0 < s < 1 for s in share)


def test_speech_is_moved_with_the_sound() -> None:
    """Wherever the sound of the spoken half is heard, whatever was done to it, it is said to be speech."""
    spoken = np.arange(60) >= 30
    clips = [heard(i) for i in range(5)]
    for c in clips:
        c.sound.update(sync_known=spoken, speech=np.where(spoken, 20.0, -20.0))
    batches = FusionBatches(clips, ["p"], ticks=40, batch=16, seed=0)
    for step in range(4):
        batch = batches(step)
        np.testing.assert_array_equal(batch["speech"] > 0.5, batch["known"][:, :, MAX_LAG])
        assert (batch["speech"] > 0.5).any()


def test_a_clip_out_of_sync_is_no_example_of_lips_and_sound() -> None:
    clips = [heard(i) for i in range(4)]
    with pytest.raises(ValueError, match="at least four"):
        FusionBatches([*clips[:3], dataclasses.replace(clips[3], in_sync=False)], ["p"], ticks=40, batch=4, seed=0)


def test_another_version_of_the_recording_gives_no_wrong_sound() -> None:
    def targets(sounds: list[str]) -> set[float]:
        clips = [heard(i, prints={"sound_hash": s * 64}) for i, s in enumerate(sounds)]
        batches = FusionBatches(clips, ["p"], ticks=40, batch=16, seed=0)
        return {float(t) for step in range(4) for t in np.unique(batches(step)["mismatch"])}

    assert targets(["a", "a", "a", "a"]) == {0.0}, "there is no sound but the right one"
    assert targets(["a", "a", "a", "5"]) == {0.0, 1.0}


def test_classes_are_drawn_from_what_the_branches_said() -> None:
    clips = [heard(i, fake=i >= 5) for i in range(9)]
    batches = FusionBatches(clips, ["p"], ticks=40, batch=64, seed=0)
    batch = batches(0)
    visual_fake, audio_fake = batch["classes"] % 2, batch["classes"] // 2
    assert set(batch["classes"]) == {0, 1, 2, 3}
    assert batch["present"][:, :2].any(axis=1).sum() > 50
    visual = batch["logits"][:, 0]
    assert (visual[visual_fake == 1] > 0).all() and (visual[visual_fake == 0] < 0).all()
    # No clip has a false voice: that branch cannot be present for the class.
    assert not batch["present"][audio_fake == 1, 1].any() and batch["present"][audio_fake == 0, 1].any()
    assert np.isfinite(batch["logits"]).all()


def test_windows_may_be_shorter_than_the_usual_least() -> None:
    batch = FusionBatches([heard(i) for i in range(4)], ["p"], ticks=12, batch=4, seed=0)(0)
    assert batch["similarity"].shape == (4, 12, len(LAGS))


def test_too_few_genuine_clips() -> None:
    with pytest.raises(ValueError, match="at least four"):
        FusionBatches([heard(i) for i in range(3)] + [heard(5, fake=True)], ["p"], ticks=40, batch=4, seed=0)
