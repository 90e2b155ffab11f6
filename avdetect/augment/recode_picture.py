"""Pictures through a video codec and back, in memory."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from avdetect.types import TICK_RATE

CODECS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"preset": "superfast"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b": "0"}),
}
"""Encoder and its fixed options; the quality is a ``crf``."""


def recode_picture(pictures: UInt8[np.ndarray, "t h w 3"], codec: str, crf: int) -> UInt8[np.ndarray, "t h w 3"]:
    """As many pictures in the same order, coded and decoded; sides must be even (4:2:0).

    Args:
        pictures: RGB, 25 a second.
        codec: of ``CODECS``.
        crf: 0 (best) to 51 for H.264, to 63 for VP9.

    Raises:
        ValueError: an unknown codec, or odd sides.
    """
    if codec not in CODECS:
        raise ValueError(f"no video codec is called {codec!r}; there are {', '.join(CODECS)}")
    t, h, w, _ = pictures.shape
    if h % 2 or w % 2:
        raise ValueError(f"pictures of {w} x {h} have an odd side; video of 4:2:0 needs even ones")
    if t == 0:
        return pictures.copy()
    name, options = CODECS[codec]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream: Any = container.add_stream(name, rate=TICK_RATE, options={**options, "crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
        stream.codec_context.thread_count = 1  # small pictures: threads only cost
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as coded:
        coded.streams.video[0].codec_context.thread_count = 1
        out = [frame.to_ndarray(format="rgb24") for frame in coded.decode(video=0)]
    if len(out) != t:
        raise ValueError(f"{name} gave {len(out)} pictures back for {t}")
    return np.stack(out)
