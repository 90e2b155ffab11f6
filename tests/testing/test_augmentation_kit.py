"""The kit for augmentations finds what is broken, and nothing else; those built in keep their contract."""

from __future__ import annotations

from typing import Any

import pytest

from avdetect.augment import AUGMENTATIONS
from avdetect.testing import augmentation_checks, check_augmentation
from avdetect.testing.augmentation_kit import KIT
from avdetect.testing.conformance import ConformanceError
from tests.testing.broken_augmentations import BROKEN, SOUND
from tests.testing.proving import case_names, cases, failed_checks, names_of


@pytest.mark.parametrize("plugin", SOUND)
def test_nothing_is_found_where_nothing_is_wrong(plugin: Any) -> None:
    assert check_augmentation(plugin) == {}


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        check_augmentation(plugin)
    assert raised.value.check == check and raised.value.seen and raised.value.plugin in str(raised.value)


@pytest.mark.parametrize("check", [name for name in BROKEN if name not in ("declared", "alike")])
def test_and_no_other(check: str) -> None:
    plugin = BROKEN[check][-1]
    assert set(failed_checks(KIT, plugin)) == {check}


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in augmentation_checks()]


@pytest.mark.parametrize("name", AUGMENTATIONS.builtins())
def test_built_in(name: str) -> None:
    assert check_augmentation(name) == {}
