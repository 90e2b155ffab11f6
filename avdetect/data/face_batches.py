"""Which faces stand side by side in a training of face networks: each genuine face beside a forged one."""

from __future__ import annotations

from typing import Any

import numpy as np

from avdetect.config import Config
from avdetect.data.face_bank import Drawn
from avdetect.data.mixture import weights_of
from avdetect.data.store import RecordStore

OWN_SHARE = 0.7
"""How often a recorded forgery comes beside its own original, where that is at hand."""


class FaceBatches:
    """Batches by step number: each genuine face beside a forged one.

    ``data.weights`` and ``data.balance`` are of the sources of the genuine faces.
    """

    def __init__(self, clips: list[Drawn], store: RecordStore, config: Config):
        index, data = store.index, config.data
        self._share, self._seed, self._pairs = data.recorded, config.seed, config.train.batch // 2
        self._made = _by_source([m for m in clips if m.genuine is not None], index)
        self._recorded = _by_source([m for m in clips if m.genuine is None], index)
        if not self._made:
            raise ValueError("no genuine face is left to train on; check data.train_where")
        chosen = set(store.where(data.mates))
        self._mates = {s: kept for s, ms in self._made.items() if (kept := [m for m in ms if m.row in chosen])}
        if self._recorded and not self._mates:
            raise ValueError(f"no genuine clip fits data.mates={data.mates!r}")
        self._weights = weights_of(self._made, balance=data.balance, factors=data.weights)
        own = {str(index[m.row]["path"]): m for ms in self._made.values() for m in ms}
        self._own = {m.row: own.get(str(index[m.row].get("pair") or "")) for ms in self._recorded.values() for m in ms}

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``seen`` (b f), ``fake`` (b): one face each, genuine and forged in turn."""
        rng = np.random.default_rng((self._seed, step))
        pairs = [self._recorded_pair(rng) if self._now_recorded(rng) else self._pair(rng) for _ in range(self._pairs)]
        fake = np.tile(np.array([0, 1], np.float32), self._pairs)
        return {"seen": np.stack([face for pair in pairs for face in pair]), "fake": fake}

    def _now_recorded(self, rng: np.random.Generator) -> bool:
        return bool(self._recorded) and rng.random() < self._share

    def _pair(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        source = str(rng.choice(list(self._weights), p=list(self._weights.values())))
        clip = self._made[source][rng.integers(len(self._made[source]))]
        assert clip.genuine is not None
        draw, face = rng.integers(clip.forged.shape[0]), rng.integers(clip.forged.shape[1])
        return clip.genuine[draw, face], clip.forged[draw, face]

    def _recorded_pair(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A recorded forgery, every source as often as another, beside its original or a mate."""
        forged = _any(self._recorded, rng)
        mate = self._own[forged.row]
        if mate is None or rng.random() >= OWN_SHARE:
            mate = _any(self._mates, rng)
        assert mate.genuine is not None
        return _face(mate.genuine, rng), _face(forged.forged, rng)


def _any(groups: dict[str, list[Drawn]], rng: np.random.Generator) -> Drawn:
    members = groups[list(groups)[rng.integers(len(groups))]]
    return members[rng.integers(len(members))]


def _face(draws: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return draws[rng.integers(draws.shape[0]), rng.integers(draws.shape[1])]


def _by_source(clips: list[Drawn], index: list[dict[str, Any]]) -> dict[str, list[Drawn]]:
    groups: dict[str, list[Drawn]] = {}
    for clip in clips:
        groups.setdefault(str(index[clip.row].get("source")), []).append(clip)
    return groups
