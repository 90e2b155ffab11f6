"""Genuine halves that were moved against each other are neither genuine nor forged in a score table."""

from __future__ import annotations

import numpy as np

from avdetect.evaluation.table import ScoreTable


def test_a_film_whose_sound_was_moved_is_not_counted_as_genuine() -> None:
    rows = [
        {"key": "genuine", "visual_fake": 0, "audio_fake": 0},
        {"key": "shifted", "visual_fake": 0, "audio_fake": 0, "true_offset_ms": 200.0},
        {"key": "swapped", "visual_fake": 0, "audio_fake": 0, "segments": [[0.0, 2.0, "sync"]]},
        {"key": "forged, and shifted", "visual_fake": 1, "audio_fake": 0, "true_offset_ms": 200.0},
        {"key": "partly forged", "visual_fake": 1, "audio_fake": 0, "segments": [[0.0, 1.0, "visual"]]},
        {"key": "unknown"},
    ]
    names = {name for row in rows for name in row}
    table = ScoreTable({name: [row.get(name) for row in rows] for name in names}, {})
    np.testing.assert_array_equal(table.fake(), [0.0, np.nan, np.nan, 1.0, 1.0, np.nan])
