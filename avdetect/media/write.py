"""New media files from arrays: demos, tests, forged videos."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from avdetect.media.errors import MediaError
from avdetect.media.rates import SAMPLE_RATE, TICK_RATE

_CODECS = {".mp4": ("libx264", "aac"), ".mov": ("libx264", "aac"), ".mkv": ("libx264", "aac")}
_CODECS[".webm"] = ("libvpx-vp9", "libopus")


def write_clip(
    frames: UInt8[np.ndarray, "n h w 3"],
    audio: Float32[np.ndarray, " s"] | None,
    path: str | os.PathLike[str],
    fps: float = TICK_RATE,
    *,
    sample_rate: int = SAMPLE_RATE,
    crf: int = 18,
) -> None:
    """Write pictures and sound that start together to a file, with moviepy.

    Args:
        frames: RGB. An odd last row or column is left out (4:2:0 pictures have even sides).
        audio: mono in [-1, 1], or ``None`` for a silent video.
        path: ``.mp4``, ``.mov``, ``.mkv`` or ``.webm``.
        fps: pictures a second.
        sample_rate: of ``audio``, Hz.
        crf: quality of the picture, 0 (best) to 51.

    Raises:
        MediaError: if the extension is not known or the encoder fails.
        ValueError: if the arrays have the wrong shape.
    """
    target = Path(path)
    if target.suffix.lower() not in _CODECS:
        raise MediaError(path, f"no codecs are known for {target.suffix!r}", f"use one of {', '.join(_CODECS)}")
    if frames.ndim != 4 or frames.shape[-1] != 3 or min(frames.shape[:3], default=0) < 1:
        raise ValueError(f"frames have shape {frames.shape}; give (n, h, w, 3) with n of 1 or more")
    if audio is not None and audio.ndim != 1:
        raise ValueError(f"audio has shape {audio.shape}; give (samples,), mono")
    if not target.parent.is_dir():
        raise MediaError(path, f"there is no folder {target.parent}", "make it first")
    video_codec, audio_codec = _CODECS[target.suffix.lower()]
    height, width = (max(2, side // 2 * 2) for side in frames.shape[1:3])

    voice = target.with_name(f".{target.name}.{secrets.token_hex(4)}.mkv")
    # moviepy starts slowly; only those who write wait for it.
    from moviepy import AudioArrayClip, VideoClip

    def picture(time_s: float) -> np.ndarray:
        return np.resize(frames[min(len(frames) - 1, round(time_s * fps))], frames.shape[1:])[:height, :width]

    clip = VideoClip(picture, duration=len(frames) / fps)
    if audio is not None and len(audio):
        # moviepy mixes to two channels and reads a little past the end of the array.
        stereo = np.repeat(np.append(audio, np.zeros(sample_rate // 10, np.float32))[:, None], 2, axis=1)
        clip = clip.with_audio(AudioArrayClip(stereo, fps=sample_rate).with_duration(len(audio) / sample_rate))
    try:
        clip.write_videofile(
            str(target),
            fps=fps,
            codec=video_codec,
            audio=clip.audio is not None,
            audio_codec=audio_codec,
            audio_fps=sample_rate if audio_codec == "aac" else 48_000,
            temp_audiofile=str(voice),
            preset="veryfast" if video_codec == "libx264" else "medium",
            pixel_format="yuv420p",
            ffmpeg_params=["-crf", str(crf)],
            logger=None,
        )
    except OSError as error:
        said = str(error).strip().splitlines() or [repr(error)]
        raise MediaError(path, f"it could not be written ({said[-1]})", "check the folder and the disk") from error
    finally:
        clip.close()
        voice.unlink(missing_ok=True)
    if not target.exists() or not target.stat().st_size:
        raise MediaError(path, "the encoder wrote nothing", "check the sizes of the arrays")
