"""The fusion head over a track: mismatch of lips and sound per tick, and the four classes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from avdetect.streams import WindowedStream
from avdetect.types import Evidence

if TYPE_CHECKING:
    from avdetect.detector import Detector

FUSION_STEP = 384


def with_fusion(detector: Detector, evidence: Evidence) -> Evidence:
    """The same evidence with what the detector's fusion head makes of it; without a head, mismatch is not measured."""
    sync = np.full(len(evidence.visual), np.nan, np.float32)
    if detector.net.fusion is not None and np.isfinite(evidence.similarity).any():
        sync = _mismatch(detector, evidence.similarity, evidence.speech)
    classes = detector.classes(evidence.visual, evidence.audio, sync)
    return dataclasses.replace(evidence, sync=sync, classes=classes)


def _mismatch(detector: Detector, similarity: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Mismatch logit per tick, NaN where no lag is known."""
    stream = WindowedStream(
        lambda a: {"sync": detector.run("mismatch", a["similarity"][None], a["valid"][None], a["speech"][None])},
        step=FUSION_STEP,
        halo=detector.fusion_reach,
    )
    known = np.isfinite(similarity)
    pieces = {
        "similarity": np.where(known, similarity, 0).astype(np.float32),
        "valid": known,
        "speech": np.nan_to_num(speech).astype(np.float32),
    }
    results = stream.push(pieces) + stream.finish()
    sync = np.concatenate([r["sync"] for r in results])
    return np.where(known.any(axis=1), sync, np.nan).astype(np.float32)
