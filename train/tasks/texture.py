"""Training of a texture network from measures that are taken once: minutes for the first run, seconds for the next."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect import losses, metrics
from avdetect.config import Config, TextureConfig
from avdetect.data.mixture import weights_of
from avdetect.data.store import RecordStore
from avdetect.data.texture_bank import Measured, measured_clips
from avdetect.models.texture import TextureNet, measure

OWN_SHARE = 0.7
"""How often a recorded forgery comes beside its own original, where that is at hand."""


def loss(net: TextureNet, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Cross entropy of every face."""
    seen, fake = batch["seen"].astype(jnp.float32), batch["fake"]
    value = losses.binary(net.judge(seen), fake, jnp.ones(fake.shape, bool), smoothing=0.05)
    return value, {"visual": value}


class TextureTask:
    """Batches, loss and evaluation of the visual part, where it is a texture network.

    Raises:
        ValueError: it is another, or there is nothing to train on.
    """

    def __init__(self, config: Config):
        if config.model.visual_encoder != "texture" or not isinstance(config.model.visual, TextureConfig):
            raise ValueError("train.part=visual is for model.visual_encoder=texture; train others with train.part=all")
        data = config.data
        store = RecordStore(data.records, cache=data.cache)
        limit = data.max_clips or None
        rows = [[i for i in store.where(w)[:limit] if str(store.index[i].get("visual_fake") or "") in ("0", "1")]
                for w in (data.train_where, data.val_where)]  # fmt: skip
        taken = jax.jit(measure)
        self.train, self.val = (measured_clips(store, r, config, taken) for r in rows)
        self.batches = FaceBatches(self.train, store, config)
        self.loss = loss
        self._judge = nnx.jit(lambda net, seen: net.judge(seen))

    def describe(self) -> str:
        """How much there is to learn from."""
        recorded = [m for m in self.train if m.genuine is None]
        return f"{len(self.train) - len(recorded)} genuine and {len(recorded)} forged clips to train"

    def evaluate(self, net: Any) -> dict[str, float]:
        """AUC of forged faces made here against their originals' and of recorded ones against all genuine ones."""
        net.eval()
        made = [m for m in self.val if m.genuine is not None]
        found = {
            "genuine": self._mean(net, [m.genuine for m in made]),
            "made": self._mean(net, [m.forged for m in made]),
            "recorded": self._mean(net, [m.forged for m in self.val if m.genuine is None]),
        }
        net.train()
        return {f"val_auc_{k}": metrics.auc(found[k], found["genuine"]) for k in ("made", "recorded")}

    def _mean(self, net: Any, draws: list[Any]) -> np.ndarray:
        """A logit a clip."""
        if not draws:
            return np.zeros(0)
        flat = np.concatenate([d.reshape(-1, d.shape[-1]) for d in draws]).astype(np.float32)
        logits = np.asarray(self._judge(net, flat))
        ends = np.cumsum([d.shape[0] * d.shape[1] for d in draws])
        return np.array([part.mean() for part in np.split(logits, ends[:-1])])


class FaceBatches:
    """Batches by step number: each genuine face beside a forged one."""

    def __init__(self, clips: list[Measured], store: RecordStore, config: Config):
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
        self._weights = weights_of(self._made, balance=data.balance)
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


def _any(groups: dict[str, list[Measured]], rng: np.random.Generator) -> Measured:
    members = groups[list(groups)[rng.integers(len(groups))]]
    return members[rng.integers(len(members))]


def _face(draws: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return draws[rng.integers(draws.shape[0]), rng.integers(draws.shape[1])]


def _by_source(clips: list[Measured], index: list[dict[str, Any]]) -> dict[str, list[Measured]]:
    groups: dict[str, list[Measured]] = {}
    for clip in clips:
        groups.setdefault(str(index[clip.row].get("source")), []).append(clip)
    return groups
