"""What every forgery in the register promises, whoever made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.vocoder import VARIABLE
from avdetect.types import Clip
from tests.small_codec import install_codec
from tests.small_upscaler import install_upscaler
from tests.small_vocoder import save_vocoder

CHANGES = {"picture", "sound", "timing"}


def bits_of(clip: Clip) -> dict[str, np.ndarray]:
    assert clip.track is not None and clip.audio is not None
    track = clip.track
    return {
        "faces": track.faces, "mouths": track.mouths, "landmarks": track.landmarks, "visible": track.visible,
        "audio": clip.audio, "audio_valid": clip.audio_valid,
    }  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES.builtins())
def test_contract(name: str, clip: Clip, others: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "vocoder":
        monkeypatch.setenv(VARIABLE, str(save_vocoder(tmp_path / "small.onnx")))
    if name == "neural_codec":
        install_codec(tmp_path, monkeypatch)
    if name == "upscaling":
        install_upscaler(tmp_path, monkeypatch)
    family: Family = FORGERIES.get(name)
    assert set(family.changes) <= CHANGES and family.changes and family.about
    before = {k: v.copy() for k, v in bits_of(clip).items()}
    made = []
    for seed in (3, 3):
        try:
            made.append(family.forge(clip, np.random.default_rng(seed), others))
        except CannotForge as error:
            if name == "tts":
                pytest.skip(f"no voice is installed: {error}")
            raise
    first, again = (bits_of(m) for m in made)
    label = made[0].label
    assert label == made[1].label and made[0].n_ticks == clip.n_ticks
    for key, old in before.items():
        np.testing.assert_array_equal(bits_of(clip)[key], old, err_msg=f"{key} of the input was written to")
        np.testing.assert_array_equal(first[key], again[key], err_msg=f"{key} is not repeatable")
        assert first[key].shape == old.shape and first[key].dtype == old.dtype and np.isfinite(first[key]).all()
    assert np.abs(first["audio"]).max() <= 1
    # The label tells which branches were forged, and what it calls genuine is as it was.
    looks, sounds = (any((first[k] != before[k]).any() for k in keys) for keys in (("faces", "mouths"), ("audio",)))
    assert looks or sounds
    assert looks == ("picture" in family.changes) == bool(label.visual_fake)
    if "sound" in family.changes:
        assert label.audio_fake is True and sounds
    if sounds and "sound" not in family.changes:
        assert "timing" in family.changes
    length = clip.n_ticks / 25
    assert all(0 <= s.start_s < s.end_s <= length + 1e-6 for s in label.segments)
    forged = np.zeros(clip.n_ticks, bool)
    for segment in label.segments:
        if segment.kind == "visual":
            forged[round(segment.start_s * 25) : round(segment.end_s * 25)] = True
    for key in ("faces", "mouths", "landmarks"):
        np.testing.assert_array_equal(first[key][~forged], before[key][~forged])
