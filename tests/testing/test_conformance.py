"""What the kits share: light to import, one for every kind of plugin, errors that say what is so."""

from __future__ import annotations

import copy
import inspect
import random
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import avdetect.testing
from avdetect.plugins import registries
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import Broken, ConformanceError, DoesNotApply, Kit, global_chance, named, require

KIT_OF = {
    "detector": "detector",
    "source": "source",
    "forgery": "forgery",
    "augmentation": "augmentation",
    "metric": "metric",
    "visual_encoder": "encoder",
    "audio_encoder": "encoder",
    "fusion_head": "encoder",
    "reporter": "reporter",
    "engine": "engine",
}


def test_every_kind_of_plugin_has_a_kit() -> None:
    assert set(KIT_OF) == set(registries())
    for kind in set(KIT_OF.values()):
        check, pairs = (getattr(avdetect.testing, name) for name in (f"check_{kind}", f"{kind}_checks"))
        assert callable(check) and dict(pairs())
        assert {f"check_{kind}", f"{kind}_checks"} <= set(avdetect.testing.__all__)


@pytest.mark.parametrize("kind", sorted(set(KIT_OF.values())))
def test_every_check_says_what_is_promised(kind: str) -> None:
    kit: Kit[Any] = import_module(f"avdetect.testing.{kind}_kit").KIT
    for check in kit.checks:
        told = inspect.getdoc(check) or ""
        assert told.endswith(".") and "\n" not in told, check


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, avdetect.testing; "
        "heavy = {'jax', 'flax', 'cv2', 'numpy', 'scipy', 'pytest'} & set(sys.modules); "
        "assert not heavy, heavy; "
        "import avdetect.testing.detector_kit; "
        "from avdetect.testing import check_detector, source_checks; "
        "assert callable(check_detector) and 'flax' not in sys.modules, 'a detector need not be of JAX'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@dataclass(frozen=True)
class Pair:
    """A number and an array."""

    number: float
    array: np.ndarray


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        (np.zeros(3), np.array([0, 1e-9, 0]), r"it\[1\] is 0.0 in one case and 1e-09 in the other \(1 of 3 values"),
        (np.zeros(3), np.zeros(4), r"float64\[3\] in one case and float64\[4\]"),
        (np.zeros(3), np.zeros(3, np.float32), r"float64\[3\] in one case and float32\[3\]"),
        (np.array([1, np.nan]), np.array([1, 2.0]), r"it\[1\] is nan in one case and 2.0"),
        (Pair(1, np.zeros(2)), Pair(1, np.array([0, 2.0])), r"array\[1\]"),
        (Pair(1, np.zeros(2)), Pair(2, np.zeros(2)), "number is 1.0 in one case and 2.0"),
        ({"a": 1}, {"b": 1}, "entries"),
        ({"a": [1, (2, 3)]}, {"a": [1, (2, 4)]}, r"it\['a'\]\[1\]\[1\] is 3.0 in one case and 4.0"),
        ([1], [1, 2], "1 parts in one case and 2"),
        ("x", None, "'x' in one case and None"),
        (True, 1, "True in one case and 1"),
        (np.array([None, "a"], object), np.array([None, "b"], object), r"it\[1\] is 'a'"),
    ],
)
def test_a_difference_is_found_and_told(a: Any, b: Any, told: str) -> None:
    import re

    assert re.search(told, difference(a, b))
    for same in (a, b):
        assert difference(same, copy.deepcopy(same)) == ""


def test_a_tolerance_is_of_the_larger_or_of_one() -> None:
    assert difference(np.array([100.0]), np.array([100.05]), tolerance=1e-3) == ""
    assert difference(np.array([1e-4]), np.array([5e-4]), tolerance=1e-3) == ""
    assert difference(np.array([1.0]), np.array([1.01]), tolerance=1e-3)
    assert difference(np.array([np.inf]), np.array([1.0]), tolerance=1e-3)
    assert difference(1, 1.0) == ""


def promise(subject: int) -> None:
    """It is more than one."""
    require(subject > 1, f"it is {subject}")


def other(subject: int) -> None:
    """It is a number that can be halved, if it is small."""
    if subject > 100:
        raise DoesNotApply("it is large")
    require(10 // (subject - 7) or True, "")


KIT = Kit("number", int, (promise, other))


def test_the_first_failure_is_told_with_check_and_plugin() -> None:
    with pytest.raises(AssertionError) as raised:
        KIT.run("1")
    error = raised.value
    assert isinstance(error, ConformanceError)
    assert (error.kind, error.plugin, error.check, error.seen) == ("number", "1", "promise", "it is 1")
    assert str(error) == "number '1' fails the check 'promise': it is 1"
    assert str(copy.copy(error)) == str(error), "as test runners hand it from process to process"


def test_an_exception_of_the_plugin_is_a_failure_and_kept() -> None:
    with pytest.raises(ConformanceError, match="fails the check 'other': it raised ZeroDivisionError") as raised:
        KIT.run("7")
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    with pytest.raises(ConformanceError, match="fails the check 'loads': it raised ValueError"):
        KIT.run("seven")


def test_what_does_not_apply_is_told() -> None:
    assert KIT.run("101") == {"other": "it is large"} and KIT.run("12") == {}
    pairs = dict(KIT.pairs())
    assert pairs["promise"]("101") == "" and pairs["other"]("101") == "it is large"
    with pytest.raises(ConformanceError, match="promise"):
        pairs["promise"]("0")


def test_global_chance_is_left_as_it_was() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    with pytest.raises(Broken), global_chance(5):
        random.random()
        require(False, "something")
    assert random.random() == expected


def test_how_plugins_are_called() -> None:
    assert named("avnet") == "avnet" and named(Pair).endswith("test_conformance:Pair")
    assert named(Pair(1, np.zeros(1))) == named(Pair) and named(promise).endswith(":promise")
