"""What a detector may still be given is there; what it may not is let go."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from avdetect.clips import cut_track
from avdetect.detectors.buffers import SoundBuffer, TrackBuffer
from avdetect.testing import synthetic_clip
from avdetect.types import SAMPLES_PER_TICK


def test_sound_is_taken_across_blocks_and_zeros_are_marked() -> None:
    clip, sound = synthetic_clip(0, 40, face=False), SoundBuffer()
    assert clip.audio is not None
    valid = np.ones(40, bool)
    valid[12] = False
    for low, high in itertools.pairwise((0, 7, 20, 40)):
        sound.push(low, clip.audio[low * SAMPLES_PER_TICK : high * SAMPLES_PER_TICK], valid[low:high])
    audio, covered = sound.take(5, 45)
    np.testing.assert_array_equal(audio[: 35 * SAMPLES_PER_TICK], clip.audio[5 * SAMPLES_PER_TICK :])
    assert not audio[35 * SAMPLES_PER_TICK :].any()
    np.testing.assert_array_equal(covered, [*valid[5:], *[False] * 5])
    sound.drop(20)
    np.testing.assert_array_equal(sound.take(20, 40)[0], clip.audio[20 * SAMPLES_PER_TICK :])
    with pytest.raises(ValueError, match="tick 19 was dropped"):
        sound.take(19, 40)


def test_a_track_keeps_its_clock_and_drops_whole_pieces() -> None:
    clip, buffer = synthetic_clip(0, 30, start_tick=100), TrackBuffer()
    assert clip.track is not None
    for low, high in itertools.pairwise((0, 8, 20, 30)):
        buffer.push(cut_track(clip.track, low, high))
        buffer.drop(min(low, 9))
    part = buffer.take(9, 25)
    assert part.start_tick == 109 and part.n_ticks == 16
    np.testing.assert_array_equal(part.faces, clip.track.faces[9:25])
    np.testing.assert_array_equal(part.quality.light, clip.track.quality.light[9:25])
    assert len(buffer._pieces) == 2, "the first piece is gone"
