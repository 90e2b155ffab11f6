"""A file through detectors of others: decoded and tracked once for all of them, in bounded memory.

Of every track only what a detector may still be given is kept: two stretches of ``max_ticks`` and the clips of a batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from avdetect.detectors.answers import wrong
from avdetect.detectors.asking import Batches, guard
from avdetect.detectors.buffers import SoundBuffer
from avdetect.detectors.feeding import SoundFeed, TrackFeed
from avdetect.detectors.named import Named
from avdetect.faces.config import TrackerConfig
from avdetect.faces.tracker import FaceTracker
from avdetect.media.digest import unchanged
from avdetect.media.limits import Limits
from avdetect.media.reader import open_media
from avdetect.types import TICK_RATE, FaceTrack
from avdetect.verdict import Analysis, TrackEvidence
from avdetect.verdict.spoken import under
from avdetect.verdict.unread import content_end_s

Progress = Callable[[float], None]
LOOK_BACK = 1500
"""Ticks of sound kept for tracks that begin: the tracker tells of a face about a second after it appeared."""


def run_plugins(
    path: str | Path, detectors: Sequence[Named], *, limits: Limits | None = None, progress: Progress | None = None
) -> list[Analysis]:
    """What each detector finds in a file, in the order of the detectors.

    A detector that needs what the file has not got is not asked: its evidence is all NaN. In a file that shows a face,
    nobody is given the sound that no face covers: how much of it is speech is known if a detector that reads files
    itself says so (`Analysis.speech`), and otherwise how much of it there is (`Analysis.unheard_s`).

    Args:
        path: any file with picture, sound or both; a still picture counts.
        detectors: those that read files themselves do so; the others share one pass.
        limits: what decoding may use.
        progress: told the share done, in [0, 1].

    Raises:
        MediaError: the file cannot be read.
        PluginError: a detector failed, or answered otherwise than its contract says.
    """
    limits = limits or Limits()
    own = [named for named in detectors if callable(getattr(named.detector, "analyse", None))]
    shared = [named for named in detectors if named not in own]
    passes = len(own) + bool(shared)

    def part(number: int) -> Progress | None:
        told = progress
        return None if told is None else lambda share: told((number + share) / passes)

    found = {id(named): _by_itself(path, named, limits, part(i)) for i, named in enumerate(own)}
    if shared:
        with unchanged(path) as digest:
            analyses = _together(path, shared, limits, part(len(own)), digest)
        speech = next((analysis.speech for analysis in found.values() if analysis.speech is not None), None)
        if speech is not None:  # one that reads files itself listened to all of it
            analyses = [dataclasses.replace(analysis, speech=speech, unheard_s=0.0) for analysis in analyses]
        found |= {id(named): analysis for named, analysis in zip(shared, analyses, strict=True)}
    return [dataclasses.replace(found[id(named)], needs=named.needs) for named in detectors]


def run_plugin(
    path: str | Path, named: Named, *, limits: Limits | None = None, progress: Progress | None = None
) -> Analysis:
    """What one detector finds in a file; arguments and errors as for :func:`run_plugins`."""
    return run_plugins(path, [named], limits=limits, progress=progress)[0]


def _by_itself(path: str | Path, named: Named, limits: Limits, progress: Progress | None) -> Analysis:
    call = getattr(named.detector, "analyse")  # noqa: B009 (not every detector has it)
    found = guard(named, "analyse()", lambda: call(path, limits=limits, progress=progress))
    if not isinstance(found, Analysis):
        raise named.blame(
            f"analyse() gave an object of type {type(found).__name__}; it must give an avdetect.verdict.Analysis"
        )
    for track in found.tracks:
        if reason := wrong(track.evidence, track.n_ticks):
            raise named.blame(f"{reason} (track {track.track_id})")
    return found


def _together(
    path: str | Path, detectors: Sequence[Named], limits: Limits, progress: Progress | None, digest: Callable[[], str]
) -> list[Analysis]:
    batches = [Batches(named) for named in detectors]
    tracks: dict[int, TrackFeed] = {}
    covered: list[np.ndarray] = []
    with open_media(path, limits=limits) as reader:
        info = reader.info
        still = info.video is not None and info.video.is_still
        tracker = FaceTracker(TrackerConfig(min_ticks=1)) if still else FaceTracker()
        sound = SoundBuffer() if info.audio is not None else None
        alone = SoundFeed(batches) if sound is not None and info.video is None else None

        def feed(pieces: Sequence[FaceTrack]) -> None:
            for piece in pieces:
                if piece.track_id not in tracks:
                    tracks[piece.track_id] = TrackFeed(piece, batches, sound)
                tracks[piece.track_id].push(piece)

        read_s = 0.0
        for block in reader.blocks():
            read_s = max(read_s, content_end_s(block))
            if sound is not None and block.audio is not None:
                sound.push(block.start_tick, block.audio, block.audio_valid)
                covered.append(block.audio_valid)
                if alone is not None:
                    alone.push(block.start_tick, block.audio, block.audio_valid)
            if block.frames is not None:
                feed(
                    tracker.push(
                        block.frames, block.frame_valid, block.frame_index, block.frame_pts_s, block.start_tick
                    )
                )
            if sound is not None:
                needed = [track.needed_from for track in tracks.values() if not track.over]
                sound.drop(min([block.start_tick - LOOK_BACK, *needed]))
            if progress is not None and info.duration_s > 0:
                progress(min(1.0, (block.start_tick + block.n_ticks) / TICK_RATE / info.duration_s))
        feed(tracker.finish())
        for track in tracks.values():
            track.finish()
        info, warnings = reader.info, list(reader.warnings)
    audio_valid = np.concatenate(covered) if covered else np.zeros(0, bool)
    if not tracks and len(audio_valid) and alone is None:
        alone = SoundFeed(batches)
        if any("picture" not in named.needs for named in detectors):
            _hear(path, limits, alone)  # that there is no face in it is known only now
    if alone is not None:
        alone.finish()
    for batch in batches:
        batch.finish()
    sha256 = digest()
    found = []
    for i in range(len(detectors)):
        ready = [track.evidence(i, audio_valid) for _, track in sorted(tracks.items())]
        if not ready and alone is not None and len(audio_valid):
            ready.append(alone.evidence(i, audio_valid))
        unheard_s = _uncovered_s(ready, audio_valid)
        found.append(
            Analysis(info, sha256, ready, warnings, read_s=read_s, glimpses=tracker.glimpses, unheard_s=unheard_s)
        )
    return found


def _uncovered_s(tracks: Sequence[TrackEvidence], audio_valid: np.ndarray) -> float:
    """Seconds of sound that no track covers; no detector is given it where there is a face."""
    return float((audio_valid & ~under(tracks, len(audio_valid))).sum()) / TICK_RATE


def _hear(path: str | Path, limits: Limits, alone: SoundFeed) -> None:
    """All the sound of a file, once more."""
    with open_media(path, limits=limits) as reader:
        for block in reader.blocks():
            if block.audio is not None:
                alone.push(block.start_tick, block.audio, block.audio_valid)
