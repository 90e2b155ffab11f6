"""What a media file may cost before it is refused."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """Bounds on the decoding of ONE file. The defaults let a two-hour 4K file pass.

    Attributes:
        wall_s: seconds that the caller may wait for the decoder, all waits of one file together. Time that the
            caller spends on its own work between blocks does not count.
        stall_s: seconds of a single wait for the next block (or for the first answer).
        cpu_s: processor seconds of the decoder process.
        memory_bytes: address space of the decoder process.
        frame_pixels: pixels of one picture, as coded.
        frames: pictures decoded.
        streams: streams of all kinds in the container.
        duration_s: seconds on the clock.
        picture_side: longest side of a delivered picture; larger ones are scaled down, keeping their aspect.
    """

    wall_s: float = 4 * 3600.0
    stall_s: float = 30.0
    cpu_s: float = 8 * 3600.0
    memory_bytes: int = 4 << 30
    frame_pixels: int = 1 << 26
    frames: int = 2_000_000
    streams: int = 64
    duration_s: float = 6 * 3600.0
    picture_side: int = 1280

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not value > 0:
                raise ValueError(f"Limits.{each.name} is {value!r}; give a number above 0")
