"""Examples for the face CNN: genuine faces and their own self-blends, and what true forgeries there are.

Everything goes through the same changes of place, colour, size and code afterwards. True forgeries are few and come
from few sources, so the greater part of a batch are self-blends, and each forgery has a genuine face beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, UInt8

from avdetect.data.records import FACE_STRIDE
from avdetect.data.store import RecordStore
from avdetect.forge.self_blend import jitter_face, random_placement, self_blend

FACES_PER_CLIP = 12
FORGED_SHARE = 0.4
"""Share of the pairs of a batch that are a true forgery and an unrelated genuine face."""


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
    """Half genuine faces, half self-blends of the very same faces or true forgeries, by step number."""

    def __init__(self, sets: list[FaceSet], *, batch: int, seed: int):
        people: dict[str, list[FaceSet]] = {}
        for face_set in sets:
            if not face_set.fake:
                people.setdefault(face_set.identity, []).append(face_set)
        if not people:
            raise ValueError("no genuine faces to train on; check data.train_where")
        self._people = list(people.values())
        forged: dict[str, list[FaceSet]] = {}
        for face_set in sets:
            if face_set.fake:
                forged.setdefault(face_set.generator, []).append(face_set)
        self._forged = list(forged.values())
        self._batch, self._seed = batch, seed

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``faces`` uint8 and ``fake`` of one step."""
        rng = np.random.default_rng((self._seed, step))
        pairs = self._batch // 2
        unpaired = round(pairs * FORGED_SHARE) if self._forged else 0
        examples: list[tuple[float, np.ndarray]] = []
        for _ in range(pairs - unpaired):
            face, points = _draw(self._people, rng)
            examples += blended_pair(face, points, rng)
        for _ in range(unpaired):
            for label, groups in ((0.0, self._people), (1.0, self._forged)):
                face, _ = _draw(groups, rng)
                placement = random_placement(face.shape[0], rng)
                examples.append((label, jitter_face(face, rng, flip=bool(rng.random() < 0.5), matrix=placement)))
        labels, faces = zip(*examples, strict=True)
        return {"faces": np.stack(faces), "fake": np.array(labels, np.float32)}


def _draw(groups: list[list[FaceSet]], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A face and its mesh: groups equally often, then clips, then faces."""
    group = groups[rng.integers(len(groups))]
    clip = group[rng.integers(len(group))]
    i = int(rng.integers(len(clip.faces)))
    return clip.faces[i], clip.points[i].astype(np.float32)


def blended_pair(face: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> list[tuple[float, np.ndarray]]:
    """The genuine face and its self-blend, both then moved, coloured and coded in the same way."""
    blended, _ = self_blend(face, points, rng)
    flip, matrix, seed = bool(rng.random() < 0.5), random_placement(face.shape[0], rng), int(rng.integers(2**31))
    return [
        (label, jitter_face(picture, np.random.default_rng(seed), flip=flip, matrix=matrix))
        for label, picture in ((0.0, face), (1.0, blended))
    ]
