"""Copy-synthesis by a neural codec: where its sound lies, and what happens where there is no program for it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import librosa
import numpy as np
import pytest

from avdetect.forge.contract import CannotForge, NetworkMissing
from avdetect.forge.neural_codec import FAMILY, VARIABLE, through_codec
from avdetect.testing import synthetic_speech
from avdetect.types import Clip
from tests.small_codec import install_codec

REAL = os.environ.get(VARIABLE, "")


def lag_ms(audio: np.ndarray, made: np.ndarray) -> float:
    """By how much the loudness of ``made`` comes later, to 5 ms."""
    n = len(audio) // 80 - 1

    def loudness(x: np.ndarray) -> np.ndarray:
        power = librosa.feature.rms(y=x, frame_length=640, hop_length=80)[0]
        return np.pad(power, (0, max(0, n - len(power))))[:n]

    a, b = loudness(audio), loudness(made)
    lags = range(-30, 31)
    match = [np.corrcoef(a[30:-30], b[30 + lag : n - 30 + lag])[0, 1] for lag in lags]
    return 5.0 * lags[int(np.argmax(match))]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_said_when_stays(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_codec(tmp_path, monkeypatch)
    audio = synthetic_speech(5, 100).audio
    made = through_codec(audio, np.random.default_rng(seed))
    assert made.dtype == np.float32 and abs(len(made) - len(audio)) <= 2
    assert abs(lag_ms(audio, made)) <= 5


@pytest.mark.skipif(not shutil.which(REAL), reason=f"{VARIABLE} names no program")
@pytest.mark.parametrize("seed", range(6))
def test_the_true_codec_keeps_time(seed: int) -> None:
    audio = synthetic_speech(5, 100).audio
    made = through_codec(audio, np.random.default_rng(seed))
    assert abs(len(made) - len(audio)) <= 2 and abs(lag_ms(audio, made)) <= 20
    assert np.corrcoef(audio, made[: len(audio)])[0, 1] < 0.9, "made anew, not coded as a waveform"


def test_a_forged_clip_says_so(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    install_codec(tmp_path, monkeypatch)
    made = FAMILY.forge(clip, np.random.default_rng(0), ())
    assert made.label.audio_fake is True and clip.audio is not None and made.audio is not None
    assert made.audio.shape == clip.audio.shape and not np.array_equal(made.audio, clip.audio)
    assert [s.kind for s in made.label.segments] == ["audio"]


def test_without_a_codec_the_reason_names_the_variable(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(NetworkMissing, match=VARIABLE):
        FAMILY.forge(clip, np.random.default_rng(0), ())


def test_a_program_of_another_kind_is_named(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, mode, reason in (
        ("this is no program", 0o755, "cannot be run"),
        ("#!/bin/sh\necho the wrong one >&2; exit 3", 0o755, "failed: the wrong one"),
        ("#!/bin/sh\nexit 0", 0o644, "cannot be run"),
    ):
        program = tmp_path / "other"
        program.write_text(text)
        program.chmod(mode)
        monkeypatch.setenv(VARIABLE, str(program))
        with pytest.raises(NetworkMissing, match=f"other {reason}"):
            FAMILY.forge(clip, np.random.default_rng(0), ())


def test_silence_from_the_program_is_no_voice(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mute"
    program.write_text("#!/bin/sh\ncat > /dev/null; head -c 64000 /dev/zero")
    program.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(program))
    with pytest.raises(CannotForge, match="silent"):
        FAMILY.forge(clip, np.random.default_rng(0), ())
