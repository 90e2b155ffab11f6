"""How well a lips-and-sound pair matches: right tick, right lag, own sound against another clip's."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from flax import nnx

from avdetect import metrics
from avdetect.data.sync_examples import SyncClip, stack, window
from avdetect.models.sync import CROP, SyncPair, erode, normalise_grey, reach
from avdetect.types import MAX_LAG


def embed(pair: SyncPair, batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Lips, sound and the ticks where both have their whole context."""
    lips = batch["lips"]
    if pair.config.input == "pixels":
        lips = normalise_grey(lips.astype("float32"))
    valid = erode(batch["visible"] & batch["covered"], reach(pair.config))
    return pair.embed_lips(lips), pair.embed_sound(batch["audio"], batch["covered"]), valid


def similarities(
    pair: SyncPair, clips: list[SyncClip], *, forward: Any = None, ticks: int = 32, batch: int = 32
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Embeddings of lips and sound and their validity for the first ``ticks`` ticks of each clip."""
    forward = forward or nnx.jit(embed)
    kind = pair.config.input
    out = []
    for start in range(0, len(clips), batch):
        part = clips[start : start + batch]
        examples = [window(c, 0, ticks, kind=kind) for c in part]
        examples += [examples[-1]] * (batch - len(part))  # one shape for the last batch too
        stacked = stack(examples)
        if kind == "pixels":
            edge = (stacked["lips"].shape[2] - CROP) // 2
            stacked["lips"] = stacked["lips"][:, :, edge : edge + CROP, edge : edge + CROP]
        lips, sound, valid = map(np.asarray, forward(pair, stacked))
        out += [(lips[i], sound[i], valid[i]) for i in range(len(part))]
    return out


def lag_curve(lips: np.ndarray, sound: np.ndarray, valid: np.ndarray, sound_valid: np.ndarray) -> np.ndarray:
    """Mean similarity at lags -15 ... 15, NaN where fewer than five ticks overlap."""
    s = lips @ sound.T
    both = valid[:, None] & sound_valid[None, :]
    curve = np.full(2 * MAX_LAG + 1, np.nan)
    for j, lag in enumerate(range(-MAX_LAG, MAX_LAG + 1)):
        known = np.diagonal(both, lag)
        if known.sum() >= 5:
            curve[j] = np.diagonal(s, lag)[known].mean()
    return curve


def evaluate_pair(pair: SyncPair, clips: list[SyncClip], forward: Any = None) -> dict[str, float]:
    """Tick accuracy, clip accuracy and the AUC of own against other sound.

    Returns:
        ``val_tick``: share of ticks whose best sound within ±7 ticks is within ±1 of the true one. ``val_clip``: share
        of clips whose best lag of ±7 is within ±1. ``val_auc_same``: own sound against another clip's of the same
        person, by the best mean similarity over lags. ``val_auc_other``: against another person's.
        ``val_best_lag_ms``: mean best lag.
    """
    pair.eval()
    found = similarities(pair, clips, forward=forward)
    pair.train()
    hits, ticks, best = 0.0, 0.0, []
    own, same, other = [], [], []
    by_person: dict[str, list[int]] = {}
    for i, clip in enumerate(clips):
        by_person.setdefault(clip.identity, []).append(i)
    people = list(by_person)
    for i, (clip, (lips, sound, valid)) in enumerate(zip(clips, found, strict=True)):
        if valid.sum() < 10:
            continue
        s = np.where(valid[None, :], lips @ sound.T, -np.inf)
        distance = np.abs(np.subtract.outer(np.arange(len(s)), np.arange(len(s))))
        choice = np.where(distance <= 7, s, -np.inf).argmax(axis=1)
        hits += (np.abs(choice - np.arange(len(s))) <= 1)[valid].sum()
        ticks += valid.sum()
        curve = lag_curve(lips, sound, valid, valid)
        best.append(int(np.nanargmax(curve[8:23])) - 7)
        own.append(np.nanmax(curve))
        mates = by_person[clip.identity]
        mate = mates[(mates.index(i) + 1) % len(mates)]
        stranger = by_person[people[(people.index(clip.identity) + 1) % len(people)]][0]
        for group, j in ((same, mate), (other, stranger)):
            if j != i and found[j][2].sum() >= 10:
                group.append(np.nanmax(lag_curve(lips, found[j][1], valid, found[j][2])))
    lags = np.array(best)
    return {
        "val_tick": hits / max(ticks, 1),
        "val_clip": float((np.abs(lags) <= 1).mean()) if best else float("nan"),
        "val_best_lag_ms": float(lags.mean() * 40) if best else float("nan"),
        "val_auc_same": metrics.auc(own, same),
        "val_auc_other": metrics.auc(own, other),
    }
