"""Batches for the lips and the sound: aligned, repeatable, of few people at a time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avdetect.config import DataConfig
from avdetect.data import sync_examples
from avdetect.data.records import encode
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.data.sync_examples import SyncBatches, SyncClip, advance, load_clips, load_offsets, window
from avdetect.models.sync import CROP, N_POINTS
from avdetect.types import SAMPLES_PER_TICK


def plain_clip(i: int, *, ticks: int = 40, person: str = "p0") -> SyncClip:
    """A clip whose lips and sound both tell clip and tick."""
    number = i + np.arange(ticks) / 1000
    return SyncClip(
        key=f"c{i}",
        identity=person,
        group=f"s/{person}/16000",
        points=np.tile(number[:, None, None], (1, N_POINTS, 3)).astype(np.float32),
        mouths=np.full((ticks, 64, 64), i, np.uint8),
        audio=np.repeat(number, SAMPLES_PER_TICK).astype(np.float32),
        visible=np.ones(ticks, bool),
        covered=np.ones(ticks, bool),
    )


@pytest.mark.parametrize("late_ms", [0.0, 40.0, 130.0, -40.0, -13.0, 0.01])
def test_lateness_is_taken_out(late_ms: float) -> None:
    """A click that is heard late comes back to where it belongs, and what is not known is marked."""
    n = 12
    audio, at = np.zeros(n * SAMPLES_PER_TICK, np.float32), 3000
    audio[at + round(late_ms * 16)] = 1.0
    moved, covered = advance(audio, np.ones(n, bool), late_ms)
    assert moved.shape == audio.shape and moved.argmax() == at and moved.sum() == 1
    lost = int(np.ceil(abs(round(late_ms * 16)) / SAMPLES_PER_TICK))
    expected = np.ones(n, bool)
    if late_ms > 0:
        expected[n - lost :] = False
    else:
        expected[:lost] = False
    np.testing.assert_array_equal(covered, expected)


def test_a_window_is_filled_up_and_says_so() -> None:
    found = window(plain_clip(1, ticks=10), 4, 8, kind="landmarks")
    assert {n: len(a) for n, a in found.items()} == {"lips": 8, "audio": 8 * 640, "visible": 8, "covered": 8}
    np.testing.assert_array_equal(found["visible"], np.arange(8) < 6)
    np.testing.assert_array_equal(found["covered"], found["visible"])
    np.testing.assert_allclose(found["lips"][:6, 0, 0], found["audio"][::640][:6])
    assert not found["lips"][6:].any() and not found["audio"][6 * 640 :].any()


@pytest.fixture(scope="module")
def clips() -> list[SyncClip]:
    return [plain_clip(i, person=f"p{i // 10}") for i in range(40)]


@pytest.mark.parametrize("kind", ["landmarks", "pixels"])
def test_batches_depend_on_seed_and_step_only(clips: list[SyncClip], kind: str) -> None:
    config = DataConfig(ticks=24)
    make = [SyncBatches(clips, config, kind=kind, batch=4, seed=s) for s in (1, 1, 2)]  # type: ignore[arg-type]
    make[0](7)  # what was asked for before does not matter
    first, again, other, later = make[0](3), make[1](3), make[2](3), make[0](4)
    assert set(first) == {"lips", "audio", "visible", "covered"}
    shape = (4, 24, N_POINTS, 3) if kind == "landmarks" else (4, 24, CROP, CROP)
    assert first["lips"].shape == shape and first["audio"].shape == (4, 24 * 640)
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
    assert not np.array_equal(first["audio"], other["audio"])
    assert not np.array_equal(first["audio"], later["audio"])


def test_a_batch_holds_a_few_people_with_several_clips_each(
    clips: list[SyncClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[SyncClip] = []

    def keep(self: SyncBatches, clip: SyncClip, rng: np.random.Generator) -> dict:
        chosen.append(clip)
        return {"x": np.zeros(1)}

    monkeypatch.setattr(SyncBatches, "_example", keep)
    batches = SyncBatches(clips, DataConfig(), kind="landmarks", batch=16, seed=0)
    people = set()
    for step in range(20):
        chosen.clear()
        batches(step)
        assert len(chosen) == 16
        groups = [chosen[:8], chosen[8:]]
        for group in groups:
            assert len({c.identity for c in group}) == 1 and len({c.key for c in group}) == 8
            people.add(group[0].identity)
    assert people == {"p0", "p1", "p2", "p3"}


def test_lips_and_sound_of_an_example_stay_together(clips: list[SyncClip], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the changes of augmentation, every tick's lips and sound carry the same number."""
    monkeypatch.setattr(sync_examples.lips, "points", lambda lips, rng, mirror: lips)
    monkeypatch.setattr(sync_examples.channel, "sound", lambda audio, rng: audio)
    batches = SyncBatches(clips, DataConfig(ticks=20), kind="landmarks", batch=8, seed=0)
    for step in range(5):
        batch = batches(step)
        seen, heard = batch["lips"][:, :, 0, 0], batch["audio"].reshape(8, 20, SAMPLES_PER_TICK)
        valid = batch["visible"] & batch["covered"]
        assert valid.sum() > 100
        # Played faster or slower the numbers rise faster or slower, in both alike; sound steps once a tick.
        assert (np.abs(seen - heard.mean(axis=2))[valid] < 0.0012).all()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_record) -> RecordStore:
    folder = tmp_path_factory.mktemp("records")
    rows: list[dict] = [
        {"source": "A", "identity": "ann", "audio_rate": 48000},
        {"source": "A", "identity": "", "audio_rate": 48000, "face": False},
        {"source": "B", "audio_rate": 16000},
        {"source": "B", "sound": False},
        {"source": "B", "segments": '[[0.0, 0.2, "sync"]]'},
        {"source": "B", "offset_ms": "120.0"},
    ]
    with RecordWriter(folder) as writer:
        for i, row in enumerate(rows):
            record = make_record(i, 9, **row)
            writer.add(encode(record), record.meta)
    return RecordStore(folder)


def test_clips_with_face_and_sound_in_sync_are_loaded(store: RecordStore) -> None:
    clips = load_clips(store, range(6), kind="pixels", offsets={"A/ann/48000": 40.0})
    assert [c.key for c in clips] == ["clip0#0@0", "clip2#0@0"]
    assert [c.identity for c in clips] == ["ann", "clip2.mp4"], "the path stands for a person without a name"
    assert clips[0].mouths is not None and clips[0].mouths.shape == (9, 64, 64)
    raw = store.read(0)
    assert raw.audio is not None
    np.testing.assert_allclose(clips[0].audio[:-640], raw.audio[640:] / 32767, atol=1e-6)
    assert not clips[0].covered[-1]
    (bare,) = load_clips(store, [2], kind="landmarks")
    assert bare.mouths is None
    raw = store.read(2)
    assert raw.audio is not None
    np.testing.assert_allclose(bare.audio, raw.audio / 32767, atol=1e-6)


def test_offsets_file(tmp_path: Path) -> None:
    assert load_offsets("") == {}
    path = tmp_path / "offsets.json"
    path.write_text(json.dumps({"groups": {"A/ann/48000": 12.5}}))
    assert load_offsets(str(path)) == {"A/ann/48000": 12.5}
    for text in ("{}", "[1]", "not JSON"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"offsets\.json is not an offsets file of .*tools\.estimate_offsets"):
            load_offsets(str(path))
    with pytest.raises(FileNotFoundError, match=r"no offsets file nowhere; python -m tools\.estimate_offsets"):
        load_offsets("nowhere")
