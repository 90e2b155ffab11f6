"""Analyses with known content, and the reports and audits that come of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from avdetect.calibration import Calibration
from avdetect.report.audit import Audit
from avdetect.types import AudioInfo, Evidence, MediaInfo, Quality, VideoInfo
from avdetect.verdict import NO_FACE_TRACK, Analysis, TrackEvidence, audit_sync
from tests.sync.made_up import LAGS, similarity

SHA = "0" * 64


def quality(t: int, **changes: float) -> Quality:
    """A good face, but for the changes."""
    good = {"size_px": 80.0, "sharpness": 20.0, "yaw_deg": 5.0, "pitch_deg": 5.0, "light": 0.5, "presence": 1.0}
    return Quality(**{name: np.full(t, value, np.float32) for name, value in {**good, **changes}.items()})


def track(
    t: int = 250,
    *,
    visual: Any = -3.0,
    audio: Any = -3.0,
    sync: Any = -3.0,
    offset: Any = 2.0,
    height: float = 0.4,
    speech: Any = 0.95,
    seed: int = 0,
    start: int = 0,
    number: int = 0,
    lip_motion: float | None = None,
    **changes: float,
) -> TrackEvidence:
    """A face with sound; logits per tick as given (one value for all), lips and sound ``offset`` ticks apart."""

    def ticks(value: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, np.float32), (t,)).copy()

    offsets = np.broadcast_to(np.asarray(offset, float), (t,))
    spoken = ticks(speech)
    heard = np.isfinite(spoken)
    shown = np.where(heard[:, None], similarity(offsets, seed=seed, height=height), np.nan).astype(np.float32)
    return TrackEvidence(
        track_id=number,
        start_tick=start,
        evidence=Evidence(ticks(visual), ticks(audio), ticks(sync), shown, LAGS, spoken),
        quality=quality(t, **changes),
        visible=np.ones(t, bool),
        audio_valid=heard,
        lip_motion=None if lip_motion is None else ticks(lip_motion),
    )


def sound_alone(t: int = 250, *, audio: float = -3.0, speech: float = 0.95) -> TrackEvidence:
    """Sound without a face."""
    nothing = np.full(t, np.nan, np.float32)
    evidence = Evidence(
        nothing, np.full(t, audio, np.float32), nothing, np.full((t, 31), np.nan, np.float32), LAGS,
        np.full(t, speech, np.float32),
    )  # fmt: skip
    return TrackEvidence(NO_FACE_TRACK, 0, evidence, None, None, np.ones(t, bool))


def analysis(
    *tracks: TrackEvidence, video: bool = True, audio: bool = True, still: bool = False, name: str = "clip.mp4"
):
    """An analysis of a file with these tracks."""
    info = MediaInfo(
        path=name,
        container="mp4",
        duration_s=max((t.end_s for t in tracks), default=4.0),
        start_s=0.0,
        video=VideoInfo("h264", 640, 360, 25.0, is_still=still) if video else None,
        audio=AudioInfo("aac", 48_000, 2) if audio else None,
    )
    return Analysis(info, SHA, list(tracks))


def audit(name: str = "clip.mp4", **options: Any) -> Audit:
    """The audit of one face."""
    return audit_sync(analysis(track(**options), name=name), Calibration(), model={"name": "test", "version": "1"})
