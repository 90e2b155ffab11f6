"""Training of everything at once: one batch of clips, forged on the fly, one loss over all parts that the model has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grain
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect import losses, metrics
from avdetect.augment import device
from avdetect.augment.config import AugmentConfig
from avdetect.config import Config, LossConfig
from avdetect.data.clip_draw import ClipDraw
from avdetect.data.mixture import Example, batches, mixture, weights_of
from avdetect.data.store import RecordStore
from avdetect.models.detector import DetectorNet
from avdetect.models.fusion import lag_similarity
from avdetect.models.registry import reach_of
from avdetect.models.sync import SyncPair, erode, normalise_grey
from avdetect.models.sync import reach as sync_reach
from train.step import Loss

EVAL_BATCH = 32
VAL_SEED = 20_000


def make_loss(weights: LossConfig, drop: float, augment: AugmentConfig | None = None) -> Loss:
    """The loss of the whole net on batches of `avdetect.data.clip_examples.arrays_of`.

    The fusion head hears the other parts but does not push them: their logits and similarities are taken as they are.

    Args:
        weights: of its terms.
        drop: share of examples whose picture, and as many whose sound, the four-way head is not told about.
        augment: what is done on the device; nothing by default.
    """

    def loss(net: DetectorNet, batch: Mapping[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
        batch, cover = _on_device(batch, augment)
        found = forward(net, batch, cover=cover)
        terms: dict[str, tuple[float, jax.Array]] = {}
        shown: dict[str, jax.Array] = {}
        for name, (lips, sound, valid) in found["pairs"].items():
            matched = valid & batch["matched"]
            scale = getattr(net, name).scale
            inside, hit = losses.matching(lips, sound, matched, scale=scale)
            terms[f"{name}_inside"] = weights.sync, inside
            terms[f"{name}_across"] = (
                weights.sync * weights.across,
                losses.matching_across(lips, sound, matched, scale=scale),
            )
            shown[f"{name}_hit"] = hit
        smooth = weights.smoothing
        if "visual" in found:
            known = jnp.isfinite(batch["face_fake"])
            value = losses.binary(found["visual"], jnp.nan_to_num(batch["face_fake"]), known, smoothing=smooth)
            terms["visual"] = weights.visual, value
        if "audio" in found:
            inside = found["audio_inside"]
            talking = jnp.nan_to_num(batch["speech"], nan=1.0) > 0.5
            known = inside & talking & jnp.isfinite(batch["audio_fake"])
            value = losses.binary(found["audio"], jnp.nan_to_num(batch["audio_fake"]), known, smoothing=smooth)
            terms["audio"] = weights.audio, value
            known = inside & jnp.isfinite(batch["speech"])
            terms["speech"] = weights.speech, losses.binary(found["speech"], jnp.nan_to_num(batch["speech"]), known)
        if "mismatch" in found:
            known = found["mismatch_known"] & jnp.isfinite(batch["mismatch"])
            value = losses.binary(found["mismatch"], jnp.nan_to_num(batch["mismatch"]), known, smoothing=smooth / 2)
            terms["mismatch"] = weights.mismatch, value
        if "logits" in found:
            keep = found["present"] & _kept(batch, drop)
            use = (batch["class"] >= 0) & keep.any(axis=1)
            log_p = net.fusion.classes(jnp.where(keep, found["logits"], 0.0), keep)  # type: ignore[union-attr]
            terms["class"] = weights.classes, losses.four_way(log_p, batch["class"], use)
        total = sum((w * value for w, value in terms.values() if w), start=jnp.zeros(()))
        return total, {name: value for name, (w, value) in terms.items() if w} | shown

    return loss


def _kept(batch: Mapping[str, jax.Array], drop: float) -> jax.Array:
    """Which of picture, sound and their agreement the four-way head is told about; drawn with the example."""
    picture, sound = batch["drop"][:, 0] >= drop, batch["drop"][:, 1] >= drop
    return jnp.stack([picture, sound, picture & sound], axis=1)


Cover = tuple[jax.Array, float]


def _on_device(
    batch: Mapping[str, jax.Array], augment: AugmentConfig | None
) -> tuple[Mapping[str, jax.Array], Cover | None]:
    """The batch degraded on the device, and what of spectrograms is covered; by a number drawn with the batch."""
    if augment is None:
        return batch, None
    # Drawn with the first example: the same on every host and after resuming.
    seed = jax.lax.bitcast_convert_type(batch["drop"][0, 0], jnp.uint32)
    of_cover, of_faces, of_sound = jax.random.split(jax.random.key(seed), 3)
    if augment.device:
        faces = batch["faces"].reshape(-1, *batch["faces"].shape[2:]).astype(jnp.float32)
        made = device.augment_pictures(faces, of_faces).reshape(batch["faces"].shape)
        seen = batch["faces"].any(axis=(2, 3, 4), keepdims=True)
        sound = device.augment_sound(batch["audio"], of_sound)
        batch = {**batch, "faces": jnp.where(seen, made, 0.0), "audio": sound}
    return batch, (of_cover, augment.spectrum) if augment.spectrum else None


def forward(net: DetectorNet, batch: Mapping[str, jax.Array], *, cover: Cover | None = None) -> dict[str, Any]:
    """All that the parts say of a batch; keys are missing where the net lacks the part. ``cover``: see `AudioNet`.

    Returns:
        ``pairs``: embeddings of lips and sound and where they have their context, by name of the pair. ``visual``
        (b n), ``audio``, ``speech``, ``audio_inside``, ``similarity`` (b t k) with ``similarity_known``, ``mismatch``,
        ``mismatch_known`` (b t), ``logits`` and ``present`` (b 3).
    """
    out: dict[str, Any] = {"pairs": {}}
    for name in ("sync_landmarks", "sync_pixels"):
        pair: SyncPair | None = getattr(net, name)
        if pair is not None:
            lips = normalise_grey(batch["mouths"].astype(jnp.float32)) if name == "sync_pixels" else batch["points"]
            valid = erode(batch["visible"] & batch["covered"], sync_reach(pair.config))
            out["pairs"][name] = pair.embed_lips(lips), pair.embed_sound(batch["audio"], batch["covered"]), valid
    b, n = batch["face_fake"].shape
    if net.visual is not None:
        faces = batch["faces"].reshape(b * n, *batch["faces"].shape[2:])
        mouths = batch["face_mouths"].reshape(b * n, *batch["face_mouths"].shape[2:])
        out["visual"] = net.visual(faces.astype(jnp.float32), mouths.astype(jnp.float32)).reshape(b, n)
    if net.audio is not None:
        out["audio"], out["speech"] = net.audio(batch["audio"], batch["covered"], cover=cover)
        out["audio_inside"] = erode(batch["covered"], reach_of(net.config, "audio"))
    if net.fusion is not None:
        out |= _fused(net, batch, out)
    return out


def _fused(net: DetectorNet, batch: Mapping[str, jax.Array], found: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    b, ticks = batch["visible"].shape
    zero, never = jnp.zeros(b), jnp.zeros(b, bool)
    assert net.fusion is not None
    visual = audio = agreement = (zero, never)
    if "visual" in found:
        seen = batch["faces"][:, :, ::8, ::8].any(axis=(2, 3, 4))
        visual = _mean(jax.lax.stop_gradient(found["visual"]), seen)
    speech = jnp.zeros((b, ticks))
    if "audio" in found:
        speech = jnp.where(found["audio_inside"], jax.nn.sigmoid(jax.lax.stop_gradient(found["speech"])), 0.0)
        audio = _mean(jax.lax.stop_gradient(found["audio"]), found["audio_inside"] & (speech > 0.5))
    if found["pairs"]:
        pairs = [lag_similarity(lips, sound, valid) for lips, sound, valid in found["pairs"].values()]
        known = jnp.stack([k for _, k in pairs]).all(axis=0)
        similarity = jax.lax.stop_gradient(jnp.where(known, sum(s for s, _ in pairs) / len(pairs), 0.0))
        out["similarity"], out["similarity_known"] = similarity, known
        out["mismatch"] = net.fusion.mismatch(similarity, known, speech)
        out["mismatch_known"] = known.any(axis=-1)
        agreement = _mean(jax.lax.stop_gradient(out["mismatch"]), out["mismatch_known"])
    branches = (visual, audio, agreement)
    out["logits"] = jnp.stack([value for value, _ in branches], axis=1)
    out["present"] = jnp.stack([there for _, there in branches], axis=1)
    return out


def _mean(values: jax.Array, use: jax.Array) -> tuple[jax.Array, jax.Array]:
    count = use.sum(axis=1)
    return jnp.where(use, values, 0.0).sum(axis=1) / jnp.maximum(count, 1), count > 0


class ClipTask:
    """Pipeline, loss and evaluation of the whole net."""

    def __init__(self, config: Config):
        self._config = config
        store = RecordStore(config.data.records)
        limit = config.data.max_clips or None
        self._train = store.where(config.data.train_where)[:limit]
        self._val = store.where(config.data.val_where)[:limit]
        self._index = store.index
        if not self._train:
            raise ValueError(f"no clips match {config.data.train_where!r} in {config.data.records}")
        self._groups = _by_group(self._index, self._train)
        self._weights = weights_of(self._groups, balance=config.data.balance, factors=config.data.weights)
        self._draw = ClipDraw(config.data, config.augment, self._train)
        self.loss = make_loss(config.loss, config.data.drop, config.augment)
        self._examples: list[Example] | None = None
        self._forward = nnx.jit(_figures)

    def model(self, net: DetectorNet) -> nnx.Module:
        """The net itself."""
        return net

    def pipeline(self, *, process_index: int = 0, process_count: int = 1) -> grain.IterDataset:
        """This process's share of every batch."""
        data = self._config.data
        return batches(
            mixture(self._groups, self._weights, seed=self._config.seed),
            _WithDrop(self._draw),
            batch=self._config.train.batch,
            seed=self._config.seed + 1,
            group=self._draw.examples,
            process_index=process_index,
            process_count=process_count,
            threads=data.threads,
            workers=data.workers,
            pool=data.pool,
        )

    def describe(self) -> str:
        """How much there is to learn from."""
        shares = ", ".join(f"{name} {share:.0%}" for name, share in sorted(self._weights.items()))
        return f"{len(self._train)} clips to train ({shares}), {len(self._val)} to validate"

    def evaluate(self, net: DetectorNet) -> dict[str, float]:
        """Figures on fixed examples of the validation clips, forged and degraded as in training."""
        if not self._val:
            return {}
        if self._examples is None:
            self._examples = self._fixed_examples()
        net.eval()
        found = [jax.device_get(self._forward(net, jax.device_put(batch))) for batch in self._examples]
        net.train()
        joined = {name: np.concatenate([f[name] for f in found]) for name in found[0]}
        labels = {name: np.concatenate([b[name] for b in self._examples]) for name in ("face_fake", "audio_fake")}
        labels |= {name: np.concatenate([b[name] for b in self._examples]) for name in ("mismatch", "class", "speech")}
        return clip_figures(joined, labels)

    def _fixed_examples(self) -> list[Example]:
        """Drawn once: the same for every evaluation of every run with this seed and data."""
        groups = _by_group(self._index, self._val)
        weights = weights_of(groups, balance=self._config.data.balance)
        draw = _WithDrop(ClipDraw(self._config.data, self._config.augment, self._val))
        data = mixture(groups, weights, seed=VAL_SEED)
        size = -(-self._config.data.val_examples // EVAL_BATCH) * EVAL_BATCH
        group = draw.examples
        stream = batches(data, draw, batch=-(-EVAL_BATCH // group) * group, seed=VAL_SEED + 1, group=group)
        iterator = iter(stream)
        return [next(iterator) for _ in range(size // EVAL_BATCH)]


class _WithDrop:
    """Two uniform numbers on every example, for dropping branches: part of the data, so that every host draws alike."""

    def __init__(self, draw: ClipDraw):
        self._draw, self.examples = draw, draw.examples

    def __call__(self, row: int, rng: np.random.Generator) -> Example:
        example = self._draw(row, rng)
        count = len(next(iter(example.values())))
        return {**example, "drop": rng.random((count, 2)).astype(np.float32)}


def _by_group(index: list[dict[str, Any]], rows: list[int]) -> dict[str, list[int]]:
    """Rows by ``source/label``."""
    groups: dict[str, list[int]] = {}
    for i in rows:
        groups.setdefault(f"{index[i].get('source') or ''}/{index[i].get('label') or ''}", []).append(i)
    return groups


def _figures(net: DetectorNet, batch: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    """What figures are made of, NaN where there is nothing to say."""
    found = forward(net, batch)
    out: dict[str, jax.Array] = {}
    if "visual" in found:
        out["visual"] = found["visual"]
    if "audio" in found:
        use = found["audio_inside"] & (found["speech"] > 0)
        out["audio"] = jnp.where(use, found["audio"], jnp.nan)
        out["speech"] = jnp.where(found["audio_inside"], found["speech"], jnp.nan)
    if "mismatch" in found:
        out["mismatch"] = jnp.where(found["mismatch_known"], found["mismatch"], jnp.nan)
    if "logits" in found and net.fusion is not None:
        out["class"] = jnp.where(
            found["present"].any(axis=1, keepdims=True), net.fusion.classes(found["logits"], found["present"]), jnp.nan
        )
    for name, (lips, sound, valid) in found["pairs"].items():
        out[f"{name}_hit"] = jnp.where(
            valid & batch["matched"], losses.nearest_is_right(lips, sound, valid & batch["matched"]), jnp.nan
        )
    return out


def clip_figures(scores: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]) -> dict[str, float]:
    """AUC by example of each branch, share of right ticks of each pair, share of right classes.

    Args:
        scores: from the networks, NaN where not measured.
        labels: ``face_fake``, ``audio_fake``, ``mismatch`` per face or tick (NaN = unknown), ``class`` (-1 = unknown).
    """
    figures: dict[str, float] = {}
    for name, label in (("visual", "face_fake"), ("audio", "audio_fake"), ("mismatch", "mismatch")):
        if name in scores:
            forged, genuine = _means(scores[name], labels[label])
            figures[f"val_auc_{name}"] = metrics.auc(forged, genuine)
    if "speech" in scores:
        known = np.isfinite(scores["speech"]) & np.isfinite(labels["speech"])
        yes, no = known & (labels["speech"] > 0.7), known & (labels["speech"] < 0.3)
        figures["val_auc_speech"] = metrics.auc(scores["speech"][yes], scores["speech"][no])
    for name, values in scores.items():
        if name.endswith("_hit"):
            figures[f"val_{name}"] = float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
    if "class" in scores:
        use = (labels["class"] >= 0) & np.isfinite(scores["class"]).all(axis=1)
        right = scores["class"].argmax(axis=1) == labels["class"]
        figures["val_four_way"] = float(right[use].mean()) if use.any() else float("nan")
    return figures


def _means(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean score of each example over its forged and over its genuine entries."""
    out = []
    for wanted in (1.0, 0.0):
        use = np.isfinite(scores) & (labels == wanted)
        rows = use.any(axis=1)
        out.append(np.where(use, scores, 0.0).sum(axis=1)[rows] / use.sum(axis=1)[rows])
    return out[0], out[1]
