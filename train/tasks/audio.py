"""Training of the voice network: false or genuine, and speech or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect import losses, metrics
from avdetect.config import Config
from avdetect.data.audio_examples import FAMILIES, AudioBatches, Voice, copies, load_voices
from avdetect.data.store import RecordStore
from avdetect.models.registry import reach_of
from avdetect.models.sync import erode
from avdetect.types import SAMPLES_PER_TICK
from train.step import Loss

COPIES_PER_GENUINE = 0.15
SPEECH_WEIGHT = 0.3
EVAL_TICKS = 100
EVAL_BATCH = 16


def make_loss(reach: int) -> Loss:
    """Cross entropy of both heads at every tick that has its context and, for the class, speech.

    Args:
        reach: ticks before and after a tick that the encoder needs, see `avdetect.api.AudioEncoder`.
    """

    def loss(net: Any, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
        fake, speech = net(batch["audio"], batch["valid"])
        inside = erode(batch["valid"], reach)
        talking = jnp.nan_to_num(batch["speech"], nan=1.0) > 0.5
        target = jnp.broadcast_to(batch["fake"][:, None], fake.shape)
        of_class = losses.binary(fake, target, inside & talking & batch["known"][:, None], smoothing=0.05)
        known = inside & jnp.isfinite(batch["speech"])
        of_speech = losses.binary(speech, jnp.nan_to_num(batch["speech"]), known)
        return of_class + SPEECH_WEIGHT * of_speech, {"class": of_class, "speech": of_speech}

    return loss


class AudioTask:
    """Batches, loss and evaluation of the voice network."""

    def __init__(self, config: Config):
        self._reach = reach_of(config.model, "audio")  # of whatever encoder the configuration names
        store = RecordStore(config.data.records)
        limit = config.data.max_clips or None
        train = load_voices(store, store.where(config.data.train_where)[:limit])
        val = load_voices(store, store.where(config.data.val_where)[:limit])
        self.train = train + copies(train, count=round(COPIES_PER_GENUINE * len(train)), seed=config.seed)
        self.val = val + copies(val, count=round(COPIES_PER_GENUINE * len(val)), seed=config.seed + 1)
        drawn = {"ticks": config.data.ticks, "batch": config.train.batch, "weights": config.data.weights}
        self.batches = AudioBatches(self.train, seed=config.seed, **drawn)
        self.loss = make_loss(self._reach)
        self._forward = nnx.jit(lambda net, audio, valid: net(audio, valid))

    def describe(self) -> str:
        """How much there is to learn from."""
        systems = sorted({v.system for v in self.train if v.fake})
        return f"{len(self.train)} voices ({', '.join(systems)}) to train, {len(self.val)} to validate"

    def evaluate(self, net: nnx.Module) -> dict[str, float]:
        """AUC over the validation voices, and how well speech is told from none."""
        return evaluate_audio(net, self.val, self._forward, self._reach)


def voice_logits(
    net: nnx.Module, voices: Sequence[Voice], forward: Any, reach: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Mean logit over the speech of the first four seconds of each voice, and its speech logits per tick."""
    means, speeches = [], []
    for start in range(0, len(voices), EVAL_BATCH):
        part = voices[start : start + EVAL_BATCH]
        audio = np.zeros((EVAL_BATCH, EVAL_TICKS * SAMPLES_PER_TICK), np.float32)
        valid = np.zeros((EVAL_BATCH, EVAL_TICKS), bool)
        for i, v in enumerate(part):
            n = min(EVAL_TICKS, v.n_ticks)
            audio[i, : n * SAMPLES_PER_TICK] = v.audio[: n * SAMPLES_PER_TICK]
            valid[i, :n] = v.valid[:n]
        fake, speech = map(np.asarray, forward(net, audio, valid))
        inside = np.asarray(erode(jnp.asarray(valid), reach))
        for i in range(len(part)):
            talking = inside[i] & (speech[i] > 0)
            use = talking if talking.any() else inside[i]
            means.append(fake[i][use].mean() if use.any() else np.nan)
            speeches.append(np.where(inside[i], speech[i], np.nan))
    return np.array(means), speeches


def evaluate_audio(net: nnx.Module, voices: list[Voice], forward: Any, reach: int) -> dict[str, float]:
    """See :meth:`AudioTask.evaluate`."""
    net.eval()
    means, speeches = voice_logits(net, voices, forward, reach)
    net.train()
    good = np.isfinite(means)
    copied = np.array([v.system in FAMILIES for v in voices], bool)
    fake = np.array([v.fake for v in voices], bool)
    figures = {
        "val_auc_copies": metrics.auc(means[good & copied], means[good & ~fake]),
        "val_auc_systems": metrics.auc(means[good & fake & ~copied], means[good & ~fake]),
    }
    yes, no = [np.zeros(0)], [np.zeros(0)]
    for v, s in zip(voices, speeches, strict=True):
        n = min(EVAL_TICKS, v.n_ticks)
        known = np.isfinite(v.speech[:n]) & np.isfinite(s[:n])
        yes.append(s[:n][known & (v.speech[:n] > 0.7)])
        no.append(s[:n][known & (v.speech[:n] < 0.3)])
    figures["val_auc_speech"] = metrics.auc(np.concatenate(yes), np.concatenate(no))
    return figures
