"""Records that travel: what comes out is what went in, but for what is said to be left behind."""

from __future__ import annotations

import lzma
from dataclasses import replace
from pathlib import Path

import cv2
import msgpack
import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.data.records import Record, encode
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.data.travel import STEP, pack, unpack
from avdetect.models.sync import LIP_POINTS
from avdetect.testing import synthetic_clip, synthetic_speech
from avdetect.types import SAMPLES_PER_TICK
from tools.travel import app

TICKS = (30, 55, 12)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_record) -> RecordStore:
    folder = tmp_path_factory.mktemp("records")
    with RecordWriter(folder) as writer:
        for i, ticks in enumerate(TICKS):
            record: Record = make_record(i, ticks, face=i != 2, sound=i != 1, source="s", visual_fake=None, fold=i)
            if i != 1:
                sound = (synthetic_speech(i, ticks).audio * 32767).astype(np.int16)
                record = replace(record, audio=sound, audio_valid=np.ones(ticks, bool))
            if i != 2:
                track = synthetic_clip(i, ticks).track
                assert track is not None
                record = replace(record, mouths=track.mouths, landmarks=track.landmarks.astype(np.float16))
            writer.add(encode(record), record.meta)
    return RecordStore(folder)


def test_there_and_back(store: RecordStore, tmp_path: Path) -> None:
    size = pack(store, [0, 1, 2], tmp_path / "small", pictures=True, crf=8, ticks=40, coded=False)
    assert size == sum(p.stat().st_size for p in (tmp_path / "small").iterdir())
    assert unpack(tmp_path / "small", tmp_path / "there") == 3
    there = RecordStore(tmp_path / "there")
    for i in range(3):
        old, new = store.read(i), there.read(i)
        n = min(TICKS[i], 40)
        assert new.key == old.key and new.n_ticks == n and there.index[i]["source"] == "s"
        assert "visual_fake" in there.index[i], "a column that nobody fills can be asked for there too"
        assert new.faces is None
        for name in ("visible", "audio_valid", "speech"):
            a, b = getattr(old, name), getattr(new, name)
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_array_equal(a[:n], b)
        assert (old.audio is None) == (new.audio is None)
        if old.audio is not None:
            np.testing.assert_array_equal(old.audio[: n * SAMPLES_PER_TICK], new.audio)
        if old.mouths is None or old.landmarks is None:
            assert new.mouths is None and new.landmarks is None
            continue
        assert new.mouths is not None and new.landmarks is not None
        grey = np.stack([cv2.cvtColor(m, cv2.COLOR_RGB2GRAY) for m in old.mouths[:n]])
        assert np.abs(grey.astype(float) - new.mouths[..., 0]).mean() < 2.0
        error = np.abs(old.landmarks[:n, LIP_POINTS].astype(float) - new.landmarks[:, LIP_POINTS])
        assert error.max() <= 0.51 / STEP + 2**-11, "rounded to a step, then to float16"


def test_sound_alone_and_coded(store: RecordStore, tmp_path: Path) -> None:
    pack(store, [0, 2], tmp_path / "small", pictures=False, crf=8, ticks=40, coded=True)
    assert not (tmp_path / "small" / "mouths.mp4").exists()
    unpack(tmp_path / "small", tmp_path / "there")
    old, new = store.read(0), RecordStore(tmp_path / "there").read(0)
    assert new.mouths is None and new.landmarks is None and old.audio is not None and new.audio is not None
    a, b = old.audio.astype(float), new.audio.astype(float)
    match = [np.corrcoef(a[2000:-2000], b[2000 + lag : len(b) - 2000 + lag])[0, 1] for lag in range(-40, 41)]
    assert int(np.argmax(match)) == 40 and max(match) > 0.95, "not a sample late"


def test_what_pack_did_not_write_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "clips.msgpack.xz").write_bytes(lzma.compress(msgpack.packb({"schema": "something else"})))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="something else"):
        unpack(bad, tmp_path / "there")
    assert not (tmp_path / "there" / "shards").exists()


def test_commands(store: RecordStore, tmp_path: Path) -> None:
    run = CliRunner()
    records = str(store._shards[0].parent)
    made = run.invoke(app, ["pack", records, "--out", str(tmp_path / "small"), "--where", "fold=0,1"])
    assert made.exit_code == 0 and "2 clips" in made.output
    back = run.invoke(app, ["unpack", str(tmp_path / "small"), "--out", str(tmp_path / "there")])
    assert back.exit_code == 0 and len(RecordStore(tmp_path / "there")) == 2
    for arguments in (
        ["pack", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")],
        ["pack", records, "--out", str(tmp_path / "x"), "--where", "nonsense=1"],
        ["unpack", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")],
    ):
        refused = run.invoke(app, arguments)
        assert refused.exit_code == 2 and "error:" in refused.output, arguments
