"""The kit for metrics finds what is broken, and nothing else; those built in keep their contract, and are right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from avdetect.evaluation.registry import METRICS
from avdetect.testing import check_metric, metric_checks
from avdetect.testing.conformance import ConformanceError
from avdetect.testing.metric_kit import KIT
from tests.testing.broken_metrics import BROKEN, SOUND
from tests.testing.proving import case_names, cases, failed_checks, names_of

KNOWN: dict[str, Mapping[str, Any]] = {
    "auc": {"perfect": 1, "constant": 0.5, "inverted": 0},
    "ap": {"perfect": 1},
    "eer": {"perfect": 0, "constant": 0.5, "inverted": 1},
    "tpr_at_fpr": {kind: {"1%": v, "5%": v} for kind, v in (("perfect", 1), ("constant", 0), ("inverted", 0))},
    "accuracy": {"perfect": 1, "inverted": 0},
    "balanced_accuracy": {"perfect": 1, "constant": 0.5, "inverted": 0},
    "brier": {"perfect": 0, "constant": 0.25, "inverted": 1},
    "nll": {"perfect": 0, "constant": math.log(2), "inverted": 6 * math.log(10)},
    "ece": {"perfect": 0, "constant": 0.25, "inverted": 1},
    "ece_even": {"perfect": 0, "constant": 0, "inverted": 1},
    "cllr": {"perfect": 0, "constant": 1, "inverted": 6 * math.log2(10)},
    "min_cllr": {"perfect": 0, "constant": 1, "inverted": 1},
    "four_way": {
        "perfect": {"macro F1": 1, "accuracy": 1},
        "constant": {"macro F1": 0.1, "accuracy": 0.25},
        "inverted": {"macro F1": 0},
    },
    "offset_accuracy": {"perfect": {"K=5": 1}, "constant": {"K=15": 0.25}, "inverted": {"K=5": 0}},
    "lse": {"perfect": {"C": 6.55, "D": 7.45}},
    "segment_ap": {"perfect": {"@0.5": 1, "@0.95": 1}, "inverted": {"mean": 0}},
    "segment_ar": {"perfect": {"@5": 1, "mean": 1}, "inverted": {"mean": 0}},
}
"""Of a table of twelve clips of each class, so three quarters are forged; nothing here was taken from a run."""


@pytest.mark.parametrize("plugin", SOUND, ids=["one value", "two values"])
def test_nothing_is_found_where_nothing_is_wrong(plugin: Any) -> None:
    assert check_metric(plugin) == {"known_values": "no known values were given"}


def test_known_values_are_of_three_quarters_forged() -> None:
    assert check_metric(SOUND[0], known={"perfect": 1 / 4, "constant": 0.0, "inverted": -3 / 4}) == {}


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    known = {"constant": 0.0} if check == "known_values" else None
    with pytest.raises(ConformanceError) as raised:
        check_metric(plugin, known=known)
    assert raised.value.check == check and raised.value.kind == "metric" and raised.value.seen


@pytest.mark.parametrize("check", ["orientation", "unscored", "single_class", "missing_columns", "order", "input_kept"])
def test_and_no_other(check: str) -> None:
    assert set(failed_checks(KIT, BROKEN[check][0])) == {check}


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in metric_checks()]


@pytest.mark.parametrize("name", METRICS.builtins())
def test_built_in(name: str) -> None:
    assert set(check_metric(name, known=KNOWN.get(name))) <= {"known_values"}


def test_known_values_are_of_those_that_exist() -> None:
    assert set(KNOWN) <= set(METRICS.builtins())
