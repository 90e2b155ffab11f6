"""A contact sheet of a forgery: genuine, forged and their difference over time, to be looked at."""

from __future__ import annotations

import cv2
import librosa
import numpy as np
from jaxtyping import Float32, UInt8

from avdetect.types import SAMPLE_RATE, Clip

GAIN = 4
"""Differences are shown this many times stronger, around grey."""
_WIDTH = 160


def contact_sheet(genuine: Clip, forged: Clip, *, columns: int = 10) -> UInt8[np.ndarray, "h w 3"]:
    """Rows genuine / forged / difference for faces and for mouths, then spectrograms if the sound was changed.

    Args:
        genuine: the clip.
        forged: what was made of it, as long.
        columns: ticks that are shown, evenly spaced.
    """
    width = columns * _WIDTH
    rows: list[np.ndarray] = []
    if genuine.track is not None and forged.track is not None:
        ticks = np.linspace(0, genuine.n_ticks - 1, columns).round().astype(int)
        rows += _rows(genuine.track.faces[ticks], forged.track.faces[ticks])
        rows += _rows(genuine.track.mouths[ticks], forged.track.mouths[ticks])
        rows.append(_strip(_marked(forged, ticks)))
    if genuine.audio is not None and forged.audio is not None and not np.array_equal(genuine.audio, forged.audio):
        rows += [_spectrogram(genuine.audio, width), _spectrogram(forged.audio, width)]
    if not rows:
        raise ValueError("there is neither a face nor a changed sound to show")
    return np.concatenate([np.pad(row, ((0, 4), (0, 0), (0, 0)), constant_values=255) for row in rows])


def _rows(before: UInt8[np.ndarray, "n h w 3"], after: UInt8[np.ndarray, "n h w 3"]) -> list[np.ndarray]:
    difference = np.clip(128 + GAIN * (after.astype(np.int16) - before), 0, 255).astype(np.uint8)
    return [_strip(pictures) for pictures in (before, after, difference)]


def _strip(pictures: UInt8[np.ndarray, "n h w 3"]) -> np.ndarray:
    return np.concatenate([cv2.resize(p, (_WIDTH, _WIDTH), interpolation=cv2.INTER_NEAREST) for p in pictures], 1)


def _marked(clip: Clip, ticks: np.ndarray) -> UInt8[np.ndarray, "n h w 3"]:
    """Forged faces with the lips and the outline of the mesh that the clip carries drawn in."""
    if clip.track is None:
        raise ValueError("there is no face")
    pictures = clip.track.faces[ticks].copy()
    for picture, mesh, seen in zip(pictures, clip.track.landmarks[ticks], clip.track.visible[ticks], strict=True):
        if seen:
            for x, y in np.round(mesh[:, :2] * picture.shape[0] - 0.5).astype(int):
                if 0 <= x < picture.shape[1] and 0 <= y < picture.shape[0]:
                    picture[y, x] = (0, 255, 0)
    return pictures


def _spectrogram(audio: Float32[np.ndarray, " s"], width: int) -> UInt8[np.ndarray, "h w 3"]:
    mel = librosa.feature.melspectrogram(y=audio, sr=SAMPLE_RATE, n_mels=80, hop_length=160)
    level = librosa.power_to_db(mel, ref=1.0, top_db=None)
    shade = np.clip((level + 60) / 80 * 255, 0, 255).astype(np.uint8)[::-1]
    picture = cv2.resize(shade, (width, 160), interpolation=cv2.INTER_AREA)
    return cv2.applyColorMap(picture, cv2.COLORMAP_MAGMA)[..., ::-1]
