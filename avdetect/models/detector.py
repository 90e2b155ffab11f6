"""The whole network: five parts, each of which may be absent, frozen or trained alone."""

from __future__ import annotations

from flax import nnx

from avdetect.config import ModelConfig
from avdetect.models.audio import AudioNet
from avdetect.models.fusion import FusionHead
from avdetect.models.layers import compute_dtype
from avdetect.models.sync import SyncPair
from avdetect.models.visual import VisualNet

PARTS = ("sync_landmarks", "sync_pixels", "visual", "audio", "fusion")


class DetectorNet(nnx.Module):
    """Parts by name; an absent one is ``None``. Parameters of a part do not depend on which others exist.

    Args:
        config: which parts there are and their sizes.
        seed: of the initial parameters and of dropout.
    """

    sync_landmarks: SyncPair | None
    sync_pixels: SyncPair | None
    visual: VisualNet | None
    audio: AudioNet | None
    fusion: FusionHead | None

    def __init__(self, config: ModelConfig, *, seed: int = 0):
        dtype = compute_dtype(config.compute_dtype)
        kinds = {
            "sync_landmarks": (SyncPair, config.sync_landmarks),
            "sync_pixels": (SyncPair, config.sync_pixels),
            "visual": (VisualNet, config.visual),
            "audio": (AudioNet, config.audio),
            "fusion": (FusionHead, config.fusion),
        }
        self.config = config
        for i, (name, (kind, options)) in enumerate(kinds.items()):
            rngs = nnx.Rngs(params=seed * 16 + i, dropout=seed * 16 + 8 + i)
            setattr(self, name, None if options is None else kind(options, dtype=dtype, rngs=rngs))

    def parts(self) -> dict[str, nnx.Module]:
        """The parts that exist, by name."""
        return {name: getattr(self, name) for name in PARTS if getattr(self, name) is not None}
