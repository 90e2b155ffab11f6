"""A task that compiles in a second: a small perceptron on numbers that grain shuffles and disturbs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import grain
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect.config import Config, FusionConfig, MeshConfig, ModelConfig, OptimConfig, TrainConfig

FEATURES = 16
WIDTH = 32


class Block(nnx.Module):
    """Residual, with dropout inside."""

    def __init__(self, dropout: float, *, rngs: nnx.Rngs):
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.linear = nnx.Linear(WIDTH, WIDTH, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return x + self.linear(self.dropout(nnx.gelu(x)))


class Toy(nnx.Module):
    """A layer, a block, a layer."""

    def __init__(self, *, seed: int = 3, dropout: float = 0.2):
        rngs = nnx.Rngs(seed)
        self.first = nnx.Linear(FEATURES, WIDTH, rngs=rngs)
        self.blocks = nnx.List([Block(dropout, rngs=rngs)])
        self.second = nnx.Linear(WIDTH, 1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.second(x)[:, 0]


def loss(model: Toy, batch: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
    error = model(batch["x"]) - batch["y"]
    order = (batch["id"] * jnp.arange(1, len(error) + 1)).sum().astype(jnp.float32)  # in the log: what came when
    return jnp.square(error).mean(), {"error": jnp.abs(error).mean(), "order": order}


class Disturb(grain.transforms.RandomMap):
    def random_map(self, element: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {**element, "x": element["x"] + rng.normal(0, 0.1, FEATURES).astype(np.float32)}


def example(i: int) -> dict[str, Any]:
    x = np.random.default_rng(i).normal(size=FEATURES).astype(np.float32)
    return {"x": x, "y": np.float32(np.sin(x).sum()), "id": np.int32(i)}


class ToyTask:
    """Shuffled examples; ``seen`` are the ids of every batch that was made, in order."""

    def __init__(self, config: Config, *, delay_s: float = 0.0, dropout: float = 0.2):
        self._config, self._delay_s, self._dropout = config, delay_s, dropout
        self.loss: Any = loss
        self.seen: list[list[int]] = []

    def pipeline(self, *, process_index: int, process_count: int) -> grain.IterDataset:
        size = self._config.train.batch // process_count

        def share(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            time.sleep(self._delay_s)
            self.seen.append(batch["id"].tolist())
            return {k: v[process_index * size : (process_index + 1) * size] for k, v in batch.items()}

        data = grain.MapDataset.range(50).seed(self._config.seed).shuffle().repeat(None).map(example)
        data = data.random_map(Disturb()).batch(self._config.train.batch).map(share)
        return data.to_iter_dataset(grain.ReadOptions(num_threads=1, prefetch_buffer_size=3))

    def model(self, net: Any) -> nnx.Module:
        return Toy(dropout=self._dropout)

    def evaluate(self, model: Toy, /) -> dict[str, float]:
        model.eval()
        return {"val_out": float(model(jnp.ones((1, FEATURES)))[0])}

    def describe(self) -> str:
        return "fifty examples"


def toy_config(*, mesh: MeshConfig | None = None, optim: dict[str, Any] | None = None, **train: Any) -> Config:
    """A run of a dozen steps on one device."""
    options: dict[str, Any] = {
        "steps": 12,
        "batch": 8,
        "log_every": 5,
        "eval_every": 6,
        "save_every": 100,
        "measure_peak": False,
    }
    return Config(
        name="toy",
        model=ModelConfig(fusion=FusionConfig()),
        optim=OptimConfig(**{"lr": 0.02, "warmup": 2, "ema": 0.9, **(optim or {})}),
        mesh=mesh or MeshConfig(1, 1),
        train=TrainConfig(part="fusion", **{**options, **train}),  # type: ignore[arg-type]
    )


def rows_of(workdir: Path) -> list[dict[str, Any]]:
    """The lines of ``log.jsonl``."""
    return [json.loads(line) for line in (workdir / "log.jsonl").read_text().splitlines()]
