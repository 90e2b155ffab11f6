"""Whole videos of a drawn speaker with a known offset between sound and lips."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from avdetect.testing.clip import Talk, sensor_noise
from avdetect.testing.face import draw_face
from avdetect.types import SAMPLE_RATE, TICK_RATE


def write_synthetic_video(
    path: str | Path,
    *,
    seconds: float = 6.0,
    offset_ms: float = 0.0,
    seed: int = 0,
    width: int = 640,
    height: int = 360,
    fps: Fraction | int = 25,
    face_scale: float = 0.25,
    picture: bool = True,
    sound: bool = True,
    crf: int = 20,
) -> Path:
    """Writes a video (H.264 and AAC) of a drawn person who speaks.

    The offset is in the material itself: both streams start at the same time. The face networks detect and follow the
    face (`tests/testing/test_synthetic.py` holds them to it).

    Args:
        path: where to; the suffix chooses the container (``.mp4``, ``.mov``, ``.mkv``).
        seconds: length.
        offset_ms: how late the sound is against the lips (negative: early), within ±2000.
        seed: sentence, voice, colours and motion.
        width: pixels, even.
        height: pixels, even.
        fps: frames a second.
        face_scale: distance between the outer eye corners as a share of the height.
        picture: whether there is a picture.
        sound: whether there is sound.
        crf: quality of H.264, 0 (lossless) to 51.

    Returns:
        The path.

    Raises:
        ValueError: neither picture nor sound is asked for, or a size is odd.
    """
    if not (picture or sound):
        raise ValueError("write_synthetic_video needs a picture or sound; both were turned off")
    if width % 2 or height % 2:
        raise ValueError(f"width and height must be even for H.264, got {width}x{height}")
    path = Path(path)
    n_ticks = max(1, round(seconds * TICK_RATE))
    talk = Talk(seed, n_ticks, offset_ms=offset_ms)
    with av.open(str(path), "w") as container:
        encoders = []
        if picture:
            video = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "veryfast"})
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            encoders.append((video, _pictures(talk, seed, seconds, Fraction(fps), width, height, face_scale)))
        if sound:
            audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
            encoders.append((audio, _sounds(talk.audio)))
        for stream, frames in encoders:
            for frame in frames:
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def draw_scene(
    talk: Talk, time_s: float, *, seed: int, width: int, height: int, face_scale: float
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture of a speaker in front of a wall at one instant."""
    scale = face_scale * height
    canvas = _wall(width, height)
    (pose,) = talk.pose_at(np.array([time_s]), x=width / 2, y=0.42 * height, scale=scale)
    draw_face(canvas, pose, seed=seed)
    return sensor_noise(cv2.GaussianBlur(canvas, (0, 0), max(0.5, scale / 100)), seed, round(time_s * 1000))


def _wall(width: int, height: int) -> UInt8[np.ndarray, "h w 3"]:
    shade = np.linspace(0.8, 1.1, height)[:, None, None] * np.linspace(0.9, 1.05, width)[None, :, None]
    return np.clip(shade * np.array([118.0, 130.0, 142.0]), 0, 255).astype(np.uint8)


def _pictures(talk: Talk, seed: int, seconds: float, fps: Fraction, width: int, height: int, face_scale: float):
    for i in range(max(1, round(seconds * fps))):
        image = draw_scene(talk, float(i / fps), seed=seed, width=width, height=height, face_scale=face_scale)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = i, 1 / fps
        yield frame


def _sounds(audio: np.ndarray):
    for start in range(0, len(audio), 1024):
        piece = np.ascontiguousarray(audio[None, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame
