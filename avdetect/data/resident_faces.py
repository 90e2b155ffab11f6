"""Pictures of faces that lie in the memory of the devices (77 kB each) and are changed there; hosts draw numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from avdetect.augment.faces_device import augment_pair
from avdetect.config import Config
from avdetect.data.face_bank import Drawn
from avdetect.data.face_batches import FaceBatches
from avdetect.data.store import RecordStore
from avdetect.sharding import over_batch, put_batch, replicated


class ResidentFaces:
    """Batches as `FaceBatches` chooses them, of clips whose pictures were kept; each pair is changed alike."""

    def __init__(self, clips: list[Drawn], store: RecordStore, config: Config):
        self._seed, self._batch = config.seed, config.train.batch
        sides = [side for m in clips for side in (m.genuine, m.forged) if side is not None]
        flat = [side.reshape(-1, *side.shape[2:]) for side in sides]
        self._pictures = np.concatenate(flat) if flat else np.zeros((0, 1, 1, 3), np.uint8)
        first = iter(np.cumsum([0, *(len(x) for x in flat)]))
        self._batches = FaceBatches([_numbered(m, first) for m in clips], store, config)

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``seen`` (b): number of the picture, ``fake`` (b), and ``pair`` (b), alike for both of a pair."""
        pair = np.repeat(np.arange(self._batch // 2, dtype=np.uint32), 2) + np.uint32(step * (self._batch // 2))
        return {**self._batches(step), "pair": pair}

    def put(self, mesh: Mesh) -> Any:
        """The pictures are laid on the devices; the function from a host's draws to a batch there."""
        pictures = jax.device_put(self._pictures, replicated(mesh))
        make = jax.jit(self._make, out_shardings=over_batch(mesh))
        return lambda draws: make(pictures, put_batch(draws, mesh))

    def _make(self, pictures: jax.Array, draws: dict[str, jax.Array]) -> dict[str, jax.Array]:
        keys = jax.vmap(lambda n: jax.random.fold_in(jax.random.key(self._seed), n))(draws["pair"][::2])
        seen = pictures[draws["seen"]].astype(jnp.float32)
        changed = jax.vmap(augment_pair)(seen.reshape(-1, 2, *seen.shape[1:]), keys)
        return {"seen": changed.reshape(seen.shape), "fake": draws["fake"]}


def _numbered(clip: Drawn, first: Any) -> Drawn:
    """The same draws, with the number of each picture in its place."""

    def numbers(side: np.ndarray) -> np.ndarray:
        count = side.shape[0] * side.shape[1]
        return (next(first) + np.arange(count, dtype=np.int32)).reshape(side.shape[:2])

    genuine = None if clip.genuine is None else numbers(clip.genuine)
    return replace(clip, genuine=genuine, forged=numbers(clip.forged))
