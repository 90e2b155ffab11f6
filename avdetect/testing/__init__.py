"""Material for tests: drawn faces that speak, with everything about them known; and kits that check plugins.

A kit looks whether a plugin does what its contract in `avdetect.api` says: ``check_detector(plugin)`` makes all
checks and raises a `ConformanceError` that names the check, the plugin and what was seen. ``detector_checks()`` gives
name and function of each, for ``pytest.mark.parametrize``. Public names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avdetect.testing.augmentation_kit import augmentation_checks, check_augmentation
    from avdetect.testing.clip import synthetic_clip
    from avdetect.testing.conformance import ConformanceError
    from avdetect.testing.detector_kit import check_detector, detector_checks
    from avdetect.testing.encoder_kit import check_encoder, encoder_checks
    from avdetect.testing.engine_kit import check_engine, engine_checks
    from avdetect.testing.forgery_kit import check_forgery, forgery_checks
    from avdetect.testing.metric_kit import check_metric, metric_checks
    from avdetect.testing.reporter_kit import check_reporter, reporter_checks
    from avdetect.testing.source_kit import check_source, source_checks
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
    "augmentation_checks",
    "check_augmentation",
    "check_detector",
    "check_encoder",
    "check_engine",
    "check_forgery",
    "check_metric",
    "check_reporter",
    "check_source",
    "detector_checks",
    "encoder_checks",
    "engine_checks",
    "forgery_checks",
    "metric_checks",
    "reporter_checks",
    "source_checks",
    "synthetic_clip",
    "synthetic_speech",
    "write_synthetic_video",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
