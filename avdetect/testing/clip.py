"""A made-up clip: what the tracker would hand over of a drawn face that speaks."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avdetect.faces.align import Alignment
from avdetect.testing.face import Pose, draw_face, mesh
from avdetect.testing.voice import Speech, synthetic_speech
from avdetect.types import (
    FACE_SIZE,
    MOUTH_SIZE,
    SAMPLE_RATE,
    SAMPLES_PER_TICK,
    TICK_RATE,
    Clip,
    FaceTrack,
    Label,
    Quality,
)

MARGIN_TICKS = 50
"""Speech that is made before and after a clip, so that a shift brings in speech and not silence."""
MAX_OFFSET_MS = 1000.0 * MARGIN_TICKS / TICK_RATE
_MOUTH_CENTRE = (0.0, 0.86)
"""Middle of the mouth crop in face units: that of a half open mouth."""


class Talk:
    """Speech with a mouth to it: what is said, and when, on the picture's clock.

    Args:
        seed: the sentence and the voice.
        n_ticks: length.
        offset_ms: how late the sound is (negative: early), at most 2 s either way.

    Raises:
        ValueError: the offset is larger than that.
    """

    def __init__(self, seed: int, n_ticks: int, *, offset_ms: float = 0.0):
        if abs(offset_ms) > MAX_OFFSET_MS:
            raise ValueError(f"offset_ms must lie within ±{MAX_OFFSET_MS:g}, got {offset_ms}")
        self.speech: Speech = synthetic_speech(seed, n_ticks + 2 * MARGIN_TICKS)
        start = MARGIN_TICKS * SAMPLES_PER_TICK - round(offset_ms * SAMPLE_RATE / 1000)
        self.audio: Float32[np.ndarray, " s"] = self.speech.audio[start : start + n_ticks * SAMPLES_PER_TICK]
        rng = np.random.default_rng([seed, 3])
        self._blinks = np.cumsum(rng.uniform(2.0, 5.0, 2 + n_ticks // 50))
        self._sway = rng.uniform(0, 2 * np.pi, 4)

    def pose_at(self, times_s: np.ndarray, *, x: float, y: float, scale: float, sway: float = 1.0) -> list[Pose]:
        """The face at instants of the picture's clock, around a place in the picture; ``sway`` scales the motion."""
        times_s = np.asarray(times_s, np.float64)
        opening, width = self.speech.mouth_at(times_s + MARGIN_TICKS / TICK_RATE)
        since = times_s[:, None] - self._blinks[None, :]
        blink = np.clip(1 - np.abs(since) / 0.12, 0, 1).max(axis=1)
        turn = np.sin(2 * np.pi * times_s[:, None] * np.array([0.21, 0.33, 0.17, 0.27]) + self._sway) * sway
        return [
            Pose(
                x + 0.12 * scale * turn[i, 0],
                y + 0.05 * scale * turn[i, 1],
                scale * (1 + 0.03 * turn[i, 2]),
                roll=0.05 * turn[i, 3],
                opening=float(opening[i]),
                width=float(width[i]),
                blink=float(blink[i]),
            )
            for i in range(len(times_s))
        ]


def synthetic_clip(
    seed: int,
    n_ticks: int,
    *,
    offset_ms: float = 0.0,
    face: bool = True,
    sound: bool = True,
    start_tick: int = 0,
    track_id: int = 0,
) -> Clip:
    """A drawn face that says something, or the face or the sound of it alone; the same bits for the same arguments.

    Args:
        seed: sentence, voice, colours and motion.
        n_ticks: length in ticks of 40 ms, at least 1.
        offset_ms: how late the sound is against the lips (negative: early), within ±2000.
        face: whether there is a face track.
        sound: whether there is sound.
        start_tick: where the track begins on its file's clock.
        track_id: number of the face.

    Returns:
        A clip with the label ``visual_fake=False, audio_fake=False, offset_ms=offset_ms``: a drawing of an unforged
        recording, so to say.

    Raises:
        ValueError: neither face nor sound is asked for, ``n_ticks`` < 1, or the offset is too large.
    """
    if n_ticks < 1 or not (face or sound):
        raise ValueError(f"need n_ticks >= 1 and a face or sound, got n_ticks={n_ticks}, face={face}, sound={sound}")
    talk = Talk(seed, n_ticks, offset_ms=offset_ms)
    return Clip(
        track=_track(talk, seed, n_ticks, start_tick, track_id) if face else None,
        audio=talk.audio.copy() if sound else None,
        audio_valid=np.full(n_ticks, sound),
        label=Label(visual_fake=False, audio_fake=False, offset_ms=offset_ms if face and sound else None),
    )


def _track(talk: Talk, seed: int, n_ticks: int, start_tick: int, track_id: int) -> FaceTrack:
    alignment = Alignment()
    times = np.arange(n_ticks) / TICK_RATE
    # What alignment leaves of the head's motion is small.
    aligned = talk.pose_at(times, x=0.0, y=0.0, scale=1.0, sway=0.04)
    in_frame = talk.pose_at(times, x=320.0, y=150.0, scale=90.0)
    centre, side = np.array(alignment.face_centre), alignment.face_side
    faces = np.empty((n_ticks, FACE_SIZE, FACE_SIZE, 3), np.uint8)
    mouths = np.empty((n_ticks, MOUTH_SIZE, MOUTH_SIZE, 3), np.uint8)
    landmarks = np.empty((n_ticks, 468, 3), np.float32)
    boxes = np.empty((n_ticks, 4), np.float32)
    for i, (pose, seen) in enumerate(zip(aligned, in_frame, strict=True)):
        faces[i] = _crop(pose, centre, side, FACE_SIZE, seed, i)
        mouths[i] = _crop(pose, np.array(_MOUTH_CENTRE), alignment.mouth_side, MOUTH_SIZE, seed, i)
        points = mesh(pose.opening, pose.width, pose.blink)
        landmarks[i, :, :2] = (pose.place(points) - centre) / side + 0.5
        landmarks[i, :, 2] = points[:, 2] / side
        placed = seen.place(points)
        boxes[i] = (*placed.min(axis=0), *placed.max(axis=0))
    grey = faces.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    sharpness = np.array([cv2.Laplacian(g, cv2.CV_32F).var() for g in grey], np.float32) * 1e4
    quality = Quality(
        size_px=np.array([p.scale for p in in_frame], np.float32),
        sharpness=sharpness,
        yaw_deg=np.zeros(n_ticks, np.float32),
        pitch_deg=np.zeros(n_ticks, np.float32),
        light=grey.mean(axis=(1, 2)).astype(np.float32),
        presence=np.ones(n_ticks, np.float32),
    )
    return FaceTrack(track_id, start_tick, faces, mouths, landmarks, np.ones(n_ticks, bool), boxes, quality)


def _crop(
    pose: Pose, centre: np.ndarray, side: float, size: int, seed: int, tick: int
) -> UInt8[np.ndarray, "size size 3"]:
    """An aligned crop, drawn at twice its size and averaged down."""
    unit = 2 * size / side
    here = (np.array([pose.x, pose.y]) - centre + side / 2) * unit
    canvas = np.full((2 * size, 2 * size, 3), (110, 130, 150), np.uint8)
    draw_face(
        canvas,
        Pose(here[0], here[1], pose.scale * unit, pose.roll, pose.opening, pose.width, pose.blink),
        seed=seed,
    )
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return sensor_noise(small, seed, tick)


def sensor_noise(picture: UInt8[np.ndarray, "h w 3"], seed: int, tick: int) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with a little noise, as a camera has it."""
    rng = np.random.default_rng([seed, 4, tick])
    noise = rng.integers(-3, 4, picture.shape, dtype=np.int16)
    return np.clip(picture.astype(np.int16) + noise, 0, 255).astype(np.uint8)
