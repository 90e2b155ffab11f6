"""Recordings chosen by chance and length, sentences read by an engine: a manifest that can be prepared."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from avdetect.data.voice_set import Genuine, Spoken, genuine_rows, sentences, spoken_rows
from avdetect.forge.contract import CannotForge
from avdetect.forge.engines import ENGINES
from tools.voice_set import app

TEXTS = [f"This is sentence number {n}, and it is just about as long as it has to be." for n in range(6)]


@dataclass(frozen=True)
class Hummer:
    """Hums a second for each text, and refuses one of them."""

    api_version = 1

    def available(self) -> str:
        return ""

    def speak(self, text: str, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        if "number 2" in text:
            raise CannotForge("a frog in the throat")
        pitch = rng.uniform(100, 200)
        return np.sin(2 * np.pi * pitch * np.arange(22_050) / 22_050).astype(np.float32), 22_050


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for n in range(6):
        sound = 0.1 * np.random.default_rng(n).standard_normal(16_000 * (1 if n == 0 else 3))
        soundfile.write(tmp_path / f"a-{'xy'[n % 2]}-{n}.wav", sound, 16_000)
    (tmp_path / "a-x-9.wav").write_bytes(b"not a sound")
    return tmp_path


def test_recordings_are_long_enough_and_speakers_are_told_apart(recordings: Path) -> None:
    rule = Genuine("S", f"{recordings}/*.wav", "free", most=9, speaker="-([a-z])-")
    out = recordings / "out"
    rows = genuine_rows(rule, out, random.Random(0))
    assert len(rows) == 5, "one of the six is short, and one is no sound"
    assert sorted(r["identity"] for r in rows) == ["S:x"] * 2 + ["S:y"] * 3
    assert {r["audio_fake"] for r in rows} == {"0"}
    written = [soundfile.read(r["path"]) for r in rows]
    assert {len(sound) for sound, _ in written} == {48_000} and {rate for _, rate in written} == {16_000}
    original = next(
        n
        for n in range(1, 6)
        if np.allclose(soundfile.read(next(recordings.glob(f"a-?-{n}.wav")))[0], written[0][0], atol=1e-3)
    )
    assert rows[0]["identity"] == f"S:{'xy'[original % 2]}"
    assert genuine_rows(rule, out, random.Random(0)) == rows
    assert len(genuine_rows(Genuine("S", f"{recordings}/*.wav", "free", most=2), out, random.Random(0))) == 2
    with pytest.raises(ValueError, match="S: no sound of 5 s"):
        genuine_rows(Genuine("S", f"{recordings}/*.wav", "free", least_s=5.0), out, random.Random(0))


def test_no_more_than_the_beginning_is_taken_and_g722_is_read(tmp_path: Path) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 200 * np.arange(160_000) / 16_000)).astype(np.float32)
    with av.open(str(tmp_path / "a.g722"), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray((tone * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    (row,) = genuine_rows(Genuine("S", f"{tmp_path}/*.g722", ""), tmp_path / "out", random.Random(0))
    sound, rate = soundfile.read(row["path"])
    assert rate == 16_000 and len(sound) == 128_000
    assert np.corrcoef(np.abs(np.fft.rfft(sound)), np.abs(np.fft.rfft(tone[:128_000])))[0, 1] > 0.99


def test_tags_in_another_code_do_not_stop_it(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(48_000, 0.1), 16_000)
    tag = b"INFOINAM" + (4).to_bytes(4, "little") + b"\xca\xe9t\xe9"
    whole = (tmp_path / "a.wav").read_bytes() + b"LIST" + len(tag).to_bytes(4, "little") + tag
    (tmp_path / "a.wav").write_bytes(whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:])
    (row,) = genuine_rows(Genuine("S", f"{tmp_path}/*.wav", ""), tmp_path / "out", random.Random(0))
    assert len(soundfile.read(row["path"])[0]) == 48_000


def test_what_is_spoken_is_written_and_a_failure_is_told(tmp_path: Path) -> None:
    said = list(spoken_rows(Spoken("hum", 5, "own"), Hummer(), TEXTS, tmp_path, source="made", seed=1))
    assert said[2] == "hum: a frog in the throat"
    rows = [r for r in said if not isinstance(r, str)]
    assert len(said) == 5 and len(rows) == 4
    assert all((r["label"], r["generator"], r["source"], r["licence"]) == ("FA", "hum", "made", "own") for r in rows)
    for row in rows:
        sound, rate = soundfile.read(row["path"])
        assert rate == 16_000 and len(sound) == 16_000 and 0.2 < np.abs(sound).max() <= 1
    first = soundfile.read(rows[0]["path"])[0]
    next(spoken_rows(Spoken("hum", 5, "own"), Hummer(), TEXTS, tmp_path, source="made", seed=1))
    np.testing.assert_array_equal(first, soundfile.read(rows[0]["path"])[0])


def test_sentences_of_a_length_once_each(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text('say("too short") say("This one is exactly long enough for that, I think.")' * 2)
    found = sentences(f"{tmp_path}/*.lua", r'say\("([^"]*)"\)')
    assert found == ["This one is exactly long enough for that, I think."]
    with pytest.raises(ValueError, match="no sentence"):
        sentences(f"{tmp_path}/*.txt", r"(.*)")


def test_the_tool_writes_a_manifest(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (recordings / "t.lua").write_text("\n".join(f'say("{t}")' for t in TEXTS))
    config = tmp_path / "set.toml"
    config.write_text(
        f"""source = "made"
        [texts]
        files = "{recordings}/*.lua"
        pattern = 'say\\("([^"]*)"\\)'
        [[genuine]]
        source = "S {{each}}"
        each = ["x", "y"]
        files = "{recordings}/a-{{each}}-*.wav"
        licence = "free"
        [[spoken]]
        engine = "mute"
        count = 3
        [[spoken]]
        engine = "hum"
        count = 6
        """
    )
    mute = type("Mute", (Hummer,), {"available": lambda self: "it is not installed"})()
    monkeypatch.setattr(type(ENGINES), "get", lambda self, name: {"hum": Hummer(), "mute": mute}[name])
    result = CliRunner().invoke(app, [str(tmp_path / "out"), "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert "mute does not speak: it is not installed" in result.output and "frog" in result.output
    rows = list(csv.DictReader((tmp_path / "out" / "manifest.csv").open()))
    assert [r["source"] for r in rows] == ["S x"] * 2 + ["S y"] * 3 + ["made"] * 2, "what others read is left to them"
    assert all(Path(r["path"]).is_file() for r in rows)


def test_a_wrong_configuration_is_named(tmp_path: Path) -> None:
    config = tmp_path / "set.toml"
    config.write_text('[[genuine]]\nsource = "S"\nfiles = "nowhere/*.wav"\nlicence = ""\n')
    result = CliRunner().invoke(app, [str(tmp_path / "out"), "--config", str(config)])
    assert (
        result.exit_code == 2
        and "set.toml: S: no sound" in result.output
        and not (tmp_path / "out" / "manifest.csv").exists()
    )
