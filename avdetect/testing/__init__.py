"""Material for tests: drawn faces that speak, as clips and as video files, with everything about them known.

Public names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avdetect.testing.clip import synthetic_clip
    from avdetect.testing.video import write_synthetic_video
    from avdetect.testing.voice import synthetic_speech

_HOMES = {"synthetic_clip": "clip", "synthetic_speech": "voice", "write_synthetic_video": "video"}
__all__ = ["synthetic_clip", "synthetic_speech", "write_synthetic_video"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
