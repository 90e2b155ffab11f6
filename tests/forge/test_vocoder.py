"""Copy-synthesis by a neural vocoder: the spectrogram that it is given, and what happens where there is none."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest

from avdetect.forge.contract import CannotForge
from avdetect.forge.vocoder import BANDS, FAMILY, HOP, RATE, VARIABLE, WINDOW, log_mel, through_vocoder
from avdetect.testing import synthetic_speech
from avdetect.types import SAMPLE_RATE, Clip
from tests.small_vocoder import save_vocoder


@pytest.fixture(scope="module")
def vocoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vocoder(tmp_path_factory.mktemp("vocoder") / "small.onnx")


def test_the_spectrogram_is_that_of_librosa_with_mirrored_edges() -> None:
    audio = synthetic_speech(3, 50).audio
    edge = (WINDOW - HOP) // 2
    mirrored = np.pad(audio, (edge, edge + HOP), mode="reflect")
    power = {"n_fft": WINDOW, "hop_length": HOP, "center": False, "power": 1.0}
    reference = librosa.feature.melspectrogram(y=mirrored, sr=RATE, n_mels=BANDS, fmax=8000, **power)
    found = log_mel(audio)
    assert found.shape[0] == BANDS and abs(found.shape[1] - len(audio) / HOP) <= 2
    np.testing.assert_allclose(found, np.log(np.maximum(reference, 1e-5)), atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_said_when_stays(seed: int, vocoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(vocoder))
    audio = synthetic_speech(5, 100).audio
    made = through_vocoder(audio, np.random.default_rng(seed))
    assert made.dtype == np.float32 and abs(len(made) - len(audio)) < 0.05 * SAMPLE_RATE

    def loudness(x: np.ndarray) -> np.ndarray:
        return librosa.feature.rms(y=x, frame_length=1024, hop_length=160)[0][:390]

    a, b = loudness(audio), loudness(made)
    lags = range(-20, 21)
    match = [np.corrcoef(a[20:-20], b[20 + lag : len(b) - 20 + lag])[0, 1] for lag in lags]
    assert abs(lags[int(np.argmax(match))]) <= 2, "within 20 ms"


def test_a_forged_clip_says_so(vocoder: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(vocoder))
    made = FAMILY.forge(clip, np.random.default_rng(0), ())
    assert made.label.audio_fake is True and clip.audio is not None and made.audio is not None
    assert made.audio.shape == clip.audio.shape and not np.array_equal(made.audio, clip.audio)
    assert [s.kind for s in made.label.segments] == ["audio"]


def test_without_a_vocoder_the_reason_names_the_variable(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(CannotForge, match=VARIABLE):
        FAMILY.forge(clip, np.random.default_rng(0), ())


def test_a_network_of_another_kind_is_named(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no network")
    other = save_vocoder(tmp_path / "other.onnx", bands=40)
    for path, reason in ((broken, "cannot be loaded"), (other, "not a vocoder")):
        monkeypatch.setenv(VARIABLE, str(path))
        with pytest.raises(CannotForge, match=f"{path.name}.*{reason}"):
            FAMILY.forge(clip, np.random.default_rng(0), ())
