"""The networks of a bundle as a detector like any other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import avdetect
from avdetect.api import InputContract
from avdetect.types import Clip, Evidence

if TYPE_CHECKING:
    from avdetect.inference import Progress
    from avdetect.media.limits import Limits
    from avdetect.verdict import Analysis


class AvNet:
    """The networks of a bundle.

    Args:
        bundle: its folder; by default the one that ships with the package.

    Raises:
        FileNotFoundError: the folder is not a bundle.
        ValueError: it was made under another preprocessing contract, or is damaged.
    """

    api_version = 1
    name = "avnet"
    modalities: frozenset[str] = frozenset()  # it says what it can of a face, of a voice, or of both
    contract = InputContract(max_ticks=750, batch=1)
    jittable = False  # it has fixed windows of its own: clips of any length compile nothing

    def __init__(self, bundle: str | Path | None = None):
        self.detector = avdetect.load(bundle)
        self.card, self.calibration = self.detector.card, self.detector.calibration
        self.version = str(self.card.get("version", ""))

    def evidence(self, clips: Sequence[Clip]) -> list[Evidence]:
        """What the networks say of each clip."""
        return [self.detector.evidence(clip) for clip in clips]

    def analyse(self, path: str | Path, *, limits: Limits | None = None, progress: Progress | None = None) -> Analysis:
        """Of a file, streaming: what is said at a tick may depend on neighbours on both sides, cut nowhere."""
        from avdetect import inference

        return inference.analyse(path, self.detector, limits=limits, progress=progress)
