"""Clips to forge: drawn speakers with everything known of their crops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avdetect.faces.align import Alignment
from avdetect.testing import synthetic_clip
from avdetect.types import Clip

N_TICKS = 50
MOUTH_CENTRE = (0.0, 0.86)
"""Where `avdetect.testing` centres its mouth crops, template units."""


def drawn(seed: int, n_ticks: int = N_TICKS, *, hidden: tuple[int, ...] = (), start_tick: int = 0) -> Clip:
    """A drawn speaker whose crops are as the tracker cuts them, not seen on the ticks ``hidden``."""
    clip = synthetic_clip(seed, n_ticks, start_tick=start_tick)
    track = clip.track
    assert track is not None
    a = Alignment()
    centre = (np.array(MOUTH_CENTRE) - a.face_centre) / a.face_side + 0.5
    visible = track.visible.copy()
    visible[list(hidden)] = False
    landmarks = np.where(visible[:, None, None], track.landmarks, 0).astype(np.float32)
    centres = np.repeat(centre[None].astype(np.float32), n_ticks, axis=0)
    return dataclasses.replace(
        clip, track=dataclasses.replace(track, landmarks=landmarks, visible=visible, mouth_centres=centres)
    )


@pytest.fixture(scope="session")
def clip() -> Clip:
    return drawn(1, hidden=(20, 21, 22))


@pytest.fixture(scope="session")
def others() -> list[Clip]:
    return [drawn(2), drawn(3, n_ticks=30)]
