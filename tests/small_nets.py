"""Small networks with random numbers everywhere, for tests.

Freshly made networks hide mistakes: their residual blocks start as the identity and their biases are zero. Here every
parameter is random, so that whatever an output can depend on, it does depend on.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from flax import nnx

from avdetect.bundle import empty_net, fill, flat_parameters
from avdetect.calibration import Calibration
from avdetect.config import AudioConfig, FusionConfig, ModelConfig, SyncConfig, VisualConfig
from avdetect.detector import Detector
from avdetect.models.detector import PARTS

SMALL = ModelConfig(
    sync_landmarks=SyncConfig("landmarks", width=16, blocks=2, embedding=8),
    sync_pixels=SyncConfig("pixels", width=16, blocks=1, embedding=8),
    visual=VisualConfig(widths=(8, 8, 16), mouth_widths=(8, 16)),
    audio=AudioConfig(widths=(8, 8), hidden=16),
    fusion=FusionConfig(radii=(4, 9), channels=8, hidden=8),
)


def small_config(*parts: str, dtype: str = "float32") -> ModelConfig:
    """The named parts of ``SMALL``; all of them where none is named."""
    kept = {name: getattr(SMALL, name) for name in parts or PARTS}
    return ModelConfig(**kept, compute_dtype=dtype)  # type: ignore[arg-type]


def randomise(module: nnx.Module, seed: int = 0) -> None:
    """Random numbers of sensible size in every parameter, the same for the same names and shapes."""
    values = {}
    for i, (name, leaf) in enumerate(sorted(flat_parameters(module).items())):
        rng = np.random.default_rng((seed, i))
        shape = leaf.shape
        scale = 1.3 / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.2
        values[name] = (rng.normal(0, scale, shape) + (name.endswith("scale") and not shape == ())).astype(np.float32)
        if name == "log_scale":
            values[name] = np.float32(2.3)
    fill(module, values, "random numbers")


def small_net(*parts: str, seed: int = 0, dtype: str = "float32") -> Any:
    """A `DetectorNet` of the named parts in evaluation mode; the numbers of a part do not depend on the others."""
    net = empty_net(small_config(*parts, dtype=dtype))
    for part in net.parts().values():
        randomise(part, seed)
    net.eval()
    return net


@functools.lru_cache(maxsize=4)
def small_detector(*parts: str) -> Detector:
    """A detector of the named parts, made once (its networks are compiled once)."""
    return fresh_detector(*parts)


def fresh_detector(*parts: str) -> Detector:
    """Another one with the same numbers."""
    return Detector(small_net(*parts), Calibration(), card={"name": "small", "version": "0", "sha256": "0" * 64})
