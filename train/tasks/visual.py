"""Training of the face CNN on self-blends."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect import losses, metrics
from avdetect.config import Config
from avdetect.data.store import RecordStore
from avdetect.data.visual_examples import FaceSet, VisualBatches, blended_pair, load_faces
from avdetect.models.visual import VisualNet

EVAL_BATCH = 64


def loss(net: VisualNet, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Binary cross entropy with a little label smoothing."""
    logits = net(batch["faces"].astype(jnp.float32))
    value = losses.binary(logits, batch["fake"], jnp.ones_like(logits, bool), smoothing=0.05)
    return value, {"accuracy": ((logits > 0) == (batch["fake"] > 0.5)).mean()}


class VisualTask:
    """Batches, loss and evaluation of the face CNN."""

    def __init__(self, config: Config):
        store = RecordStore(config.data.records)
        limit = config.data.max_clips or None
        self.train = load_faces(store, store.where(config.data.train_where)[:limit])
        self.val = load_faces(store, store.where(config.data.val_where)[:limit], per_clip=4)
        self.batches = VisualBatches(self.train, batch=config.train.batch, seed=config.seed)
        self.loss = loss
        self._forward = nnx.jit(lambda net, faces: net(faces.astype(jnp.float32)))

    def describe(self) -> str:
        """How much there is to learn from."""
        people = len({s.identity for s in self.train})
        faces = sum(len(s.faces) for s in self.train)
        return f"{faces} faces of {people} people to train, {len(self.val)} clips to validate"

    def evaluate(self, net: VisualNet) -> dict[str, float]:
        """AUC of self-blends of the validation faces, and of true forgeries among the validation clips if any."""
        return evaluate_visual(net, self.val, self._forward)


def clip_logits(net: VisualNet, sets: list[FaceSet], forward: Any) -> np.ndarray:
    """Mean logit of each clip's faces."""
    faces = np.concatenate([s.faces for s in sets])
    owner = np.repeat(np.arange(len(sets)), [len(s.faces) for s in sets])
    logits = all_logits(net, faces, forward)
    return np.bincount(owner, logits) / np.bincount(owner)


def all_logits(net: VisualNet, faces: np.ndarray, forward: Any) -> np.ndarray:
    """Logits of any number of faces in batches of one shape."""
    n = len(faces)
    padded = np.concatenate([faces, np.repeat(faces[-1:], -n % EVAL_BATCH, axis=0)])
    parts = [np.asarray(forward(net, padded[i : i + EVAL_BATCH])) for i in range(0, len(padded), EVAL_BATCH)]
    return np.concatenate(parts)[:n]


def evaluate_visual(net: VisualNet, sets: list[FaceSet], forward: Any) -> dict[str, float]:
    """See :meth:`VisualTask.evaluate`."""
    net.eval()
    rng = np.random.default_rng(0)
    genuine = [s for s in sets if not s.fake]
    pairs = [
        blended_pair(s.faces[i], s.points[i].astype(np.float32), rng) for s in genuine for i in range(len(s.faces))
    ]
    figures = {"val_auc_blend": float("nan")}
    if pairs:
        logits = all_logits(net, np.stack([face for pair in pairs for _, face in pair]), forward)
        figures["val_auc_blend"] = metrics.auc(logits[1::2], logits[0::2])
    forged = [s for s in sets if s.fake]
    if forged and genuine:
        figures["val_auc_forged"] = metrics.auc(clip_logits(net, forged, forward), clip_logits(net, genuine, forward))
    net.train()
    return figures
