"""Devices as a mesh of "data" times "fsdp", and where arrays lie on it.

Fully sharded data parallelism in few lines, as in big_vision: of every large array the largest axis that divides is
spread over "fsdp", all else is on every device, batches are spread over both axes, and XLA adds the communication.
One device is a mesh of 1 x 1 and takes the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from avdetect.config import MeshConfig

AXES = ("data", "fsdp")


def make_mesh(config: MeshConfig, devices: Sequence[Any] | None = None) -> Mesh:
    """The mesh of a configuration.

    Args:
        config: sizes of both axes; at most one of them -1.
        devices: of all processes; by default all there are, of which one process may leave some unused.

    Raises:
        ValueError: the sizes do not fit the number of devices.
    """
    devices = list(jax.devices() if devices is None else devices)
    sizes = [config.data, config.fsdp]
    if any(s != -1 and s < 1 for s in sizes) or sizes == [-1, -1]:
        raise ValueError(f"mesh.data={config.data}, mesh.fsdp={config.fsdp}: give positive sizes; one may be -1")
    if -1 in sizes:
        other = max(sizes)
        if len(devices) % other:
            raise ValueError(f"{len(devices)} devices are not groups of {other}; change mesh.data or mesh.fsdp")
        sizes[sizes.index(-1)] = len(devices) // other
    used = int(np.prod(sizes))
    if used > len(devices) or (jax.process_count() > 1 and used != len(devices)):
        raise ValueError(f"mesh.data={sizes[0]} times mesh.fsdp={sizes[1]} is not the {len(devices)} devices there are")
    return jax.make_mesh(tuple(sizes), AXES, axis_types=(AxisType.Auto,) * 2, devices=devices[:used])


def replicated(mesh: Mesh) -> NamedSharding:
    """The same on every device."""
    return NamedSharding(mesh, P())


def over_batch(mesh: Mesh) -> NamedSharding:
    """The first axis over all devices."""
    return NamedSharding(mesh, P(AXES))


def spec_of(shape: Sequence[int], fsdp: int, min_shard: int) -> P:
    """The largest axis that ``fsdp`` divides, the last of equals; none of arrays of fewer than ``min_shard`` elements.

    Examples:
        >>> spec_of((512, 128), 4, 1024)
        PartitionSpec('fsdp', None)
        >>> spec_of((511, 128), 4, 1024)
        PartitionSpec(None, 'fsdp')
        >>> spec_of((8,), 4, 1024)
        PartitionSpec()
    """
    axes = [i for i, n in enumerate(shape) if n % fsdp == 0 and n > 0]
    if fsdp == 1 or not axes or int(np.prod(shape)) < min_shard:
        return P()
    best = max(axes, key=lambda i: (shape[i], i))
    return P(*("fsdp" if i == best else None for i in range(len(shape))))


def shardings(tree: Any, mesh: Mesh, *, min_shard: int) -> Any:
    """A sharding for every array (or its abstract shape) of a tree by `spec_of`."""
    fsdp = mesh.shape["fsdp"]
    return jax.tree.map(lambda x: NamedSharding(mesh, spec_of(x.shape, fsdp, min_shard)), tree)


def put_batch(local: dict[str, np.ndarray], mesh: Mesh) -> dict[str, jax.Array]:
    """The global batch, of which this process brings its rows; processes in order of their index."""
    processes, sharding = jax.process_count(), over_batch(mesh)

    def put(x: np.ndarray) -> jax.Array:
        shape = (len(x) * processes, *x.shape[1:])
        return jax.make_array_from_process_local_data(sharding, x, shape)

    return {name: put(np.asarray(x)) for name, x in local.items()}


def local_copy(tree: Any, mesh: Mesh) -> Any:
    """The whole of every array on one device of this process; all processes must call it together."""
    whole = jax.device_put(tree, replicated(mesh))
    return jax.tree.map(lambda x: x.addressable_data(0), whole)
