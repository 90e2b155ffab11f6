"""From sightings of one face to a ``FaceTrack``: smoothing, crops, landmarks at the ticks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avdetect.faces import align, crops
from avdetect.faces.align import Alignment
from avdetect.faces.config import Sighting
from avdetect.faces.quality import eye_distance, measure_crop
from avdetect.faces.roi import box_of
from avdetect.types import N_LANDMARKS, TICK_RATE, FaceTrack, Quality

REACH_S = 0.2
"""Landmarks are interpolated between frames that are at most this far apart."""


@dataclass(frozen=True)
class Placed:
    """Where a sighting lies, smoothed over the time around it."""

    plane: Float64[np.ndarray, "2 3"]
    matrix: Float64[np.ndarray, "2 3"]
    landmarks: Float32[np.ndarray, "468 3"]


@dataclass(frozen=True)
class Finished:
    """A sighting with everything that a tick shows of it."""

    time_s: float
    scene: int
    face: UInt8[np.ndarray, "face face 3"]
    mouth: UInt8[np.ndarray, "mouth mouth 3"]
    landmarks: Float32[np.ndarray, "468 3"]
    box: Float32[np.ndarray, " 4"]
    matrix: Float64[np.ndarray, "2 3"]
    mouth_centre: Float64[np.ndarray, " 2"]
    quality: tuple[float, float, float, float, float, float]
    """In the order of ``Quality``."""


class TrackBuilder:
    """Collects one face's sightings and gives its track in pieces, as soon as no later frame can change them."""

    def __init__(self, alignment: Alignment):
        self.alignment = alignment
        self.track_id: int | None = None
        self.ticks_seen = 0
        self._sightings: list[Sighting] = []
        self._numbers: list[Float64[np.ndarray, " 4"]] = []
        self._mouths: list[Float64[np.ndarray, " 2"]] = []
        self._placed: dict[int, Placed] = {}
        self._finished: dict[int, Finished] = {}
        self._shown: list[tuple[int, int]] = []  # (tick, frame number), visible ticks that are not given out yet
        self._next_tick: int | None = None
        self._last: Finished | None = None

    @property
    def horizon_s(self) -> float:
        """How far past a frame its smoothing and interpolation look."""
        return max(self.alignment.mouth_window_s, REACH_S + self.alignment.smooth_window_s)

    def saw(self, sighting: Sighting) -> None:
        """Add a sighting; they come in order of time."""
        pose = sighting.pose
        angle = pose.angle
        if self._numbers:  # unwrapped, so that smoothing across +-180 degrees is right
            angle += 2 * np.pi * round((self._numbers[-1][1] - angle) / (2 * np.pi))
        numbers = np.array([pose.log_scale, angle, pose.x, pose.y])
        to_face = align.inverse(align.plane_matrix(numbers, self.alignment))
        lips = sighting.mesh[list(align.LIPS), :2].astype(np.float64).mean(0)
        self._sightings.append(sighting)
        self._numbers.append(numbers)
        self._mouths.append(to_face[:, :2] @ lips + to_face[:, 2])

    def shown(self, tick: int, frame: int) -> None:
        """Tell that a frame with this face is shown on a tick."""
        self._shown.append((tick, frame))
        self.ticks_seen += 1

    def has(self, frame: int) -> bool:
        """Whether the face was seen in a frame (of the last second or so)."""
        return any(s.frame == frame for s in reversed(self._sightings))

    def take(self, known_s: float, *, ended: bool) -> FaceTrack | None:
        """The next piece of the track.

        Args:
            known_s: every frame up to this presentation time has been pushed.
            ended: no sighting will follow; everything left is given out.

        Returns:
            The piece, or ``None`` when nothing is ready. At least one tick is held back until the track has ended, so
            that a last piece always exists.
        """
        if self.track_id is None:
            raise RuntimeError("a track needs its number before pieces of it can be taken")
        by_frame = {s.frame: i for i, s in enumerate(self._sightings)}
        ready = 0
        while ready < len(self._shown) - (0 if ended else 1):
            sighting = self._sightings[by_frame[self._shown[ready][1]]]
            if not ended and known_s <= sighting.time_s + self.horizon_s:
                break
            ready += 1
        if not ready:
            return None
        rows: list[tuple[Finished, Float32[np.ndarray, "468 3"]] | None] = []
        start = self._shown[0][0] if self._next_tick is None else self._next_tick
        before = self._last
        for tick, frame in self._shown[:ready]:
            rows += [None] * (tick - start - len(rows))
            index = by_frame[frame]
            rows.append((self._finish(index), self._landmarks_at(index, tick / TICK_RATE)))
        self._next_tick = start + len(rows)
        last_index = by_frame[self._shown[ready - 1][1]]
        self._last = self._finish(last_index)
        self._shown = self._shown[ready:]
        self._prune(last_index)
        return self._piece(start, rows, before, ended=ended)

    def _place(self, index: int) -> Placed:
        """Transform and aligned landmarks of one sighting; made once, when ``smooth_window_s`` after it is known."""
        sighting = self._sightings[index]
        if (done := self._placed.get(sighting.frame)) is not None:
            return done
        a = self.alignment
        times, numbers, _ = self._near(index)
        smooth = align.smooth_at(sighting.time_s, times, numbers, a.smooth_s, a.smooth_window_s)
        plane = align.plane_matrix(smooth, a)
        matrix = align.crop_matrix(plane, np.asarray(a.face_centre), a.face_side, a.face_size)
        back = align.inverse(matrix)
        xy = (sighting.mesh[:, :2] @ back[:, :2].T + back[:, 2] + 0.5) / a.face_size
        z = sighting.mesh[:, 2:] / (np.exp(smooth[0]) * a.face_side)
        done = Placed(plane, matrix, np.concatenate([xy, z], 1).astype(np.float32))
        self._placed[sighting.frame] = done
        return done

    def _finish(self, index: int) -> Finished:
        """Crops, aligned landmarks and quality of one sighting; made once."""
        sighting = self._sightings[index]
        if (done := self._finished.get(sighting.frame)) is not None:
            return done
        a, placed = self.alignment, self._place(index)
        times, _, mouths = self._near(index)
        centre = align.smooth_at(sighting.time_s, times, mouths, a.mouth_smooth_s, a.mouth_window_s)
        face = crops.warp(sighting.patch, placed.matrix, a.face_size)
        of_mouth = align.crop_matrix(placed.plane, centre, a.mouth_side, a.mouth_size)
        mouth = crops.warp(sighting.patch, of_mouth, a.mouth_size)
        sharpness, light = measure_crop(face)
        pose = sighting.pose
        done = Finished(
            sighting.time_s,
            sighting.scene,
            face,
            mouth,
            placed.landmarks,
            box_of(sighting.mesh),
            placed.matrix,
            (centre - np.asarray(a.face_centre)) / a.face_side + 0.5,
            (eye_distance(sighting.mesh), sharpness, pose.yaw_deg, pose.pitch_deg, light, sighting.presence),
        )
        self._finished[sighting.frame] = done
        return done

    def _near(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, transforms and mouth centres of the sightings around one, without those beyond a cut."""
        scene, time = self._sightings[index].scene, self._sightings[index].time_s
        reach = max(self.alignment.smooth_window_s, self.alignment.mouth_window_s) + 1e-6
        low = high = index
        while low > 0 and self._joined(low - 1, scene, time, reach):
            low -= 1
        while high + 1 < len(self._sightings) and self._joined(high + 1, scene, time, reach):
            high += 1
        span = slice(low, high + 1)
        times = np.array([s.time_s for s in self._sightings[span]])
        return times, np.stack(self._numbers[span]), np.stack(self._mouths[span])

    def _joined(self, index: int, scene: int, time: float, reach: float) -> bool:
        other = self._sightings[index]
        return other.scene == scene and abs(other.time_s - time) <= reach

    def _landmarks_at(self, index: int, time: float) -> Float32[np.ndarray, "468 3"]:
        """Aligned landmarks at an instant, from the frame shown then and its neighbour on the other side of it."""
        here = self._finish(index)
        other = index + 1 if time > here.time_s else index - 1
        if not 0 <= other < len(self._sightings):
            return here.landmarks
        there = self._sightings[other]
        gap = there.time_s - here.time_s
        if there.scene != here.scene or not 1e-6 < abs(gap) <= REACH_S:
            return here.landmarks
        weight = np.float32(np.clip((time - here.time_s) / gap, 0, 1))
        # The neighbour's landmarks are settled by now, but its mouth crop may not be yet.
        return here.landmarks + weight * (self._place(other).landmarks - here.landmarks)

    def _prune(self, index: int) -> None:
        """Forget what no later tick can need."""
        keep = self._sightings[index].time_s - 2 * self.horizon_s
        drop = 0
        while drop < index and self._sightings[drop].time_s < keep:
            self._placed.pop(self._sightings[drop].frame, None)
            self._finished.pop(self._sightings[drop].frame, None)
            drop += 1
        del self._sightings[:drop], self._numbers[:drop], self._mouths[:drop]

    def _piece(
        self, start: int, rows: list[tuple[Finished, np.ndarray] | None], before: Finished | None, *, ended: bool
    ) -> FaceTrack:
        """Stack rows; ``None`` is a tick on which the face was not found, and repeats the crops before it."""
        shown: list[Finished] = []
        last = before
        for row in rows:
            last = row[0] if row is not None else last
            if last is None:
                raise RuntimeError("a track cannot start with a gap")
            shown.append(last)
        blank_mesh, blank_box = np.zeros((N_LANDMARKS, 3), np.float32), np.zeros(4, np.float32)
        measures = np.array([row[0].quality if row is not None else (np.nan,) * 6 for row in rows], np.float32)
        return FaceTrack(
            track_id=self.track_id if self.track_id is not None else -1,
            start_tick=start,
            faces=np.stack([s.face for s in shown]),
            mouths=np.stack([s.mouth for s in shown]),
            landmarks=np.stack([row[1] if row is not None else blank_mesh for row in rows]),
            visible=np.array([row is not None for row in rows]),
            boxes=np.stack([row[0].box if row is not None else blank_box for row in rows]),
            quality=Quality(*(np.ascontiguousarray(column) for column in measures.T)),
            ended=ended,
            matrices=np.stack([s.matrix for s in shown]).astype(np.float32),
            mouth_centres=np.stack([s.mouth_centre for s in shown]).astype(np.float32),
        )
