"""Several trained face networks as one, see `avdetect.models.committee`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from avdetect.bundle import empty_net, fill, flat_parameters
from avdetect.calibration import Calibration
from avdetect.config import CommitteeConfig, LiteConfig, ModelConfig, TextureConfig, VisualConfig
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.evaluation.scoring import score_records
from avdetect.models.detector import DetectorNet


def member_scores(net: DetectorNet, store: RecordStore, rows: Sequence[int]) -> Float64[np.ndarray, " n"]:
    """Mean visual logits of clips by one network, without those where no face can be judged."""
    with tempfile.TemporaryDirectory() as folder:
        detector = Detector(net, Calibration(), card={"sha256": "member"})
        out = Path(folder) / "scores.parquet"
        values = score_records(detector, store, list(rows), out, other_sound=False).numbers("visual")
    return values[np.isfinite(values)]


def joined(
    nets: Sequence[DetectorNet], genuine: Sequence[Float64[np.ndarray, " n"]], shares: Float64[np.ndarray, " m"]
) -> DetectorNet:
    """A network whose visual part is the committee of those of ``nets``.

    Args:
        nets: with a visual part each; at most one convolutional one first, then texture networks, then lite ones.
        genuine: what each says of genuine faces.
        shares: weights of the members, before each is divided by its deviation.

    Raises:
        ValueError: the members do not make a committee.
    """
    options = [net.config.visual for net in nets]
    cnn = [o for o in options if isinstance(o, VisualConfig)]
    textures = [o for o in options if isinstance(o, TextureConfig)]
    lites = [o for o in options if isinstance(o, LiteConfig)]
    if [*cnn, *textures, *lites] != options or len(cnn) > 1 or max(len(set(textures)), len(set(lites))) > 1:
        raise ValueError(
            "a committee is at most one convolutional network, then texture networks, then lite ones, each kind alike"
        )
    if len(shares) != len(nets) or not shares.sum() > 0:
        raise ValueError(f"{len(nets)} members need {len(nets)} weights with a sum above 0")
    if min(len(values) for values in genuine) < 2:
        raise ValueError("too few genuine clips to bring the members to one scale")
    config = CommitteeConfig(
        cnn=cnn[0] if cnn else None,
        texture=textures[0] if textures else TextureConfig(),
        textures=len(textures),
        lite=lites[0] if lites else LiteConfig(),
        lites=len(lites),
    )
    made = empty_net(replace(ModelConfig(visual_encoder="committee"), visual=config))
    for member, net in zip(made.visual.members, nets, strict=True):
        fill(member, {k: np.asarray(v[...]) for k, v in flat_parameters(net.visual).items()}, "a member")
    made.visual.centre[...] = np.array([v.mean() for v in genuine], np.float32)
    made.visual.weight[...] = (shares / shares.sum() / np.array([v.std() for v in genuine])).astype(np.float32)
    return made
