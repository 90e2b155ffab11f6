"""The two face networks with their numbers, compiled for fixed batch sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypeVar

import jax
import numpy as np
from flax import nnx
from jaxtyping import Float, UInt8
from safetensors.numpy import load

from avdetect.faces import blazeface, facemesh

MESH_BATCH = 8
"""Faces a call of the compiled mesh network takes; fewer are padded."""
DETECTOR_BATCH = 4
"""Pictures a call of the compiled detector takes; fewer are padded."""
Module = TypeVar("Module", bound=nnx.Module)


def fill(module: Module, values: dict[str, np.ndarray], source: str) -> Module:
    """Put named numbers into a module's parameters.

    Args:
        module: the network; changed in place.
        values: arrays by dotted path (``blocks.0.depthwise.kernel``), any float type; used as float32.
        source: where they are from, for messages.

    Returns:
        The same module.

    Raises:
        ValueError: names or shapes do not match one to one.
    """
    state = nnx.state(module, nnx.Param)
    flat = {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(state)}
    if flat.keys() != values.keys():
        odd = sorted(flat.keys() ^ values.keys())
        raise ValueError(f"{source}: parameters that are only on one side: {odd[:4]}; import the weights again")
    for name, leaf in flat.items():
        if leaf.shape != values[name].shape:
            raise ValueError(f"{source}: {name} has shape {values[name].shape}, not {leaf.shape}; import it again")
        leaf.set_value(values[name].astype(np.float32))
    nnx.update(module, state)
    return module


def load_network(name: str) -> nnx.Module:
    """``blazeface_short`` or ``face_mesh`` with the numbers that ship with the package."""
    module = {"blazeface_short": blazeface.BlazeFace, "face_mesh": facemesh.FaceMesh}[name]()
    file = resources.files("avdetect") / "weights" / "faces" / f"{name}.safetensors"
    return fill(module, load(file.read_bytes()), str(file))


def compiled(module: nnx.Module) -> Callable:
    """The module as a jitted function of its input; its numbers become constants of the program."""

    def run(image: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Accelerators would multiply in fewer bits by default, which moves points by more than a pixel.
        with jax.default_matmul_precision("highest"):
            return module(image)  # type: ignore[operator]

    return jax.jit(run)


@dataclass(frozen=True)
class FaceNets:
    """Both networks as functions of numpy arrays of any length, run in batches of one fixed size.

    Attributes:
        detector_jit: the jitted detector (``DETECTOR_BATCH`` pictures).
        mesh_jit: the jitted mesh network (``MESH_BATCH`` pictures).
    """

    detector_jit: Callable
    mesh_jit: Callable

    def detect(self, images: UInt8[np.ndarray, "n 128 128 3"]) -> tuple[np.ndarray, np.ndarray]:
        """Logits [n, 896] and places [n, 896, 16]; see ``BlazeFace``."""
        return in_batches(self.detector_jit, images, DETECTOR_BATCH)

    def mesh(
        self, images: UInt8[np.ndarray, "n 192 192 3"]
    ) -> tuple[Float[np.ndarray, "n 468 3"], Float[np.ndarray, " n"]]:
        """Points in pixels of the input and presence in [0, 1]; see ``FaceMesh``."""
        return in_batches(self.mesh_jit, images, MESH_BATCH)


def in_batches(function: Callable, images: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Run a two-output function over ``images`` in batches of exactly ``size``, the last one padded with zeros."""
    first, second = [], []
    for start in range(0, max(len(images), 1), size):
        part = images[start : start + size]
        short = size - len(part)
        if short:
            part = np.concatenate([part, np.zeros((short, *images.shape[1:]), images.dtype)])
        a, b = function(part)
        first.append(np.asarray(a)[: size - short])
        second.append(np.asarray(b)[: size - short])
    return np.concatenate(first), np.concatenate(second)


@lru_cache(maxsize=1)
def load_face_nets() -> FaceNets:
    """Both networks, read once per process."""
    return FaceNets(compiled(load_network("blazeface_short")), compiled(load_network("face_mesh")))
