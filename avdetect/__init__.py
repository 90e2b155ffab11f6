"""avdetect: audio-visual deepfake detection and lip-sync audit.

    >>> import avdetect
    >>> report = avdetect.score("clip.mp4")          # doctest: +SKIP
    >>> report.verdict, report.probability_fake      # doctest: +SKIP

`score` and `audit` take a file; `load` gives a detector for clips (``detector.score(clip)``). Importing this package
imports neither JAX nor NumPy: that happens on first use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from avdetect.detector import Detector
    from avdetect.media.errors import MediaError
    from avdetect.report.audit import Audit
    from avdetect.report.schema import Report
    from avdetect.types import Clip, Evidence, Label, Segment

__version__ = "0.1.0"
__all__ = [
    "Audit",
    "Clip",
    "Detector",
    "Evidence",
    "Label",
    "MediaError",
    "Report",
    "Segment",
    "audit",
    "load",
    "score",
]

_LAZY = {
    "Audit": "avdetect.report.audit",
    "Clip": "avdetect.types",
    "Detector": "avdetect.detector",
    "Evidence": "avdetect.types",
    "Label": "avdetect.types",
    "MediaError": "avdetect.media.errors",
    "Report": "avdetect.report.schema",
    "Segment": "avdetect.types",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'avdetect' has no attribute {name!r}")


def load(bundle: str | Path | None = None, *, allow: Collection[str] = ()) -> Detector:
    """A detector from a bundle; the bundle that ships with the package by default.

    Args:
        bundle: its folder.
        allow: encoders and heads that are not built in and that the bundle may load: names of installed plugins or of
            their distributions, ``package.module:attribute``, or ``path/to/file.py:attribute``.

    Raises:
        FileNotFoundError: the folder is not a bundle.
        ValueError: it was made under another preprocessing contract, or is damaged.
        PluginError: it names an encoder or a head that is not allowed, not installed or broken.
    """
    from avdetect.bundle import load_detector
    from avdetect.devices import use_compilation_cache

    use_compilation_cache()
    return load_detector(bundle, allow=allow)


@lru_cache(maxsize=1)
def _default() -> Detector:
    return load()


def score(path: str | Path, *, detector: Detector | None = None) -> Report:
    """Score one media file.

    Args:
        path: video, sound or still picture.
        detector: from :func:`load`; the default bundle if not given (loaded once).

    Raises:
        MediaError: the file cannot be read; says what is wrong with it.
    """
    from avdetect.inference import score_file

    return score_file(path, detector or _default())


def audit(path: str | Path, *, detector: Detector | None = None) -> Audit:
    """Audit the lip sync of one media file: offset over time, drift, and the ITU-R BT.1359 band.

    Args:
        path: a video with sound.
        detector: from :func:`load`; the default bundle if not given (loaded once).

    Raises:
        MediaError: the file cannot be read; says what is wrong with it.
    """
    from avdetect.inference import audit_file

    return audit_file(path, detector or _default())
