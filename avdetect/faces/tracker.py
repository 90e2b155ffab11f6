"""The door of this room: blocks of frames go in, pieces of face tracks come out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, UInt8

from avdetect.faces.align import Alignment
from avdetect.faces.assemble import TrackBuilder
from avdetect.faces.config import GROUP, Shown, TrackerConfig
from avdetect.faces.cuts import CutFinder
from avdetect.faces.follow import Follower
from avdetect.faces.nets import FaceNets, load_face_nets
from avdetect.types import TICK_RATE, FaceTrack, Quality

Tick = tuple[int, np.ndarray | None, float, int]
"""Tick, frame or ``None``, its presentation time, its number."""


class FaceTracker:
    """Finds, follows, aligns and crops the faces of one file, block by block.

    Memory stays bounded: about a second of small pieces around each face is kept, and frames only until their group of
    eight ticks is full. The result does not depend on how the file is cut into blocks.

    Attributes:
        glimpses: faces dropped so far, because they were seen on fewer ticks than ``TrackerConfig.min_ticks``.

    Examples:
        >>> tracker = FaceTracker()
        >>> frames = np.zeros((3, 96, 128, 3), np.uint8)
        >>> tracker.push(frames, np.ones(3, bool), np.arange(3, dtype=np.int32), np.arange(3) / 25, 0)
        []
        >>> tracker.finish()
        []
    """

    def __init__(
        self, config: TrackerConfig | None = None, nets: FaceNets | None = None, *, alignment: Alignment | None = None
    ):
        self.config = config or TrackerConfig()
        self.alignment = alignment or Alignment()
        self._follower = Follower(self.config, self.alignment, nets or load_face_nets())
        self._cuts = CutFinder()
        self._waiting: list[Tick] = []
        self._builders: dict[int, TrackBuilder] = {}
        self._next_tick: int | None = None
        self._next_id = 0
        self.glimpses = 0
        self._last_number = -1
        self._known_s = -np.inf

    def push(
        self,
        frames: UInt8[np.ndarray, "n h w 3"] | None,
        frame_valid: Bool[np.ndarray, " n"],
        frame_index: Int32[np.ndarray, " n"],
        frame_pts_s: Float64[np.ndarray, " n"],
        start_tick: int,
    ) -> list[FaceTrack]:
        """Take the next ticks of the file; the arguments are those of ``MediaBlock``.

        Returns:
            Pieces of tracks that are finished, one a face at the most, in order of ``track_id``; about 17 ticks late.

        Raises:
            ValueError: the block does not follow the one before it.
        """
        if self._next_tick is not None and start_tick != self._next_tick:
            raise ValueError(f"block starts at tick {start_tick}, not {self._next_tick}; push blocks in order, once")
        n = len(frame_valid)
        self._next_tick = start_tick + n
        done: dict[int, list[FaceTrack]] = {}
        for i in range(n):
            usable = frames is not None and bool(frame_valid[i])
            pixels = frames[i] if usable and frames is not None else None
            self._waiting.append((start_tick + i, pixels, float(frame_pts_s[i]), int(frame_index[i])))
            if (start_tick + i + 1) % GROUP == 0:
                self._group(done)
        return [join(pieces) for _, pieces in sorted(done.items())]

    def finish(self) -> list[FaceTrack]:
        """The file is over: the last piece of every track (``ended``)."""
        done: dict[int, list[FaceTrack]] = {}
        if self._waiting:
            self._group(done)
        self._give(done, list(self._builders))
        return [join(pieces) for _, pieces in sorted(done.items())]

    def _group(self, done: dict[int, list[FaceTrack]]) -> None:
        """Look at the ticks that wait, and add to ``done`` what is finished by them."""
        ticks, self._waiting = self._waiting, []
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)  # small pictures: threads cost more than they give, and XLA wants the cores
        try:
            self._look(ticks)
            ended, self._follower.ended = self._follower.ended, []
            self._give(done, ended)
        finally:
            cv2.setNumThreads(threads)

    def _look(self, ticks: list[Tick]) -> None:
        """Find the faces in the new frames of a group and note what each tick shows."""
        fresh: list[Shown] = []
        for tick, pixels, time_s, number in ticks:
            if pixels is not None and number != self._last_number:
                time_s = max(time_s, self._known_s)
                fresh.append(Shown(number, tick, time_s, pixels, self._cuts.push(pixels)))
                self._last_number, self._known_s = number, time_s
        self._follower.forget(ticks[0][0])
        if fresh:
            for sighting in self._follower.group(ticks[0][0] // GROUP, fresh):
                builder = self._builders.setdefault(sighting.face, TrackBuilder(self.alignment))
                builder.saw(sighting)
        for tick, pixels, _, number in ticks:
            if pixels is not None:
                for builder in self._builders.values():
                    if builder.has(number):
                        builder.shown(tick, number)
        # A frame not shown yet cannot have an earlier time than the last tick but one.
        self._known_s = max(self._known_s, (ticks[-1][0] - 1) / TICK_RATE)

    def _give(self, done: dict[int, list[FaceTrack]], ended: Sequence[int]) -> None:
        """Number tracks that have proved themselves; take what is ready; drop what was spurious."""
        for face in sorted(self._builders):
            builder, over = self._builders[face], face in ended
            if builder.track_id is None and builder.ticks_seen >= self.config.min_ticks:
                builder.track_id = self._next_id
                self._next_id += 1
            if builder.track_id is not None:
                piece = builder.take(self._known_s, ended=over)
                if piece is not None:
                    done.setdefault(piece.track_id, []).append(piece)
            if over:
                self.glimpses += builder.track_id is None
                del self._builders[face]


def join(pieces: Sequence[FaceTrack]) -> FaceTrack:
    """Pieces of one track, in order, as one.

    Raises:
        ValueError: there are none, or they are not neighbours of one track.
    """
    if not pieces:
        raise ValueError("no pieces to join")
    for a, b in pairwise(pieces):
        if a.track_id != b.track_id or a.start_tick + a.n_ticks != b.start_tick:
            raise ValueError(
                f"track {b.track_id} from tick {b.start_tick} does not follow track {a.track_id} "
                f"to tick {a.start_tick + a.n_ticks}; join the pieces of one track in order"
            )
    first = pieces[0]
    if len(pieces) == 1:
        return first
    names = ("size_px", "sharpness", "yaw_deg", "pitch_deg", "light", "presence")

    def where(name: str) -> np.ndarray | None:
        parts = [getattr(p, name) for p in pieces]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    return FaceTrack(
        track_id=first.track_id,
        start_tick=first.start_tick,
        faces=np.concatenate([p.faces for p in pieces]),
        mouths=np.concatenate([p.mouths for p in pieces]),
        landmarks=np.concatenate([p.landmarks for p in pieces]),
        visible=np.concatenate([p.visible for p in pieces]),
        boxes=np.concatenate([p.boxes for p in pieces]),
        quality=Quality(**{name: np.concatenate([getattr(p.quality, name) for p in pieces]) for name in names}),
        ended=pieces[-1].ended,
        matrices=where("matrices"),
        mouth_centres=where("mouth_centres"),
    )
