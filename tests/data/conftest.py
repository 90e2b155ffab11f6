"""Records to put into stores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from avdetect.data.records import FACE_STRIDE, Record
from avdetect.types import SAMPLES_PER_TICK


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    """``make_record(seed, ticks, face=, sound=, speech=, **meta)``: a record of noise."""

    def make(
        seed: int = 0, ticks: int = 7, *, face: bool = True, sound: bool = True, speech: bool = True, **meta: object
    ) -> Record:
        rng = np.random.default_rng(seed)
        n_faces = -(-ticks // FACE_STRIDE)
        return Record(
            key=f"clip{seed}#0@0",
            meta={"key": f"clip{seed}#0@0", "path": f"clip{seed}.mp4", "track_id": 0, "start_tick": 0, **meta},
            landmarks=rng.normal(0.5, 0.2, (ticks, 468, 3)).astype(np.float16) if face else None,
            visible=rng.random(ticks) < 0.8 if face else None,
            mouths=rng.integers(0, 256, (ticks, 64, 64, 3)).astype(np.uint8) if face else None,
            faces=rng.integers(0, 256, (n_faces, 160, 160, 3)).astype(np.uint8) if face else None,
            audio=rng.integers(-32767, 32768, ticks * SAMPLES_PER_TICK).astype(np.int16) if sound else None,
            audio_valid=rng.random(ticks) < 0.8 if sound else np.zeros(ticks, bool),
            speech=rng.integers(0, 256, ticks).astype(np.uint8) if speech else None,
            quality=rng.normal(size=(ticks, 6)).astype(np.float16) if face else None,
        )

    return make
