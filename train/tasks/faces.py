"""Training of a face network from faces that are drawn once: minutes for the first run, seconds for the next to begin.

A texture network learns from their measures, one over pictures from the pictures, changed anew each time they are seen.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect import losses, metrics
from avdetect.config import Config, LiteConfig, TextureConfig
from avdetect.data.face_bank import Measures, Pictures, drawn_clips
from avdetect.data.face_batches import FaceBatches
from avdetect.data.resident_faces import ResidentFaces
from avdetect.data.store import RecordStore
from avdetect.models.texture import measure

AT_ONCE = 64
"""Faces that are judged together in an evaluation."""


def judged(net: Any, seen: jax.Array) -> jax.Array:
    """Logits of measures ``[b f]`` or of pictures ``[b h w 3]``."""
    seen = seen.astype(jnp.float32)
    return net.judge(seen) if seen.ndim == 2 else net(seen, None)


def loss(net: Any, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Cross entropy of every face."""
    fake = batch["fake"]
    value = losses.binary(judged(net, batch["seen"]), fake, jnp.ones(fake.shape, bool), smoothing=0.05)
    return value, {"visual": value}


class FaceTask:
    """Batches, loss and evaluation of the visual part, where it is a texture network or one over pictures alone.

    Raises:
        ValueError: it is another, or there is nothing to train on.
    """

    def __init__(self, config: Config):
        options, data = config.model.visual, config.data
        if not isinstance(options, (TextureConfig, LiteConfig)):
            raise ValueError(
                "train.part=visual is for model.visual_encoder=texture or lite; train others with train.part=all"
            )
        store = RecordStore(data.records, cache=data.cache)
        limit = data.max_clips or None
        rows = [[i for i in store.where(w)[:limit] if str(store.index[i].get("visual_fake") or "") in ("0", "1")]
                for w in (data.train_where, data.val_where)]  # fmt: skip
        pictures = isinstance(options, LiteConfig)
        keep = Pictures() if pictures else Measures(jax.jit(measure))
        self.train, self.val = (drawn_clips(store, r, config, keep) for r in rows)
        self.batches = (ResidentFaces if pictures else FaceBatches)(self.train, store, config)
        self.loss = loss
        self._judge = nnx.jit(judged)

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
        flat = np.concatenate([d.reshape(-1, *d.shape[2:]) for d in draws])
        padded = np.concatenate([flat, np.repeat(flat[:1], -len(flat) % AT_ONCE, axis=0)])
        logits = [np.asarray(self._judge(net, jnp.asarray(part))) for part in np.split(padded, len(padded) // AT_ONCE)]
        ends = np.cumsum([d.shape[0] * d.shape[1] for d in draws])
        return np.array([part.mean() for part in np.split(np.concatenate(logits)[: len(flat)], ends[:-1])])
