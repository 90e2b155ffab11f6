"""A file through detectors of others: decoded and tracked once for all of them, in bounded memory.

Of every track only what a detector may still be given is kept: two stretches of ``max_ticks`` and the clips of a batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from avdetect.detectors.answers import wrong
from avdetect.detectors.asking import Batches, guard, joined, why_unfit
from avdetect.detectors.buffers import SoundBuffer, TrackBuffer
from avdetect.detectors.named import Named
from avdetect.detectors.windows import Window, Windows
from avdetect.faces.config import TrackerConfig
from avdetect.faces.tracker import FaceTracker
from avdetect.media.digest import file_digest
from avdetect.media.limits import Limits
from avdetect.media.reader import open_media
from avdetect.track_notes import TrackNotes
from avdetect.types import TICK_RATE, Clip, Evidence, FaceTrack
from avdetect.verdict import NO_FACE_TRACK, Analysis, TrackEvidence

Progress = Callable[[float], None]
Parts = list[tuple[Window, Evidence]]
LOOK_BACK = 1500
"""Ticks of sound kept for tracks that begin: the tracker tells of a face about a second after it appeared."""


def run_plugins(
    path: str | Path, detectors: Sequence[Named], *, limits: Limits | None = None, progress: Progress | None = None
) -> list[Analysis]:
    """What each detector finds in a file, in the order of the detectors.

    A detector that needs what the file has not got is not asked: its evidence is all NaN.

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
        analyses = _together(path, shared, limits, part(len(own)))
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
    path: str | Path, detectors: Sequence[Named], limits: Limits, progress: Progress | None
) -> list[Analysis]:
    batches = [Batches(named) for named in detectors]
    tracks: dict[int, _Track] = {}
    covered: list[np.ndarray] = []
    with open_media(path, limits=limits) as reader:
        info = reader.info
        still = info.video is not None and info.video.is_still
        tracker = FaceTracker(TrackerConfig(min_ticks=1)) if still else FaceTracker()
        sound = SoundBuffer() if info.audio is not None else None
        alone = _Sound(batches) if sound is not None and info.video is None else None

        def feed(pieces: Sequence[FaceTrack]) -> None:
            for piece in pieces:
                if piece.track_id not in tracks:
                    tracks[piece.track_id] = _Track(piece, batches, sound)
                tracks[piece.track_id].push(piece)

        for block in reader.blocks():
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
        warnings = list(reader.warnings)
    audio_valid = np.concatenate(covered) if covered else np.zeros(0, bool)
    if not tracks and len(audio_valid) and alone is None:
        alone = _Sound(batches)
        if any("picture" not in named.needs for named in detectors):
            alone.read(path, limits)  # that there is no face in it is known only now
    if alone is not None:
        alone.finish()
    for batch in batches:
        batch.finish()
    sha256 = file_digest(path)
    found = []
    for i, named in enumerate(detectors):
        ready = [track.evidence(i, named, audio_valid) for _, track in sorted(tracks.items())]
        if not ready and alone is not None and len(audio_valid):
            ready.append(alone.evidence(i, named, audio_valid))
        found.append(Analysis(info, sha256, ready, warnings))
    return found


class _Asked:
    """Stretches of something, for each detector, and what came back."""

    def __init__(self, batches: Sequence[Batches]):
        self._batches = batches
        self._windows = [Windows(b.named.contract, fixed=b.named.detector.jittable) for b in batches]
        self._parts: list[Parts] = [[] for _ in batches]
        self.over = False

    def _more(self, n_ticks: int) -> None:
        for i, windows in enumerate(self._windows):
            self._ask(i, windows.push(n_ticks))

    def finish(self) -> None:
        """Nothing more will come."""
        if not self.over:
            self.over = True
            for i, windows in enumerate(self._windows):
                self._ask(i, windows.finish())

    def _ask(self, i: int, ready: Sequence[Window]) -> None:
        for window in ready:
            clip = self._clip(*window)
            if not why_unfit(self._batches[i].named, clip):
                parts = self._parts[i]
                self._batches[i].add(clip, lambda evidence, to=parts, at=window: to.append((at, evidence)))

    def _clip(self, start: int, stop: int) -> Clip:
        raise NotImplementedError

    def _needed(self) -> int:
        return min(windows.needed_from for windows in self._windows)


class _Track(_Asked):
    """A face and its sound."""

    def __init__(self, first: FaceTrack, batches: Sequence[Batches], sound: SoundBuffer | None):
        super().__init__(batches)
        self._notes, self._buffer, self._sound = TrackNotes(first), TrackBuffer(), sound

    @property
    def needed_from(self) -> int:
        """Tick of the file from which sound may still be needed."""
        return self._notes.start + self._needed()

    def push(self, piece: FaceTrack) -> None:
        self._notes.push(piece)
        self._buffer.push(piece)
        self._more(piece.n_ticks)
        self._buffer.drop(self._needed())
        if piece.ended:
            self.finish()

    def finish(self) -> None:
        super().finish()
        self._buffer = TrackBuffer()

    def _clip(self, start: int, stop: int) -> Clip:
        track = self._buffer.take(start, stop)
        if self._sound is None:
            return Clip(track=track, audio=None, audio_valid=np.zeros(track.n_ticks, bool))
        audio, valid = self._sound.take(track.start_tick, track.start_tick + track.n_ticks)
        return Clip(track=track, audio=audio, audio_valid=valid)

    def evidence(self, i: int, named: Named, audio_valid: np.ndarray) -> TrackEvidence:
        joint = joined(named, self._parts[i], self._notes.n_ticks)
        return self._notes.with_evidence(joint, audio_valid)


class _Sound(_Asked):
    """Sound without a face."""

    def __init__(self, batches: Sequence[Batches]):
        super().__init__(batches)
        self._sound = SoundBuffer()

    def push(self, start_tick: int, audio: np.ndarray, valid: np.ndarray) -> None:
        self._sound.push(start_tick, audio, valid)
        self._more(len(valid))
        self._sound.drop(self._needed())

    def read(self, path: str | Path, limits: Limits) -> None:
        """All the sound of a file."""
        with open_media(path, limits=limits) as reader:
            for block in reader.blocks():
                if block.audio is not None:
                    self.push(block.start_tick, block.audio, block.audio_valid)

    def _clip(self, start: int, stop: int) -> Clip:
        audio, valid = self._sound.take(start, stop)
        return Clip(track=None, audio=audio, audio_valid=valid)

    def evidence(self, i: int, named: Named, audio_valid: np.ndarray) -> TrackEvidence:
        return TrackEvidence(
            track_id=NO_FACE_TRACK,
            start_tick=0,
            evidence=joined(named, self._parts[i], len(audio_valid)),
            quality=None,
            visible=None,
            audio_valid=audio_valid,
        )
