"""Training of a lips-and-sound pair by N-way matching."""

from __future__ import annotations

from typing import Any

import jax
from flax import nnx

from avdetect import losses
from avdetect.config import Config
from avdetect.data.resident_sync import ResidentSync
from avdetect.data.store import RecordStore
from avdetect.data.sync_examples import SyncBatches, load_clips, load_offsets
from avdetect.evaluation.matching import embed, evaluate_pair
from avdetect.models.sync import SyncPair

ACROSS_WEIGHT = 0.25
"""Weight of choosing the right clip of the batch beside choosing the right tick of the clip."""


def loss(pair: SyncPair, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Matching inside the clip and across the batch."""
    lips, sound, valid = embed(pair, batch)
    inside, hit = losses.matching(lips, sound, valid, scale=pair.scale)
    across = losses.matching_across(lips, sound, valid, scale=pair.scale)
    metrics = {"inside": inside, "across": across, "hit": hit, "scale": pair.scale}
    return inside + ACROSS_WEIGHT * across, metrics


class SyncTask:
    """Batches, loss and evaluation of ``sync_landmarks`` or ``sync_pixels``."""

    def __init__(self, config: Config):
        options = getattr(config.model, config.train.part)
        store = RecordStore(config.data.records)
        offsets = load_offsets(config.data.offsets)
        limit = config.data.max_clips or None
        load: Any = {"kind": options.input, "offsets": offsets}
        self._kind = options.input
        self.train = load_clips(store, store.where(config.data.train_where)[:limit], **load)
        self.val = load_clips(store, store.where(config.data.val_where)[:limit], **load)
        if not self.train:
            raise ValueError(f"no clips with face and sound match {config.data.train_where!r} in {config.data.records}")
        made: Any = ResidentSync if config.data.resident else SyncBatches
        self.batches = made(self.train, config.data, kind=self._kind, batch=config.train.batch, seed=config.seed)
        self.loss = loss
        self._forward = nnx.jit(embed)

    def describe(self) -> str:
        """How much there is to learn from."""
        people = len({c.identity for c in self.train})
        return f"{len(self.train)} clips of {people} people to train, {len(self.val)} to validate"

    def evaluate(self, pair: SyncPair) -> dict[str, float]:
        """Matching figures on the validation clips, the first 32 ticks of each."""
        return evaluate_pair(pair, self.val, self._forward)
