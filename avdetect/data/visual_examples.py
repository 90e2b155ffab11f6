"""Examples for the face CNN: genuine faces and their own self-blends, changed in the same way afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, UInt8

from avdetect.data.records import FACE_STRIDE
from avdetect.data.store import RecordStore
from avdetect.forge.self_blend import jitter_face, random_placement, self_blend

FACES_PER_CLIP = 12


@dataclass(frozen=True)
class FaceSet:
    """Face crops of one clip with their meshes and what is known of them."""

    key: str
    identity: str
    generator: str
    fake: bool
    faces: UInt8[np.ndarray, "n h w 3"]
    points: Float16[np.ndarray, "n p 3"]


def load_faces(store: RecordStore, rows: Sequence[int], *, per_clip: int = FACES_PER_CLIP) -> list[FaceSet]:
    """Face crops of the clips, at most ``per_clip`` evenly spaced ones of each."""
    sets = []
    for i in rows:
        row = store.index[i]
        record = store.read(i, pictures=("faces",))
        if record.faces is None or record.landmarks is None or record.visible is None:
            continue
        seen = np.flatnonzero(record.visible[::FACE_STRIDE])
        if len(seen) == 0:
            continue
        seen = seen[np.unique(np.linspace(0, len(seen) - 1, per_clip).round().astype(int))]
        sets.append(
            FaceSet(
                key=row["key"],
                identity=str(row.get("identity") or row["path"]),
                generator=str(row.get("generator") or ""),
                fake=str(row.get("visual_fake") or "0") == "1",
                faces=record.faces[seen],
                points=record.landmarks[::FACE_STRIDE][seen],
            )
        )
    return sets


class VisualBatches:
    """Half genuine faces, half self-blends of the very same faces, by step number."""

    def __init__(self, sets: list[FaceSet], *, batch: int, seed: int):
        people: dict[str, list[FaceSet]] = {}
        for face_set in sets:
            if not face_set.fake:
                people.setdefault(face_set.identity, []).append(face_set)
        if not people:
            raise ValueError("no genuine faces to train on; check data.train_where")
        self._people = list(people.values())
        self._batch, self._seed = batch, seed

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``faces`` uint8 and ``fake`` of one step."""
        rng = np.random.default_rng((self._seed, step))
        faces, fake = [], []
        for _ in range(self._batch // 2):
            clips = self._people[rng.integers(len(self._people))]
            clip = clips[rng.integers(len(clips))]
            i = int(rng.integers(len(clip.faces)))
            for label, face in blended_pair(clip.faces[i], clip.points[i].astype(np.float32), rng):
                faces.append(face)
                fake.append(label)
        return {"faces": np.stack(faces), "fake": np.array(fake, np.float32)}


def blended_pair(face: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> list[tuple[float, np.ndarray]]:
    """The genuine face and its self-blend, both then moved, coloured and coded in the same way."""
    blended, _ = self_blend(face, points, rng)
    flip, matrix, seed = bool(rng.random() < 0.5), random_placement(face.shape[0], rng), int(rng.integers(2**31))
    return [
        (label, jitter_face(picture, np.random.default_rng(seed), flip=flip, matrix=matrix))
        for label, picture in ((0.0, face), (1.0, blended))
    ]
