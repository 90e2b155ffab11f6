"""Decoded pictures become upright RGB of one size."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any

import numpy as np
from av.filter import Graph
from av.video.reformatter import Colorspace, VideoReformatter

_UNSPECIFIED_COLOURS = 2
_HD_LINES = 720
_ASPECT_RANGE = (0.2, 5.0)
_STRANGE_SIDE_DATA = 8
# Display matrix (a, b, c, d) -> filters that carry it out and clockwise degrees (mirrored ones count as their turn).
# The matrix maps a stored pixel (x, y) to (a x + c y, b x + d y), y down: ISO/IEC 14496-12, 6.2.2.
_TURNS: dict[tuple[int, int, int, int], tuple[tuple[tuple[str, str], ...], int]] = {
    (1, 0, 0, 1): ((), 0),
    (0, 1, -1, 0): ((("transpose", "clock"),), 90),
    (-1, 0, 0, -1): ((("hflip", ""), ("vflip", "")), 180),
    (0, -1, 1, 0): ((("transpose", "cclock"),), 270),
    (-1, 0, 0, 1): ((("hflip", ""),), 0),
    (1, 0, 0, -1): ((("vflip", ""),), 180),
    (0, 1, 1, 0): ((("transpose", "cclock_flip"),), 90),
    (0, -1, -1, 0): ((("transpose", "clock_flip"),), 270),
}


def display_turn(matrix: bytes | None) -> tuple[tuple[tuple[str, str], ...], int]:
    """Filters and clockwise degrees that make a picture with this display matrix upright.

    Args:
        matrix: nine little-endian int32 as FFmpeg has them, ``None`` for the identity. Turns by other than
            quarters are taken to the nearest quarter.
    """
    if matrix is None or len(matrix) < 36:
        return _TURNS[1, 0, 0, 1]
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        key = (_sign(a), 0, 0, _sign(d))
    else:
        key = (0, _sign(b), _sign(c), 0)
    return _TURNS.get(key, _TURNS[1, 0, 0, 1])


def display_size(width: int, height: int, aspect: Fraction | None, quarter_turn: bool) -> tuple[int, int]:
    """Width and height as displayed: pixel aspect and quarter turns applied."""
    if aspect and _ASPECT_RANGE[0] < aspect < _ASPECT_RANGE[1] and aspect != 1:
        width = max(1, round(width * aspect))
    return (height, width) if quarter_turn else (width, height)


def delivered_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height scaled down so that neither is over ``side``; the aspect is kept."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


class Darkroom:
    """Turns frames of a stream into upright RGB of the size that its first frame has.

    Args:
        first: the first frame decoded.
        aspect: pixel aspect ratio of the stream.
        side: longest side of what is delivered.
    """

    def __init__(self, first: Any, aspect: Fraction | None, side: int) -> None:
        self._filters, self.rotation_deg = display_turn(_matrix(first))
        self._aspect = aspect
        self._turned = self.rotation_deg % 180 != 0
        self.shown_width, self.shown_height = display_size(first.width, first.height, aspect, self._turned)
        self.width, self.height = delivered_size(self.shown_width, self.shown_height, side)
        self._reformatter = VideoReformatter()
        self._graph: Any = None
        self._graph_for: tuple[int, int, str] | None = None

    def develop(self, frame: Any, out: np.ndarray) -> None:
        """Write a frame into ``out``, uint8 ``(height, width, 3)``.

        A frame of another shape than the first is fitted inside, centred on black.
        """
        width, height = self._fit(frame)
        if self._filters:
            frame = self._turn(frame)
        colours: dict[str, Any] = {}
        if frame.colorspace == _UNSPECIFIED_COLOURS and frame.height >= _HD_LINES:
            # Nothing said: HD is BT.709 and smaller is BT.601 by custom; swscale's own guess is BT.601 for all.
            colours["src_colorspace"] = Colorspace.ITU709
        rgb = self._reformatter.reformat(frame, width=width, height=height, format="rgb24", **colours)
        plane = rgb.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8, plane.line_size * height).reshape(height, plane.line_size)
        pixels = rows[:, : width * 3].reshape(height, width, 3)
        if (width, height) == (self.width, self.height):
            out[...] = pixels
            return
        out[...] = 0
        top, left = (self.height - height) // 2, (self.width - width) // 2
        out[top : top + height, left : left + width] = pixels

    def _fit(self, frame: Any) -> tuple[int, int]:
        shown = display_size(frame.width, frame.height, self._aspect, self._turned)
        if shown == (self.shown_width, self.shown_height):
            return self.width, self.height
        scale = min(self.width / shown[0], self.height / shown[1])
        return (
            min(self.width, max(1, math.floor(shown[0] * scale + 0.5))),
            min(self.height, max(1, math.floor(shown[1] * scale + 0.5))),
        )

    def _turn(self, frame: Any) -> Any:
        shape = (frame.width, frame.height, frame.format.name)
        if self._graph_for != shape:
            self._graph, self._graph_for = _graph(frame, self._filters), shape
        self._graph.push(frame)
        return self._graph.pull()


def _graph(frame: Any, filters: tuple[tuple[str, str], ...]) -> Graph:
    graph = Graph()
    chain = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)),
        *(graph.add(name, args) if args else graph.add(name) for name, args in filters),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*chain).configure()
    return graph


def _matrix(frame: Any) -> bytes | None:
    for _ in range(_STRANGE_SIDE_DATA):
        try:
            for data in frame.side_data:
                if data.type.name == "DISPLAYMATRIX":
                    return bytes(data)
            return None
        except ValueError as error:
            # PyAV lists no side data at all if it does not know the kind of one of them, as EXIF: take that away.
            kind = str(error).split()[0]
            if not kind.isdigit():
                return None
            graph = _graph(frame, (("sidedata", f"mode=delete:type={kind}"),))
            graph.push(frame)
            frame = graph.pull()
    return None


def _sign(value: int) -> int:
    return -1 if value < 0 else 1
