"""File -> tracks -> windows -> evidence -> verdict -> report, streaming, in bounded memory.

While the worker decodes, this process tracks faces and feeds the networks' streams; of what has been seen only
embeddings and scores are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from avdetect.detector import Detector
from avdetect.faces.config import TrackerConfig
from avdetect.faces.tracker import FaceTracker
from avdetect.media.digest import unchanged
from avdetect.media.limits import Limits
from avdetect.media.reader import open_media
from avdetect.report.audit import Audit
from avdetect.report.schema import Report
from avdetect.sound_stream import SoundStream
from avdetect.track_notes import TrackNotes
from avdetect.track_stream import TrackStream
from avdetect.types import TICK_RATE, FaceTrack
from avdetect.verdict import NO_FACE_TRACK, Analysis, TrackEvidence, audit_sync, judge
from avdetect.verdict.unread import content_end_s

Progress = Callable[[float], None]


def score_file(
    path: str | Path, detector: Detector, *, limits: Limits | None = None, progress: Progress | None = None
) -> Report:
    """The report on a file; arguments and errors as for :func:`analyse`."""
    return judge(analyse(path, detector, limits=limits, progress=progress), detector.calibration, model=detector.card)


def audit_file(
    path: str | Path, detector: Detector, *, limits: Limits | None = None, progress: Progress | None = None
) -> Audit:
    """The lip-sync audit of a file; arguments and errors as for :func:`analyse`."""
    found = analyse(path, detector, limits=limits, progress=progress)
    return audit_sync(found, detector.calibration, model=detector.card)


def analyse(
    path: str | Path, detector: Detector, *, limits: Limits | None = None, progress: Progress | None = None
) -> Analysis:
    """Everything that a detector finds in a file.

    Args:
        path: any file with picture, sound or both; a still picture counts.
        detector: from `avdetect.load`.
        limits: what decoding may use.
        progress: told the share done, in [0, 1], after each block.

    Raises:
        MediaError: the file cannot be read.
    """
    limits = limits or Limits()
    tracks: dict[int, _Track] = {}
    with unchanged(path) as digest, open_media(path, limits=limits) as reader:
        info = reader.info
        still = info.video is not None and info.video.is_still
        tracker = FaceTracker(TrackerConfig(min_ticks=1)) if still else FaceTracker()
        sound = SoundStream(detector) if info.audio is not None else None
        covered: list[np.ndarray] = []
        read_s = 0.0
        for block in reader.blocks():
            read_s = max(read_s, content_end_s(block))
            if sound is not None and block.audio is not None:
                sound.push(block.audio, block.audio_valid)
                covered.append(block.audio_valid)
            if block.frames is not None:
                pieces = tracker.push(
                    block.frames, block.frame_valid, block.frame_index, block.frame_pts_s, block.start_tick
                )
                _feed(tracks, pieces, detector, sound)
            if progress is not None and info.duration_s > 0:
                progress(min(1.0, (block.start_tick + block.n_ticks) / TICK_RATE / info.duration_s))
        _feed(tracks, tracker.finish(), detector, sound)
        info, warnings = reader.info, list(reader.warnings)
        sha256 = digest()
    audio_valid = np.concatenate(covered) if covered else np.zeros(0, bool)
    if sound is not None:
        sound.finish()
    found = [track.evidence(audio_valid) for _, track in sorted(tracks.items())]
    if sound is not None and len(audio_valid) and not found:
        found.append(
            TrackEvidence(
                track_id=NO_FACE_TRACK,
                start_tick=0,
                evidence=sound.evidence(),
                quality=None,
                visible=None,
                audio_valid=audio_valid,
            )
        )
    speech = None
    if sound is not None and len(audio_valid):
        speech = np.where(audio_valid, sound.evidence(head=False).speech, np.nan).astype(np.float32)
    return Analysis(info, sha256, found, warnings, read_s=read_s, glimpses=tracker.glimpses, speech=speech)


class _Track:
    """A face track on its way through the networks, with the small arrays that the verdict needs beside."""

    def __init__(self, first: FaceTrack, detector: Detector, sound: SoundStream | None):
        self._notes = TrackNotes(first)
        self._stream = TrackStream(detector, sound)

    def push(self, piece: FaceTrack) -> None:
        self._stream.push(piece)
        self._notes.push(piece)
        if piece.ended:
            self._stream.finish()

    def evidence(self, audio_valid: np.ndarray) -> TrackEvidence:
        return self._notes.with_evidence(self._stream.evidence(), audio_valid)


def _feed(tracks: dict[int, _Track], pieces: list[FaceTrack], detector: Detector, sound: SoundStream | None) -> None:
    for piece in pieces:
        if piece.track_id not in tracks:
            tracks[piece.track_id] = _Track(piece, detector, sound)
        tracks[piece.track_id].push(piece)
