"""The contracts: cheap to import, without a default for the version, and kept by what is built in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import avdetect.api as api
from avdetect.forge import FORGERIES
from avdetect.report.reporters import Json

CONTRACTS = ("Detector", "VisualEncoder", "AudioEncoder", "FusionHead", "Source", "Forgery", "Augmentation", "Reporter")


def test_importing_the_contracts_is_cheap() -> None:
    code = "import sys, json, avdetect.api; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"jax", "flax", "cv2", "numpy", "importlib.metadata", "rich"} & set(json.loads(done.stdout))


def test_everything_that_is_promised_is_there() -> None:
    for name in api.__all__:
        thing = getattr(api, name)
        assert thing == api.API_VERSION or thing.__doc__, name
    assert set(CONTRACTS) <= set(api.__all__)
    with pytest.raises(AttributeError, match=r"avdetect\.api.*Detectors"):
        api.Detectors  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", CONTRACTS)
def test_no_contract_states_the_version_for_those_that_inherit_it(name: str) -> None:
    """What was written for one version must not claim another after an update."""

    class Heir(getattr(api, name)):
        def __init__(self) -> None:
            pass

    assert not isinstance(getattr(Heir, "api_version", None), int)
    assert not isinstance(getattr(Heir(), "api_version", None), int)


def test_dataclasses_do_not_state_it_either() -> None:
    assert api.Family(lambda clip, rng, others=(): clip, ("sound",), "").api_version == 0
    assert api.Metric(lambda table, context: 0.0, "").api_version == 0


def test_what_is_built_in_keeps_the_contract() -> None:
    assert all(isinstance(FORGERIES.get(name), api.Forgery) for name in FORGERIES.builtins())
    assert not isinstance(Json, api.Forgery)


@pytest.mark.parametrize(("longest", "shortest", "batch"), [(0, 1, 8), (10, 11, 8), (10, 0, 8), (10, 1, 0)])
def test_an_input_contract_that_no_clip_can_meet_is_refused(longest: int, shortest: int, batch: int) -> None:
    with pytest.raises(ValueError, match="1 <= min_ticks <= max_ticks"):
        api.InputContract(longest, shortest, batch)
    assert api.InputContract(250) == api.InputContract(max_ticks=250, min_ticks=1, batch=8)


def test_the_module_says_what_the_version_means() -> None:
    text = Path(api.__file__).read_text()
    assert f"``api_version = {api.API_VERSION}``" in text
