"""Records of talking puppets (`avdetect.forge.puppets`)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from avdetect.data.records import Record
from avdetect.forge.films import key_rng, read_film
from avdetect.forge.puppets import make_puppet
from avdetect.media.write import write_clip
from avdetect.types import TICK_RATE

SOURCE = "puppets"


def portrait_mesh(path: Path) -> Float32[np.ndarray, "468 3"]:
    """Mesh points of the face in a picture, units of the face crop.

    Raises:
        ValueError: it is no picture, or no face is found in it.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} cannot be read as a picture; give a JPEG or PNG")
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "portrait.mp4"
        frames = np.repeat(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)[None], 2 * TICK_RATE, axis=0)
        write_clip(frames, np.zeros(2 * TICK_RATE * 640, np.float32), film)
        track = read_film(film, 2.0, keep_frames=False).clip.track
    if track is None or not track.visible.any():
        raise ValueError(f"no face is found in {path}")
    return np.median(track.landmarks[track.visible], axis=0).astype(np.float32)


def puppet_record(
    meshes: Sequence[Float32[np.ndarray, "468 3"]], number: int, *, person: int, seconds: float, seed: int
) -> Record:
    """The record of one puppet; equal arguments give equal records.

    Args:
        meshes: portraits.
        number: of the puppet.
        person: whom it counts as.
        seconds: longest duration.
        seed: of everything random.

    Raises:
        CannotForge: see `avdetect.forge.puppets.make_puppet`.
    """
    puppet = make_puppet(meshes, key_rng("puppet", seed, person, number), seconds=seconds)
    t = len(puppet.landmarks)
    key = f"puppet{number:05d}"
    meta = {
        "key": key, "path": key, "source": SOURCE, "identity": f"puppet{person:03d}", "label": "FVFA",
        "visual_fake": "1", "audio_fake": "1", "generator": "puppet", "split": "train", "fold": person % 10,
        "track_id": 0, "start_tick": 0, "ticks": t, "duration_s": t / TICK_RATE,
    }  # fmt: skip
    return Record(
        key=key,
        meta=meta,
        landmarks=puppet.landmarks.astype(np.float16),
        visible=np.ones(t, bool),
        mouths=None,
        faces=None,
        audio=np.round(np.clip(puppet.audio, -1, 1) * 32767).astype(np.int16),
        audio_valid=np.ones(t, bool),
        speech=None,
        quality=None,
    )
