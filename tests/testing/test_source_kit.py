"""The kit for readers finds what is broken, and nothing else; those built in keep their contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avdetect.data.sources import SOURCES
from avdetect.testing import check_source, source_checks
from avdetect.testing.conformance import ConformanceError
from avdetect.testing.source_kit import KIT
from tests.testing.broken_sources import BROKEN, Studio, tree
from tests.testing.proving import case_names, cases, failed_checks, names_of
from tests.testing.trees import OPTIONS, tree_of


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    assert check_source(Studio, tree) == {}
    tree(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert check_source(Studio, tmp_path) == {}, "a tree that exists"
    assert sorted(tmp_path.rglob("*")) == before, "of which nothing is taken"


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        check_source(plugin, tree)
    assert raised.value.check == check and raised.value.kind == "source" and plugin.__name__ in str(raised.value)


@pytest.mark.parametrize("check", ["labels", "order", "empty", "missing_parts", "missing_labels", "one_absent"])
def test_and_no_other(check: str) -> None:
    assert set(failed_checks(KIT, BROKEN[check][0], tree)) == {check}


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in source_checks()]


@pytest.mark.parametrize("name", SOURCES.builtins())
def test_built_in(name: str) -> None:
    skipped = check_source(name, tree_of(name), options=OPTIONS.get(name))
    assert set(skipped) <= {"missing_labels", "missing_parts", "one_absent"}, skipped


def test_a_tree_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConformanceError, match="nowhere is not a folder"):
        check_source(Studio, tmp_path / "nowhere")
