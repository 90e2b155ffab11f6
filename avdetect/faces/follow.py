"""Follows faces from frame to frame by their landmarks, and looks again with the detector when that is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avdetect.faces.align import Alignment, fit_pose
from avdetect.faces.config import LOOK_EVERY, Shown, Sighting, TrackerConfig
from avdetect.faces.crops import take_patch
from avdetect.faces.detect import Detection, detect, frame_tiles, overlap, small_tiles
from avdetect.faces.nets import FaceNets
from avdetect.faces.roi import Roi, apart, around, between, box_of, cut, to_frame

TOLERANCE = (0.08, 0.12, 0.17)
"""Shift (of the side), log ratio of sides and turn (radians) beyond which a square was too badly predicted."""
CATCH_UP_S = 0.16
"""Time over which the square moves from where it was last put to where it should have been.

A square that jumped to its right place at the start of each group moved the points with it: over 21 real clips the
mean second difference of the aligned points was 1.69 px at the borders of groups against 1.31 px inside them (of 160);
moving over this time it is 1.43 against 1.32. Carrying the head's speed on made both worse.
"""


@dataclass
class Face:
    """What is remembered of a face between groups."""

    number: int
    scene: int
    seen_tick: int
    used: Roi
    """The square that was looked at last; for a new face the detector's."""
    time_s: float
    box: np.ndarray
    right: Roi | None = None
    """Where that square should have been, by the points found in it; ``None`` before the first sighting."""
    seen: bool = False
    """Whether the mesh network ever agreed that this is a face."""
    lost: bool = False

    def expected(self, time_s: float) -> Roi:
        """The square to look at."""
        if self.right is None:
            return self.used
        # After a loss the detector looks at a frame from before the last sighting of the other faces.
        return between(self.used, self.right, min(1.0, max(0.0, (time_s - self.time_s) / CATCH_UP_S)))

    def saw(self, shown: Shown, used: Roi, mesh: np.ndarray) -> None:
        """Remember a sighting."""
        self.used, self.right, self.box = used, around(mesh), box_of(mesh)
        self.time_s, self.seen_tick, self.seen, self.lost = shown.time_s, shown.tick, True, False

    def restart(self, used: Roi, scene: int) -> None:
        """Found again by the detector."""
        self.used, self.right, self.lost, self.scene = used, None, False, scene


class Follower:
    """Turns groups of frames into sightings of faces.

    Attributes:
        faces: faces that are followed or were lost a short while ago.
        ended: numbers of faces that were given up since the caller last emptied this list.
    """

    def __init__(self, config: TrackerConfig, alignment: Alignment, nets: FaceNets):
        self.config, self.alignment, self.nets = config, alignment, nets
        self.faces: list[Face] = []
        self.ended: list[int] = []
        self._births = 0
        self._scene = 0
        self._small_tick: int | None = None

    def group(self, number: int, frames: list[Shown]) -> list[Sighting]:
        """Follow all faces through the new frames of one group, in order.

        Args:
            number: which group of the clock this is; the detector's turn comes round by it.
            frames: frames first shown in this group.
        """
        found: list[Sighting] = []
        starts = [i for i, shown in enumerate(frames) if i == 0 or shown.cut]
        for i, start in enumerate(starts):
            run = frames[start : starts[i + 1] if i + 1 < len(starts) else len(frames)]
            found += self._run(run, turn=i == 0 and number % LOOK_EVERY == 0)
        return found

    def forget(self, tick: int) -> None:
        """Give up faces that have not been seen for too long before ``tick``."""
        for face in [f for f in self.faces if tick - f.seen_tick > self.config.max_gap_ticks]:
            self._end(face)

    def _run(self, frames: list[Shown], *, turn: bool) -> list[Sighting]:
        """Frames without a cut between them."""
        first = frames[0]
        self.forget(first.tick)
        if first.cut:
            self._scene += 1
            for face in self.faces:
                face.lost = True
        if first.cut or turn or not self.faces or any(f.lost for f in self.faces):
            self._look(first)
        active = [f for f in self.faces if not f.lost]
        found, loss = self._follow(active, frames)
        if loss is not None:  # one more try from where the first face went missing
            followed = {f.number for f in active if not f.lost}
            self._look(frames[loss])
            again = [f for f in self.faces if not f.lost and f.number not in followed]
            # A face that went missing later than the first one is followed anew from there as well.
            since, numbers = frames[loss].time_s, {f.number for f in again}
            found = [s for s in found if s.face not in numbers or s.time_s < since]
            found += self._follow(again, frames[loss:])[0]
        for face in [f for f in self.faces if f.lost and not f.seen]:
            self._end(face)
        self._drop_twins()
        return found

    def _follow(self, faces: list[Face], frames: list[Shown]) -> tuple[list[Sighting], int | None]:
        """Mesh of several faces in several frames; also the first frame in which one of them is missing."""
        jobs = [(face, shown) for face in faces for shown in frames]
        if not jobs:
            return [], None
        rois = [face.expected(shown.time_s) for face, shown in jobs]
        meshes, presence = self._mesh(jobs, rois)
        again = [
            i for i in range(len(jobs)) if presence[i] > 0.1 and badly_placed(rois[i], around(meshes[i]), TOLERANCE)
        ]
        if again:
            better = [around(meshes[i]) for i in again]
            new, score = self._mesh([jobs[i] for i in again], better)
            for n, i in enumerate(again):
                rois[i], meshes[i], presence[i] = better[n], new[n], score[n]
        found: list[Sighting] = []
        loss: int | None = None
        for i, (face, shown) in enumerate(jobs):
            if face.lost:
                continue
            if presence[i] < self.config.presence:
                face.lost = True
                at = i % len(frames)
                loss = at if loss is None else min(loss, at)
                continue
            pose = fit_pose(meshes[i], self.alignment)
            patch = take_patch(shown.pixels, pose, self.alignment)
            face.saw(shown, rois[i], meshes[i])
            found.append(
                Sighting(face.number, shown.number, shown.time_s, face.scene, meshes[i], presence[i], pose, patch)
            )
        return found, loss

    def _mesh(self, jobs: list[tuple[Face, Shown]], rois: list[Roi]) -> tuple[list[np.ndarray], list[float]]:
        """Run the mesh network on squares of frames; points in frame pixels."""
        points, presence = self.nets.mesh(
            np.stack([cut(shown.pixels, roi) for (_, shown), roi in zip(jobs, rois, strict=True)])
        )
        return [to_frame(p, roi) for p, roi in zip(points, rois, strict=True)], [float(v) for v in presence]

    def _look(self, shown: Shown) -> None:
        """Run the detector on a frame: revive lost faces, start new ones."""
        height, width = shown.pixels.shape[:2]
        found = detect(shown.pixels, self.nets, frame_tiles(height, width), threshold=self.config.detection_score)
        known = [f for f in self.faces if not f.lost]
        if not found and not known and self.config.small_faces and self._small_due(shown.tick):
            self._small_tick = shown.tick
            found = detect(shown.pixels, self.nets, small_tiles(height, width), threshold=self.config.small_score)
        fresh = [d for d in found if not any(same_place(d, f.expected(shown.time_s)) for f in known)]
        fresh = self._revive(fresh)
        fresh.sort(key=lambda d: -d.roi.side)
        for detection in fresh[: max(0, self.config.max_faces - sum(not f.lost for f in self.faces))]:
            self.faces.append(Face(self._births, self._scene, shown.tick, detection.roi, shown.time_s, detection.box))
            self._births += 1

    def _revive(self, fresh: list[Detection]) -> list[Detection]:
        """Lost faces that the detector found again, the nearest pairs first; returns the detections of others."""
        pairs = [
            (apart(d.roi, face.right or face.used)[0], i, j)
            for i, face in enumerate(self.faces)
            for j, d in enumerate(fresh)
            if face.lost and comes_back(d, face, same_scene=face.scene == self._scene)
        ]
        taken: set[int] = set()
        for _, i, j in sorted(pairs):
            if self.faces[i].lost and j not in taken:
                self.faces[i].restart(fresh[j].roi, self._scene)
                taken.add(j)
        return [d for j, d in enumerate(fresh) if j not in taken]

    def _small_due(self, tick: int) -> bool:
        """Small tiles are searched at most once a second."""
        return self._small_tick is None or tick - self._small_tick >= 25

    def _drop_twins(self) -> None:
        """Two tracks on one face: the younger ends."""
        seen = [f for f in self.faces if not f.lost and f.seen]
        for i, face in enumerate(seen):
            if any(overlap(face.box, older.box) > 0.5 for older in seen[:i] if older in self.faces):
                self._end(face)

    def _end(self, face: Face) -> None:
        self.faces.remove(face)
        self.ended.append(face.number)


def badly_placed(used: Roi, right: Roi, tolerance: tuple[float, float, float]) -> bool:
    """Whether a square differs from the right one in place, size or turn by more than the tolerance."""
    return any(d > limit for d, limit in zip(apart(used, right), tolerance, strict=True))


def same_place(detection: Detection, roi: Roi) -> bool:
    """Whether a detection is of the face in a square: centres within a third of the side, sizes within a factor 2."""
    distance, ratio, _ = apart(detection.roi, roi)
    return distance < 0.33 and ratio < 0.7


def comes_back(detection: Detection, face: Face, *, same_scene: bool) -> bool:
    """Whether a detection is a face that was lost: near where it was, or beyond a cut almost at the same place."""
    distance, ratio, _ = apart(detection.roi, face.right or face.used)
    return distance < 0.6 and ratio < 0.7 if same_scene else distance < 0.12 and ratio < 0.3
