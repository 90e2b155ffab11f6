"""The kit for formats of output finds what is broken, and nothing else; those built in keep their contract."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from avdetect.report import REPORTERS
from avdetect.report.schema import json_schema
from avdetect.testing import check_reporter, reporter_checks
from avdetect.testing.conformance import ConformanceError
from avdetect.testing.reporter_kit import KIT
from avdetect.testing.results import reports
from tests.testing.broken_reporters import BROKEN, SOUND
from tests.testing.proving import case_names, cases, failed_checks, names_of


@pytest.mark.parametrize("plugin", SOUND)
def test_nothing_is_found_where_nothing_is_wrong(plugin: Any) -> None:
    assert set(check_reporter(plugin)) <= {"strict_json"}


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        check_reporter(plugin)
    assert raised.value.check == check and raised.value.kind == "reporter" and plugin.__name__ in str(raised.value)


@pytest.mark.parametrize("check", ["tells_apart", "deterministic", "input_kept", "strict_json"])
def test_and_no_other(check: str) -> None:
    assert set(failed_checks(KIT, BROKEN[check][-1])) == {check}


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in reporter_checks()]


@pytest.mark.parametrize("name", REPORTERS.builtins())
def test_built_in(name: str) -> None:
    assert set(check_reporter(name)) <= ({"strict_json"} if name in ("table", "tsv") else set())


def test_the_reports_shown_are_valid() -> None:
    for result in reports():
        jsonschema.validate(json.loads(result.to_json()), json_schema())
