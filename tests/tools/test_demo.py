from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from tools.demo import app, checks


def judged(offset_ms: float | None, mismatch: float | None) -> Any:
    return SimpleNamespace(audit=SimpleNamespace(offset_ms=offset_ms), mismatch=mismatch)


@pytest.mark.parametrize(
    ("original", "late", "dubbed", "expected"),
    [
        ((20.0, 0.1), (335.0, 0.1), (None, 0.9), [True, True]),
        ((20.0, 0.1), (280.0, 0.1), (None, 0.9), [True, True]),
        ((20.0, 0.1), (279.0, 0.1), (None, 0.9), [False, True]),
        ((20.0, 0.1), (-300.0, 0.1), (None, 0.9), [False, True]),
        ((20.0, 0.5), (340.0, 0.5), (None, 0.5), [True, False]),
        ((None, 0.1), (340.0, 0.1), (None, 0.9), [False, True]),
        ((20.0, 0.1), (340.0, 0.1), (None, None), [True, False]),
    ],
)
def test_the_demonstration_fails_when_what_is_known_is_not_found(original, late, dubbed, expected) -> None:
    assert [passed for _, passed in checks(judged(*original), judged(*late), judged(*dubbed))] == expected


def test_help_is_shown_and_nothing_is_run() -> None:
    done = CliRunner().invoke(app, ["--help"])
    assert done.exit_code == 0 and "a real talking head" in done.output and "ok " not in done.output
