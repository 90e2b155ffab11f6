"""From evidence to a verdict: calibrated, explained, and silent about what could not be measured."""

from __future__ import annotations

from avdetect.verdict.analysis import NO_FACE_TRACK, Analysis, TrackEvidence
from avdetect.verdict.audit import audit_sync
from avdetect.verdict.judge import judge

__all__ = ["NO_FACE_TRACK", "Analysis", "TrackEvidence", "audit_sync", "judge"]
