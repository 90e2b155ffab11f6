"""The kit for speech engines finds what is broken, and nothing else; those built in keep their contract."""

from __future__ import annotations

from typing import Any

import pytest

from avdetect.forge.engines import ENGINES
from avdetect.testing import check_engine, engine_checks
from avdetect.testing.conformance import ConformanceError
from avdetect.testing.engine_kit import KIT
from tests.testing.broken_engines import BROKEN, SOUND
from tests.testing.proving import case_names, cases, failed_checks, names_of


@pytest.mark.parametrize("plugin", SOUND)
def test_nothing_is_found_where_nothing_is_wrong(plugin: Any) -> None:
    assert check_engine(plugin) == {"missing": "it can speak here"}


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        check_engine(plugin)
    assert raised.value.check == check and raised.value.kind == "speech engine" and raised.value.seen


@pytest.mark.parametrize("check", ["missing", "words", "deterministic"])
def test_and_no_other(check: str) -> None:
    assert set(failed_checks(KIT, BROKEN[check][0])) == {check}


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in engine_checks()]


@pytest.mark.parametrize("name", ENGINES.builtins())
def test_built_in(name: str) -> None:
    """Where it is installed, all of it; where not, that it says so."""
    skipped = check_engine(name)
    if ENGINES.get(name).available():
        assert set(skipped) == {"sound", "words", "deterministic"}
    else:
        assert set(skipped) == {"missing"}
