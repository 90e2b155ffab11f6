"""The kit for detectors finds what is broken, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import avdetect
from avdetect.detectors import DETECTORS
from avdetect.testing import check_detector, detector_checks
from avdetect.testing.conformance import ConformanceError
from avdetect.testing.detector_kit import KIT
from tests.small_nets import small_detector
from tests.testing.broken_detectors import BROKEN, SOUND, Sound
from tests.testing.proving import case_names, cases, failed_checks, names_of


@pytest.mark.parametrize("plugin", SOUND)
def test_nothing_is_found_where_nothing_is_wrong(plugin: Any) -> None:
    skipped = check_detector(plugin)
    assert "made_twice" not in skipped or isinstance(plugin, Sound)


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        check_detector(plugin)
    assert raised.value.check == check and raised.value.kind == "detector"
    assert plugin.__name__ in str(raised.value) and check in str(raised.value)


@pytest.mark.parametrize(
    "check", ["answers", "input_kept", "batch_of_one", "mixed_batch", "padding", "silent_clip", "sound_alone"]
)
def test_and_no_other(check: str) -> None:
    """But for the mixed batch, which asks for all that others ask for one by one."""
    failed = set(failed_checks(KIT, BROKEN[check][-1]))
    assert check in failed and failed <= {check, "mixed_batch"}


@pytest.mark.parametrize(("name", "check"), detector_checks())
def test_checks_one_by_one(name: str, check: Callable[..., str]) -> None:
    """As an author would write it."""
    reason = check(Sound, longest=40)
    assert reason == ("it does not say that it compiles" if name == "compiles_once" else "")


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in detector_checks()]


@pytest.mark.parametrize("name", DETECTORS.builtins())
def test_built_in(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With small networks in the place of those of a bundle, which need not be there."""
    monkeypatch.setattr(avdetect, "load", lambda bundle=None: small_detector())
    skipped = check_detector(name, longest=60)
    assert set(skipped) <= {"batch_of_one", "mixed_batch", "compiles_once"}


def test_a_plugin_is_found_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from tests.testing.broken_detectors import Sound\n\n\nclass Mine(Sound):\n    name = 'mine'\n")
    assert check_detector(f"{path}:Mine") == {"compiles_once": "it does not say that it compiles"}
    with pytest.raises(ConformanceError, match=r"loads.*no 'Other'") as raised:
        check_detector(f"{path}:Other")
    assert raised.value.plugin == f"{path}:Other"
