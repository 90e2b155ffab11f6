"""Lip-sync examples made on the accelerator: all clips lie in its memory, the host draws numbers only.

An hour of mouths, mesh points and sound is 600 MB. Where `avdetect.data.sync_examples` keeps an accelerator waiting for
the host nearly all of the time, this keeps it busy. What is drawn is the same: people, clips, stretches, tempi; the
changes are those of `avdetect.augment.lips_device`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array

from avdetect.augment import lips_device
from avdetect.config import DataConfig, SyncInput
from avdetect.data.sync_examples import MIN_TICKS, TEMPO_RANGE, TEMPO_SHARE, People, SyncClip
from avdetect.models.sync import CROP
from avdetect.sharding import over_batch, put_batch, replicated
from avdetect.types import SAMPLES_PER_TICK

Batch = dict[str, Any]


class ResidentSync:
    """Draws by step number, and the function that makes batches of them where the clips lie.

    Args:
        clips: from `avdetect.data.sync_examples.load_clips`.
        config: how long an example is.
        kind: landmarks or pixels.
        batch: examples a step.
        seed: of everything random.
        augment: change lips and sound; without, examples are stretches of the clips at some tempo.
    """

    def __init__(
        self, clips: list[SyncClip], config: DataConfig, *, kind: SyncInput, batch: int, seed: int, augment: bool = True
    ):
        self._kind, self._ticks, self._batch, self._seed, self._augment = kind, config.ticks, batch, seed, augment
        self._people = People(clips, config.ticks)
        self._length = np.array([c.n_ticks for c in clips], np.int32)
        self._first = np.cumsum(self._length, dtype=np.int32) - self._length
        lips = [c.points if kind == "landmarks" else c.mouths for c in clips]
        self._clips = {
            "lips": np.concatenate(lips),  # type: ignore[arg-type]
            # By tick and sample: the number of a sample of more than 37 hours is beyond an int32.
            "audio": np.concatenate(
                [(c.audio * 32767).round().astype(np.int16).reshape(-1, SAMPLES_PER_TICK) for c in clips]
            ),
            "visible": np.concatenate([c.visible for c in clips]),
            "covered": np.concatenate([c.covered for c in clips]),
        }

    def __call__(self, step: int) -> Batch:
        """Which stretches of which clips, at which tempo: ``[b]`` each; tick and sample of the ``other``: ``[b 2]``."""
        rng = np.random.default_rng((self._seed, step))
        chosen = self._people.draw(rng, self._batch)
        length = self._length[chosen]
        played = rng.random(len(chosen)) < TEMPO_SHARE
        rate = np.where(played, np.exp(rng.uniform(-1, 1, len(chosen)) * TEMPO_RANGE), 1.0)
        phase = np.where(played, rng.random(len(chosen)), 0.0)
        ticks = ((length - 1 - phase) / rate).astype(int)
        keep = played & (ticks >= MIN_TICKS)
        rate, phase, ticks = np.where(keep, rate, 1), np.where(keep, phase, 0), np.where(keep, ticks, length)
        start = rng.integers(0, np.maximum(1, ticks - self._ticks + 1))
        other = np.stack(np.divmod(rng.integers(0, self._clips["audio"].size, len(chosen)), SAMPLES_PER_TICK), axis=1)
        return {
            "first": self._first[chosen],
            "length": length,
            "ticks": ticks.astype(np.int32),
            "start": start.astype(np.int32),
            "rate": rate.astype(np.float32),
            "phase": phase.astype(np.float32),
            "other": other.astype(np.int32),
            "number": (np.arange(len(chosen)) + step * self._batch).astype(np.uint32),
        }

    def put(self, mesh: Mesh) -> Any:
        """The clips are laid on the devices; the function from a host's draws to a batch there."""
        clips = jax.device_put(self._clips, replicated(mesh))
        make = jax.jit(self._make, out_shardings=over_batch(mesh))
        return lambda draws: make(clips, put_batch(draws, mesh))

    def _make(self, clips: Batch, draws: Batch) -> Batch:
        keys = jax.vmap(lambda n: jax.random.fold_in(jax.random.key(self._seed), n))(draws["number"])
        return jax.vmap(lambda draw, key: self._example(clips, draw, key))(draws, keys)

    def _example(self, clips: Batch, draw: Batch, key: jax.Array) -> Batch:
        of_lips, of_sound, of_rate = jax.random.split(key, 3)
        last = draw["length"] - 1
        i = draw["start"] + jnp.arange(self._ticks)
        inside = i < draw["ticks"]
        at = draw["phase"] + i * draw["rate"]
        seen = lips_device.held(at, of_rate, last=last) if self._augment else at
        low, high, share = _between(seen, last)
        rows = draw["first"] + jnp.where(share < 0.5, low, high)
        if self._kind == "landmarks":
            s = share[:, None, None]
            lips = clips["lips"][draw["first"] + low] * (1 - s) + clips["lips"][draw["first"] + high] * s
            lips = lips_device.points(lips, of_lips) if self._augment else lips
            lips = jnp.where(inside[:, None, None], lips, 0.0)
        else:
            lips = clips["lips"][rows].astype(jnp.float32)
            edge = (lips.shape[1] - CROP) // 2
            cut = lips[:, edge : edge + CROP, edge : edge + CROP]
            lips = lips_device.mouths(lips, of_lips, crop=CROP) if self._augment else cut
            lips = jnp.where(inside[:, None, None], lips, 0.0)
        low, high, share = _between(at, last)
        masks = {
            name: clips[name][draw["first"] + low] & (clips[name][draw["first"] + high] | (share == 0)) & inside
            for name in ("visible", "covered")
        }
        return {"lips": lips, "audio": self._sound(clips, draw, of_sound), **masks}

    def _sound(self, clips: Batch, draw: Batch, key: jax.Array) -> Array:
        samples = self._ticks * SAMPLES_PER_TICK
        j = draw["start"] * SAMPLES_PER_TICK + jnp.arange(samples)
        # In ticks and samples apart: a float32 does not hold the number of a sample of a long clip and its fraction.
        tick = draw["phase"] + (j // SAMPLES_PER_TICK) * draw["rate"]
        whole = jnp.floor(tick).astype(jnp.int32)
        within = (tick - whole) * SAMPLES_PER_TICK + (j % SAMPLES_PER_TICK) * draw["rate"]
        low = jnp.floor(within).astype(jnp.int32)
        share = within - low
        end = draw["length"] * SAMPLES_PER_TICK - 1
        at = whole * SAMPLES_PER_TICK + low
        here = _samples(clips["audio"], draw["first"], jnp.minimum(at, end))
        after = _samples(clips["audio"], draw["first"], jnp.minimum(at + 1, end))
        inside = j // SAMPLES_PER_TICK < draw["ticks"]
        audio = jnp.where(inside, here * (1 - share) + after * share, 0.0) / 32767
        if not self._augment:
            return audio
        tick, sample = draw["other"]
        return lips_device.sound(audio, _samples(clips["audio"], tick, sample + jnp.arange(samples)) / 32767, key)


def _samples(audio: Array, tick: Array, at: Array) -> Array:
    """Samples ``at`` counted from a tick of ``audio`` (ticks, samples), from the beginning again past its end."""
    rows = (tick + at // SAMPLES_PER_TICK) % audio.shape[0]
    return audio[rows, at % SAMPLES_PER_TICK].astype(jnp.float32)


def _between(at: Array, last: Array) -> tuple[Array, Array, Array]:
    """The ticks on both sides of moments, and how far towards the later one."""
    low = jnp.clip(jnp.floor(at).astype(jnp.int32), 0, last)
    return low, jnp.minimum(low + 1, last), jnp.clip(at - low, 0.0, 1.0)
