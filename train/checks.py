"""What the numbers of a configuration have to fulfil, said before anything is read or compiled."""

from __future__ import annotations

from jax.sharding import Mesh

from avdetect.config import Config

_AT_LEAST_ONE = ("train.steps", "train.batch", "train.log_every", "train.eval_every", "train.save_every", "data.ticks")


def check_numbers(config: Config) -> None:
    """Raises ``ValueError`` where a number that counts or divides is below 1."""
    for name in _AT_LEAST_ONE:
        room, field = name.split(".")
        if (value := getattr(getattr(config, room), field)) < 1:
            advice = "; give train.steps for once, at the end" if field.endswith("_every") else ""
            raise ValueError(f"{name}={value} must be at least 1{advice}")


def check_batch(config: Config, mesh: Mesh) -> None:
    """Raises ``ValueError`` where a batch does not divide over the devices."""
    parts = mesh.size * config.train.accumulate
    if config.train.accumulate < 1 or config.train.batch % parts:
        raise ValueError(
            f"train.batch={config.train.batch} does not divide over {mesh.size} devices times "
            f"train.accumulate={config.train.accumulate}; make it a multiple of {parts} or change mesh.data"
        )
