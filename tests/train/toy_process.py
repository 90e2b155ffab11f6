"""One process of a run of the toy task: ``python -m tests.train.toy_process WORKDIR [COORDINATOR COUNT INDEX]``."""

from __future__ import annotations

import sys
from pathlib import Path


def main(workdir: str, data: str, fsdp: str, steps: str, delay_s: str, *where: str) -> None:
    import jax

    jax.config.update("jax_num_cpu_devices", 2 if where else 4)
    if where:
        from train.distributed import start

        coordinator, count, index = where
        start(coordinator, int(count), int(index), timeout_s=120)

    from avdetect.config import MeshConfig
    from tests.train.toy_task import ToyTask, toy_config
    from train.loop import train

    mesh = MeshConfig(int(data), int(fsdp), min_shard=16)
    config = toy_config(mesh=mesh, steps=int(steps), log_every=1, save_every=10, eval_every=100)
    assert jax.device_count() == 4
    train(config, ToyTask(config, delay_s=float(delay_s)), Path(workdir))


if __name__ == "__main__":
    main(*sys.argv[1:])
