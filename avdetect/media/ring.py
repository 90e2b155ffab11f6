"""Memory shared by the decoder process and its parent: a few slots, each with room for one block.

The segment has no name in the file system, so nothing can be left behind when either side is killed. The parent
makes it, gives it its size and seals the size: a decoder gone wild cannot shrink it under the parent's feet.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from dataclasses import dataclass

import numpy as np

from avdetect.media.rates import SAMPLES_PER_TICK

_F_ADD_SEALS = 1033
_SEAL_ALL_SIZES = 0x1 | 0x2 | 0x4  # F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW
_MFD_CLOEXEC_ALLOW_SEALING = 0x1 | 0x2
_ALIGN = 64


@dataclass(frozen=True)
class Slot:
    """Views into one slot. ``frames`` or ``audio`` is ``None`` where the file has no such stream."""

    frames: np.ndarray | None
    audio: np.ndarray | None
    frame_pts_s: np.ndarray
    frame_index: np.ndarray
    frame_valid: np.ndarray
    audio_valid: np.ndarray


@dataclass(frozen=True)
class RingShape:
    """Sizes that both sides agree on; ``height`` and ``width`` are 0 without a picture."""

    slots: int
    ticks: int
    height: int
    width: int
    sound: bool

    def _fields(self) -> list[tuple[str, tuple[int, ...], type]]:
        rows: list[tuple[str, tuple[int, ...], type]] = [
            ("frame_pts_s", (self.ticks,), np.float64),
            ("frame_index", (self.ticks,), np.int32),
            ("frame_valid", (self.ticks,), np.bool_),
            ("audio_valid", (self.ticks,), np.bool_),
        ]
        if self.sound:
            rows.append(("audio", (self.ticks * SAMPLES_PER_TICK,), np.float32))
        if self.height and self.width:
            rows.append(("frames", (self.ticks, self.height, self.width, 3), np.uint8))
        return rows

    def slot_bytes(self) -> int:
        """Bytes of one slot, a multiple of 64."""
        return sum(_padded(int(np.prod(shape)) * np.dtype(kind).itemsize) for _, shape, kind in self._fields())

    def total_bytes(self) -> int:
        """Bytes of the whole segment."""
        return self.slots * self.slot_bytes()

    def views(self, memory: mmap.mmap | bytearray) -> list[Slot]:
        """The slots as arrays over ``memory`` (not copies)."""
        out = []
        for number in range(self.slots):
            at = number * self.slot_bytes()
            arrays: dict[str, np.ndarray | None] = {"frames": None, "audio": None}
            for name, shape, kind in self._fields():
                count = int(np.prod(shape))
                arrays[name] = np.frombuffer(memory, kind, count, at).reshape(shape)
                at += _padded(count * np.dtype(kind).itemsize)
            out.append(Slot(**arrays))  # type: ignore[arg-type]
        return out


def make_segment() -> int:
    """A file descriptor of an empty, unnamed memory segment that a child may inherit."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("avdetect-ring", _MFD_CLOEXEC_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def size_segment(descriptor: int, size: int) -> None:
    """Give the segment its size, for good where the system can seal it."""
    os.ftruncate(descriptor, size)
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.fcntl(descriptor, _F_ADD_SEALS, _SEAL_ALL_SIZES)


def _padded(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN
