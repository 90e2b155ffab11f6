"""Speech engines: found at run time, each optional, none trusted."""

from __future__ import annotations

import dataclasses
import os
import stat
import wave
from pathlib import Path

import numpy as np
import pytest

from avdetect.forge import revoice
from avdetect.forge.contract import CannotForge
from avdetect.forge.engines import ENGINES, program
from avdetect.forge.engines.program import ProgramEngine, read_wave
from avdetect.testing import synthetic_clip
from avdetect.types import Label
from tests.fake_distributions import Site, site

__all__ = ["site"]
ENGINE = ProgramEngine("fake-speech", "ask your doctor", lambda rng, target: [str(target), str(rng.integers(1000))])
SPEAK = """
import sys, wave
text = sys.stdin.read()
with wave.open(sys.argv[1], "wb") as f:
    f.setnchannels(2); f.setsampwidth(2); f.setframerate(8000)
    tone = int(sys.argv[2]) + 2000
    n = 600 * len(text.split())
    saw = [abs(tone * (i % 40 - 20)) % 30000 for i in range(n)]
    f.writeframes(b"".join(x.to_bytes(2, "little") * 2 for x in saw))
"""

EIGHT_BITS = """
import sys, wave
with wave.open(sys.argv[1], "wb") as f:
    f.setparams((1, 1, 8000, 0, "NONE", ""))
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a program of the given Python text on the path."""

    def put(text: str) -> None:
        path = tmp_path / "bin" / "fake-speech"
        path.parent.mkdir(exist_ok=True)
        import sys

        path.write_text(f"#!{sys.executable}\n{text}")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    return put


def test_a_program_speaks(install) -> None:
    install(SPEAK)
    assert ENGINE.available() == ""
    audio, rate = ENGINE.speak("four words of text", np.random.default_rng(0))
    assert rate == 8000 and audio.shape == (2400,) and audio.dtype == np.float32 and 0 < np.abs(audio).max() <= 1


def test_speech_fills_the_clip_and_is_repeatable(install) -> None:
    install(SPEAK)
    # grain's generators are Philox ones
    a, b, c = (revoice.revoiced(80, np.random.Generator(np.random.Philox(seed)), [ENGINE]) for seed in (1, 1, 2))
    assert a.shape == (80 * 640,) and a.dtype == np.float32
    np.testing.assert_array_equal(a, b)
    assert (a != c).any() and (np.abs(a) > 0.01).mean() > 0.3


def test_a_dubbed_clip_says_so(install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(SPEAK)
    monkeypatch.setattr(revoice, "ENGINES", _only(ENGINE))
    clip = dataclasses.replace(synthetic_clip(3, 50), label=Label(False, False))
    made = revoice.forge(clip, np.random.default_rng(0))
    assert made.label.audio_fake and not made.label.visual_fake
    assert {(s.kind, s.start_s, s.end_s) for s in made.label.segments} == {("audio", 0, 2), ("sync", 0, 2)}
    assert made.track is clip.track and made.audio is not None and made.audio.shape == clip.audio.shape  # type: ignore


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; sys.exit('no such voice')", "fake-speech failed (no such voice)"),
        ("pass", "fake-speech failed (exit 0)"),
        ("import sys; open(sys.argv[1], 'w').write('not sound')", "wrote no WAV file"),
        (
            "import sys, wave\nf = wave.open(sys.argv[1], 'wb')\nf.setparams((1, 1, 8000, 0, 'NONE', ''))\nf.close()",
            "8-bit",
        ),
        ("import time; time.sleep(60)", "took longer than 0.5 s"),
    ],
)
def test_failures_name_the_program(install, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    install(text)
    monkeypatch.setattr(program, "TIMEOUT_S", 0.5 if "sleep" in text else 30.0)
    with pytest.raises(CannotForge) as raised:
        ENGINE.speak("hello", np.random.default_rng(0))
    assert said in str(raised.value)


def test_a_missing_engine_says_how_to_get_it() -> None:
    assert ENGINE.available() == "fake-speech is not installed (ask your doctor)"
    with pytest.raises(CannotForge, match="ask your doctor"):
        ENGINE.speak("hello", np.random.default_rng(0))


def test_another_engine_is_tried_where_one_fails(install) -> None:
    install(SPEAK)
    broken = ProgramEngine("fake-absent", "never", lambda rng, target: [])
    for seed in range(4):
        assert revoice.revoiced(30, np.random.default_rng(seed), [broken, ENGINE]).any()
    with pytest.raises(CannotForge, match="fake-absent is not installed"):
        revoice.revoiced(30, np.random.default_rng(0), [broken])


def test_no_engine_at_all_is_an_honest_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revoice, "ENGINES", _only(ENGINE))
    with pytest.raises(CannotForge, match="no speech engine is installed: fake-speech"):
        revoice.forge(synthetic_clip(3, 50), np.random.default_rng(0))


def test_an_engine_from_outside_speaks_and_a_broken_one_is_told_of(site: Site) -> None:
    text = "class E:\n    api_version = 1\n    def available(self): return ''\n"
    text += "    def speak(self, text, rng): pass\nE = E()"
    points = {"parrot": "avdetect_parrot:E", "dodo": "avdetect_dodo:E"}
    site.install("avdetect-parrot", {"avdetect.engines": points}, files={"avdetect_parrot.py": text})
    found = revoice.available()
    assert found["parrot"] == "" and "No module named 'avdetect_dodo'" in found["dodo"]
    assert set(found) == {*ENGINES.builtins(), "parrot", "dodo"}


@pytest.mark.parametrize("name", ENGINES.builtins())
def test_installed_engines_speak(name: str) -> None:
    engine = ENGINES.get(name)
    if reason := engine.available():
        pytest.skip(reason)
    a, b = (engine.speak(revoice.SENTENCES[0], np.random.default_rng(4)) for _ in range(2))
    assert a[1] == b[1] >= 8000 and len(a[0]) > 1.5 * a[1] and np.abs(a[0]).max() > 0.05
    np.testing.assert_array_equal(a[0], b[0])


def test_the_sentences_are_long_enough_for_a_clip_of_twenty_seconds() -> None:
    assert len(set(revoice.SENTENCES)) == len(revoice.SENTENCES) >= 12


def test_a_wave_file_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"\x00\x40" * 100)
    audio, rate = read_wave(path, "x")
    assert rate == 16000 and audio == pytest.approx(np.full(100, 0.5))


def _only(engine: ProgramEngine):
    class Fake:
        def names(self) -> list[str]:
            return [engine.program]

        def get(self, name: str) -> ProgramEngine:
            return engine

    return Fake()
