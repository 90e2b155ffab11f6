"""Training of the fusion head on what the frozen parts say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from flax import nnx

from avdetect import losses, metrics
from avdetect.bundle import assemble_net, read_stand_in
from avdetect.calibration import Calibration
from avdetect.config import Config
from avdetect.data.fusion_examples import FusionBatches, Heard, listen
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.models.fusion import FusionHead

CLASS_WEIGHT = 0.3


def loss(head: FusionHead, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Mismatch per tick and the four-way class."""
    logits = head.mismatch(batch["similarity"], batch["known"], batch["speech"])
    of_sync = losses.binary(logits, batch["mismatch"], batch["known"].any(axis=-1), smoothing=0.02)
    of_class = losses.four_way(head.classes(batch["logits"], batch["present"]), batch["classes"])
    return of_sync + CLASS_WEIGHT * of_class, {"mismatch": of_sync, "class": of_class}


def _stand_in(rule: str, frozen: Sequence[str], store: RecordStore) -> tuple[Detector, set[int]]:
    """Of ``train.heard_by``: the frozen parts with some replaced, and the rows that they hear."""
    where, own = read_stand_in(rule, option="train.heard_by")
    names = {p.stem for folder in own for p in folder.glob("*.safetensors")}
    kept = [Path(f) for f in frozen if not names & {p.stem for p in Path(f).glob("*.safetensors")}]
    return Detector(assemble_net([*own, *kept]), Calibration(), card={}), set(store.where(where))


class FusionTask:
    """Batches, loss and evaluation of the fusion head."""

    def __init__(self, config: Config):
        if not config.train.frozen:
            raise ValueError("the fusion head listens to trained parts: set train.frozen to their folders")
        store = RecordStore(config.data.records)
        limit = config.data.max_clips or None
        frozen = Detector(assemble_net([Path(f) for f in config.train.frozen]), Calibration(), card={})
        others = [_stand_in(rule, config.train.frozen, store) for rule in config.train.heard_by]

        def heard(where: str) -> list[Heard]:
            rows = store.where(where)[:limit]
            found = []
            for detector, theirs in [*others, (frozen, set(rows))]:
                found += listen(detector, store, [i for i in rows if i in theirs])
                rows = [i for i in rows if i not in theirs]
            return found

        self.train, self.val = heard(config.data.train_where), heard(config.data.val_where)
        common = {"ticks": config.data.ticks, "batch": config.train.batch}
        self.batches = FusionBatches(self.train, frozen.pairs, seed=config.seed, **common)
        self._val_batches = FusionBatches(self.val, frozen.pairs, seed=config.seed + 1, **common) if self.val else None
        self.loss = loss
        self._forward = nnx.jit(lambda head, s, known, speech: head.mismatch(s, known, speech))

    def describe(self) -> str:
        """How much there is to learn from."""
        return f"{len(self.train)} clips to train, {len(self.val)} to validate"

    def evaluate(self, head: FusionHead) -> dict[str, float]:
        """AUC and calibration of the mismatch per window of validation clips; nothing where there are none."""
        if self._val_batches is None:
            return {}
        head.eval()
        scores, labels = [], []
        for step in range(8):
            batch = self._val_batches(step)
            logits = np.asarray(self._forward(head, batch["similarity"], batch["known"], batch["speech"]))
            for i in range(len(logits)):
                known = batch["known"][i].any(axis=-1)
                target = batch["mismatch"][i][known]
                if len(target) and target.min() == target.max():
                    scores.append(logits[i][known].mean())
                    labels.append(target[0])
        head.train()
        score, label = np.array(scores), np.array(labels)
        probability = 1 / (1 + np.exp(-score))
        return {
            "val_auc_mismatch": metrics.auc(score[label == 1], score[label == 0]),
            "val_ece_mismatch": metrics.expected_calibration_error(probability, label),
        }
