"""A detector for prepared clips, as `avdetect.evaluation` uses them."""

from __future__ import annotations

import hashlib
from typing import Any

from avdetect.calibration import Calibration
from avdetect.detectors.asking import evidence_of
from avdetect.detectors.named import Named
from avdetect.media.digest import file_digest
from avdetect.types import Clip, Evidence


class ClipScorer:
    """Has of `avdetect.Detector` what scoring clips takes.

    Attributes:
        calibration: the detector's own, or the neutral one.
        needs: which of ``picture`` and ``sound`` it judges clips by.
        card: name, version, and a SHA-256 by which a table of scores knows the detector again: that of its weights if
            its card has one, else of name, version and distribution, and of the code where that is a file named.
        about: name, version and distribution, for tables.
    """

    def __init__(self, named: Named):
        self._named, self.needs = named, named.needs
        self.calibration = named.calibration or Calibration()
        self.about = {"name": named.name, "version": named.version, "distribution": named.distribution}
        self.card: dict[str, Any] = {"sha256": _fingerprint(named), **named.card}

    def evidence(self, clip: Clip) -> Evidence:
        """What it says of a clip of any length; NaN where it cannot be asked.

        Raises:
            PluginError: it fails, or answers otherwise than its contract says.
        """
        return evidence_of(self._named, clip)


def _fingerprint(named: Named) -> str:
    place = named.entry.target.rpartition(":")[0]
    code = file_digest(place) if place.endswith(".py") else ""
    text = "\n".join([named.name, named.version, named.distribution, named.entry.target, code])
    return hashlib.sha256(text.encode()).hexdigest()
