"""Which clips of a calibration's table are genuine, and whose sound they are swapped with."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.calibration_table import TableClip, sound_mates
from avdetect.data.store import RecordStore
from avdetect.types import Evidence
from avdetect.verdict import TrackEvidence

MOVED = {"segments": '[[0.0, 2.0, "sync"]]'}
LATE = {"offset_ms": "200.0", **MOVED}


class Rows(RecordStore):
    """The index alone."""

    def __init__(self, *columns: dict):
        genuine = {"source": "s", "visual_fake": "0", "audio_fake": "0"}
        self.index = [
            {**genuine, "path": f"{i}.mp4", "sound_hash": f"{i}" * 64, **more} for i, more in enumerate(columns)
        ]


@pytest.mark.parametrize("moved", [MOVED, LATE])
def test_sound_that_was_moved_is_nobodys_swap(moved: dict) -> None:
    store = Rows({}, moved, {}, {})
    mates = sound_mates(store, range(4))
    assert set(mates) == {0, 2, 3} and 1 not in mates.values()


def table_clip(*, in_sync: bool, visual_fake: bool = False) -> TableClip:
    own = TrackEvidence(0, 0, Evidence.only(5), None, None, np.ones(5, bool), None)
    return TableClip(0, "s", "", "p", "f", visual_fake, False, own, None, in_sync)


def test_a_clip_out_of_sync_is_not_taken_for_genuine() -> None:
    assert table_clip(in_sync=True).fake is False
    assert table_clip(in_sync=False).fake is None
    assert table_clip(in_sync=False, visual_fake=True).fake is True
