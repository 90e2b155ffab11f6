"""A detector that is ready, and whose it is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.api import Detector, InputContract
from avdetect.calibration import Calibration
from avdetect.detectors import DETECTORS
from avdetect.plugin_errors import PluginError, PluginWarning
from avdetect.registry import Entry

BUNDLED = "avnet"
"""Name of the detector that takes a bundle."""


@dataclass(frozen=True)
class Named:
    """A detector with what the registry knows of it."""

    detector: Detector
    entry: Entry

    @property
    def name(self) -> str:
        """Its own, as reports and combinations call it."""
        return self.detector.name

    @property
    def version(self) -> str:
        """Its own."""
        return self.detector.version

    @property
    def distribution(self) -> str:
        """Whose it is, with the version; empty for code named by its place."""
        return f"{self.entry.distribution} {self.entry.version}".strip()

    @property
    def needs(self) -> frozenset[str]:
        """Which of ``picture`` and ``sound`` a clip must have."""
        return frozenset(self.detector.modalities)

    @property
    def contract(self) -> InputContract:
        """Which clips it can be given."""
        return self.detector.contract

    @property
    def calibration(self) -> Calibration | None:
        """The one that it brings, if any."""
        return getattr(self.detector, "calibration", None)

    @property
    def card(self) -> dict[str, Any]:
        """Name, version and SHA-256 of weights, for reports."""
        return {"name": self.name, "version": self.version, **dict(getattr(self.detector, "card", None) or {})}

    def blame(self, cause: str) -> PluginError:
        """An error that names the detector, its version, and whose it is."""
        e = self.entry
        return PluginError(
            f"{self.name} {self.version}: {cause}",
            kind=e.kind,
            name=e.name,
            distribution=e.distribution,
            version=e.version,
            target=e.target,
        )


def load_named(spec: str, *, bundle: str | Path | None = None) -> Named:
    """Make a detector.

    Args:
        spec: registered name, ``package.module:attribute`` or ``path/to/file.py:attribute``, named by the user.
        bundle: for ``avnet``.

    Raises:
        PluginError: it does not exist, cannot be made, or does not keep the contract.
    """
    arguments = (bundle,) if spec == BUNDLED and bundle is not None else ()
    made = DETECTORS.create(spec, *arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # they were given just now
        named = Named(made, DETECTORS.find(spec))
    detector = named.detector
    for what in ("name", "version"):
        if not isinstance(value := getattr(detector, what), str) or not (value or what == "version"):
            raise named.blame(f"its {what} is {value!r}; it must be a text")
    if not isinstance(detector.contract, InputContract):
        raise named.blame(f"its contract is {detector.contract!r}; it must be an avdetect.api.InputContract")
    if not isinstance(named.calibration, Calibration | None):
        raise named.blame(
            f"its calibration is a {type(named.calibration).__name__}; it must be an avdetect.calibration.Calibration"
        )
    return named


def load_all(specs: Sequence[str], *, bundle: str | Path | None = None) -> list[Named]:
    """Several, in the order given.

    Raises:
        PluginError: see :func:`load_named`; or two call themselves the same.
    """
    found: list[Named] = []
    for spec in specs:
        named = load_named(spec, bundle=bundle)
        if twin := next((other for other in found if other.name == named.name), None):
            raise named.blame(f"{twin.entry.name} has the same name; results could not be told apart")
        found.append(named)
    return found
