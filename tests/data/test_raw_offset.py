"""The offset that a clip has in its file, by the shipped pair."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avdetect.data.raw_offset import lips_and_sound, raw_offset
from avdetect.testing import synthetic_clip


@pytest.mark.slow
def test_late_sound_is_read_as_late_whatever_the_length_with_one_program() -> None:
    together, late = (raw_offset(synthetic_clip(3, 100, offset_ms=ms)) for ms in (0, 200))
    assert together["raw_offset_ms"] is not None and late["raw_offset_ms"] is not None
    assert abs(late["raw_offset_ms"] - together["raw_offset_ms"] - 200) < 30, "positive = sound is late"
    for found in (together, late):
        assert (found["raw_offset_sharpness"] or 0) > 3 and (found["raw_offset_confidence"] or 0) > 0.05
    assert raw_offset(synthetic_clip(3, 300))["raw_offset_ms"] is not None
    assert max(lips_and_sound().cache_sizes().values()) == 1 and lips_and_sound().net.visual is None


@pytest.mark.slow
def test_what_cannot_be_measured_is_empty() -> None:
    clip = synthetic_clip(3, 60)
    assert clip.track is not None
    hidden = dataclasses.replace(clip, track=dataclasses.replace(clip.track, visible=np.zeros(60, bool)))
    silent = (clip, np.zeros(60))
    for found in (
        raw_offset(synthetic_clip(3, 60, sound=False)),
        raw_offset(synthetic_clip(3, 60, face=False)),
        raw_offset(hidden),
        raw_offset(*silent),
    ):
        assert set(found.values()) == {None} and len(found) == 3
