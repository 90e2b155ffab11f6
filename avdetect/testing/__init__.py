"""Material for tests: drawn faces that speak, with everything about them known; and kits that check plugins.

A kit looks whether a plugin does what its contract in `avdetect.api` says: ``check_detector(plugin)`` makes all
checks and raises a `ConformanceError` that names the check, the plugin and what was seen. ``detector_checks()`` gives
name and function of each, for ``pytest.mark.parametrize``. Public names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avdetect.testing.clip import synthetic_clip
    from avdetect.testing.conformance import ConformanceError
    from avdetect.testing.detector_kit import check_detector, detector_checks
    from avdetect.testing.video import write_synthetic_video
    from avdetect.testing.voice import synthetic_speech

_KITS = ("augmentation", "detector", "encoder", "engine", "forgery", "metric", "reporter", "source")
_HOMES = {
    "ConformanceError": "conformance",
    "synthetic_clip": "clip",
    "synthetic_speech": "voice",
    "write_synthetic_video": "video",
    **{name: f"{kind}_kit" for kind in _KITS for name in (f"check_{kind}", f"{kind}_checks")},
}
__all__ = [
    "ConformanceError",
    "check_detector",
    "detector_checks",
    "synthetic_clip",
    "synthetic_speech",
    "write_synthetic_video",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
