"""The whole network: five parts, each of which may be absent, frozen or trained alone."""

from __future__ import annotations

from typing import Any

from flax import nnx

from avdetect.config import ModelConfig
from avdetect.models.layers import compute_dtype
from avdetect.models.registry import NAMED, make_part
from avdetect.models.sync import SyncPair

PARTS = ("sync_landmarks", "sync_pixels", "visual", "audio", "fusion")


class DetectorNet(nnx.Module):
    """Parts by name; an absent one is ``None``. Parameters of a part do not depend on which others exist.

    Args:
        config: which parts there are, of which class, and their sizes.
        seed: of the initial parameters and of dropout.

    Attributes:
        visual: a module that keeps the contract `avdetect.api.VisualEncoder`.
        audio: one that keeps `avdetect.api.AudioEncoder`.
        fusion: one that keeps `avdetect.api.FusionHead`.

    Raises:
        PluginError: an encoder or head that the configuration names cannot be used.
    """

    sync_landmarks: SyncPair | None
    sync_pixels: SyncPair | None
    visual: Any
    audio: Any
    fusion: Any

    def __init__(self, config: ModelConfig, *, seed: int = 0):
        dtype = compute_dtype(config.compute_dtype)
        self.config = config
        for i, name in enumerate(PARTS):
            options = getattr(config, name)
            rngs = nnx.Rngs(params=seed * 16 + i, dropout=seed * 16 + 8 + i)
            part = None
            if options is not None and name in NAMED:
                part = make_part(config, name, dtype=dtype, rngs=rngs)
            elif options is not None:
                part = SyncPair(options, dtype=dtype, rngs=rngs)
            setattr(self, name, part)

    def parts(self) -> dict[str, nnx.Module]:
        """The parts that exist, by name."""
        return {name: getattr(self, name) for name in PARTS if getattr(self, name) is not None}
