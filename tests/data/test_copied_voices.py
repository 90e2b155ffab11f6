"""False voices made of the genuine ones of records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.data.audio_examples import load_voices
from avdetect.data.copied_voices import copied
from avdetect.data.records import encode
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.vocoder import VARIABLE
from tools.copy_voices import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_record) -> Path:
    out = tmp_path_factory.mktemp("records")
    with RecordWriter(out) as writer:
        for i in range(6):
            meta = {"source": "ab"[i % 2], "identity": f"p{i}", "audio_fake": "0", "visual_fake": "0", "label": "RVRA"}
            record = make_record(i, 60, split="train", fold=i, sound=i != 4, path=f"clip{i}", **meta)
            writer.add(encode(record), record.meta)
    return out


def test_at_most_so_many_of_a_source(folder: Path) -> None:
    store = RecordStore(folder)
    rows = store.sample("audio_fake=0", most=2, seed=1)
    assert len(rows) == 4 and [store.index[i]["source"] for i in rows].count("a") == 2
    assert rows == store.sample("audio_fake=0", most=2, seed=1) == sorted(rows)
    assert store.sample("fold=3", most=2, seed=1) == [3]


def test_copies_are_false_voices_beside_their_originals(folder: Path, tmp_path: Path) -> None:
    arguments = [str(folder), "--out", str(tmp_path / "made"), "--family", "griffin_lim", "--seconds", "1"]
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code == 0 and "5 of 6 voices" in run.output, run.output
    made = RecordStore(tmp_path / "made")
    assert made.rejected == 1, "the one without sound"
    both = RecordStore(f"{folder},{tmp_path / 'made'}")
    voices = load_voices(both, range(len(both)))
    false = {v.pair: v for v in voices if v.fake}
    true = {v.path: v for v in voices if not v.fake}
    assert len(false) == 5 and false.keys() <= true.keys()
    for path, voice in false.items():
        assert voice.system == "griffin_lim" and voice.identity == true[path].identity and voice.n_ticks == 25
        assert not np.array_equal(voice.audio, true[path].audio[: len(voice.audio)])
        np.testing.assert_array_equal(voice.speech, true[path].speech[:25])
    again = CliRunner().invoke(app, [*arguments[:2], str(tmp_path / "again"), *arguments[3:]])
    assert again.exit_code == 0
    for i in range(5):
        np.testing.assert_array_equal(made.read(i).audio, RecordStore(tmp_path / "again").read(i).audio)


def test_what_cannot_be_made_is_said(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    for family, reason in (
        ("vocoder", VARIABLE),
        ("nothing_like_it", "nothing_like_it"),
        ("shift", "shift changes the timing and leaves the voice genuine"),
        ("mouth_freeze", "changes the picture and timing and leaves the voice genuine"),
    ):
        run = CliRunner().invoke(app, [str(folder), "--out", str(tmp_path / family), "--family", family])
        assert run.exit_code == 2 and reason in run.output
        assert not (tmp_path / family / "shards").exists()


def test_what_leaves_the_voice_genuine_is_no_copy(folder: Path) -> None:
    still = Family(lambda clip, rng, others=(): clip, changes=("sound",), about="", api_version=1)
    with pytest.raises(CannotForge, match="no false voice"):
        copied(RecordStore(folder).read(0), still, name="still", seconds=1, seed=0)


def test_a_damaged_shard_ends_it_in_words(tmp_path: Path, make_record) -> None:
    with RecordWriter(tmp_path) as writer:
        record = make_record(0, 30, audio_fake="0")
        writer.add(encode(record), record.meta)
    shard = tmp_path / "shards" / "00000.array_record"
    shard.write_bytes(shard.read_bytes()[:5000])
    run = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path / "made"), "--family", "world"])
    assert run.exit_code == 2 and "clip0#0@0 cannot be read" in run.output
    assert not (tmp_path / "made" / "shards").exists()
