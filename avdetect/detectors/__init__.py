"""Detectors by name, and files through detectors that others wrote.

A detector keeps the contract `avdetect.api.Detector`: clips in, evidence out. This room cuts the tracks of a file into
the clips that a detector can be given, asks it, checks what it answers, puts the answers together along the tracks and
lets `avdetect.verdict` judge them; and it combines several detectors by a rule that was fitted on validation clips.
"""

from __future__ import annotations

from avdetect.registry import Registry

DETECTORS = Registry("detector", "avdetect.detectors", {"avnet": "avdetect.detectors.avnet:AvNet"})
