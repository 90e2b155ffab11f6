"""What each part of the detector is trained on: batches by step, loss, evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avdetect.config import Config


def make_task(config: Config) -> Any:
    """The task of ``config.train.part``; its records are read here.

    Those of single parts have batches by step, which `train.stepwise.as_task` makes pipelines of.
    """
    part = config.train.part
    if config.data.resident and part not in ("sync_landmarks", "sync_pixels"):
        raise ValueError(f"data.resident is for sync_landmarks and sync_pixels, not for train.part={part}")
    if part == "all":
        from train.tasks.clips import ClipTask

        return ClipTask(config)
    if part in ("sync_landmarks", "sync_pixels"):
        from train.tasks.sync import SyncTask

        return SyncTask(config)
    if part == "visual":
        from train.tasks.faces import FaceTask

        return FaceTask(config)
    if part == "audio":
        from train.tasks.audio import AudioTask

        return AudioTask(config)
    from train.tasks.fusion import FusionTask

    return FusionTask(config)
