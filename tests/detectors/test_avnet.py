"""The networks of a bundle as a detector like any other."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import avdetect
from avdetect.api import Detector
from avdetect.detectors import DETECTORS
from avdetect.detectors.asking import evidence_of
from avdetect.detectors.clip_scorer import ClipScorer
from avdetect.detectors.judging import score_with
from avdetect.detectors.named import Named, load_named
from avdetect.evaluation.scoring import scores_of
from avdetect.evidence_folder import track_evidence
from avdetect.inference import score_file
from avdetect.plugin_errors import PluginError
from avdetect.testing import synthetic_clip
from tests.small_nets import small_detector


@pytest.fixture
def avnet(monkeypatch: pytest.MonkeyPatch) -> Named:
    """With small networks in the place of the bundle's."""
    monkeypatch.setattr(avdetect, "load", lambda bundle=None: small_detector("audio"))
    return load_named("avnet")


def test_it_is_found_and_keeps_the_contract(avnet: Named) -> None:
    assert "avnet" in DETECTORS.names() and isinstance(avnet.detector, Detector)
    assert avnet.distribution == f"avdetect {avdetect.__version__}" and avnet.calibration is not None
    assert avnet.card["sha256"] == "0" * 64


def test_naming_it_gives_the_report_of_the_bundle(avnet: Named, voice: Path) -> None:
    report = score_with(voice, [avnet])
    expected = score_file(voice, small_detector("audio"))
    assert report.probability_fake is not None
    (entry,) = report.detectors
    assert (entry.name, entry.probability_fake) == ("avnet", report.probability_fake)
    assert dataclasses.replace(report, detectors=()) == expected


def test_clips_score_alike_by_either_door(avnet: Named) -> None:
    clip = synthetic_clip(3, 60)
    direct = small_detector("audio").evidence(clip)
    found = evidence_of(avnet, clip)
    for name in ("visual", "audio", "speech", "similarity"):
        np.testing.assert_array_equal(getattr(found, name), getattr(direct, name))
    scored = [
        scores_of(track_evidence(clip, detector.evidence(clip)), detector.calibration)
        for detector in (ClipScorer(avnet), small_detector("audio"))
    ]
    assert scored[0] == scored[1]


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="making it failed: FileNotFoundError"):
        load_named("avnet", bundle=tmp_path)
