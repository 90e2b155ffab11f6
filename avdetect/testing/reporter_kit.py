"""Does a format of output do what `avdetect.api.Reporter` says?"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from avdetect.api import Reporter
from avdetect.commands import score
from avdetect.report import REPORTERS
from avdetect.report.forms import Forms
from avdetect.report.schema import FailedReport
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import (
    Broken,
    DoesNotApply,
    Kit,
    global_chance,
    require,
    require_kind,
    require_version,
)
from avdetect.testing.results import of_each_kind, report, reports


@dataclass(frozen=True)
class Subject:
    """How a reporter is made."""

    make: Callable[..., Reporter]

    def text(self, forms: Forms, results: Sequence[Any], *, single: bool = False) -> str:
        """All that it says of some results, as it would be written.

        Raises:
            Broken: it says something other than text.
        """
        reporter = self.make(forms, single=single)
        parts = [_said("head()", reporter.head())]
        parts += [_said(f"each() of {_kind_of(result)}", reporter.each(result)) for result in results]
        parts.append(_said("tail()", reporter.tail(list(results))))
        return "".join(parts)


def _said(what: str, text: Any) -> str:
    require(isinstance(text, str), f"{what} gave a {type(text).__name__}; it must give a text, if an empty one")
    return text


def _kind_of(result: Any) -> str:
    return "a failed file" if isinstance(result, FailedReport) else f"a result of the type {type(result).__name__}"


def _opened(plugin: Any) -> Subject:
    if isinstance(plugin, str):
        return Subject(lambda forms, *, single: REPORTERS.create(plugin, forms, single=single))
    return Subject(plugin)


def _api_version(s: Subject) -> None:
    """The API version is stated."""
    require_version(s.make(score.FORMS, single=True))


def _declared(s: Subject) -> None:
    """It is made with the forms and whether one file was named, and has its three methods."""
    for single in (True, False):
        require_kind("avdetect.reporters", s.make(score.FORMS, single=single))


def _texts(s: Subject) -> None:
    """It gives text for none, one and several results, of every verdict and of failures, of reports and of audits."""
    for what, forms, results in of_each_kind():
        for some, single in [([r], True) for r in results] + [([r], False) for r in results] + [(results, False)]:
            try:
                s.text(forms, some, single=single)
            except Broken:
                raise
            except Exception as error:
                told = f"{len(some)} {what}, the first {_kind_of(some[0])}"
                raise Broken(f"of {told} (single={single}), it raised {type(error).__name__}: {error}") from error
        s.text(forms, [])


def _tells_apart(s: Subject) -> None:
    """It says of a genuine file something else than of a forged one, and of a failed one."""
    said = {}
    for what, result in (
        ("genuine", report("real", "same.mp4")),
        ("forged", report("fake", "same.mp4")),
        ("inconclusive", report("inconclusive", "same.mp4")),
        ("failed", FailedReport("same.mp4", "It cannot be read.")),
    ):
        text = s.text(score.FORMS, [result])
        require(text, f"it says nothing of a {what} file")
        twin = next((other for other, before in said.items() if before == text), "")
        require(not twin, f"it says the same of a {what} and of a {twin} file: {text[:80]!r}")
        said[what] = text


def _deterministic(s: Subject) -> None:
    """Equal results give an equal text, whatever others were written before."""
    texts = []
    for seed in (1, 2):
        with global_chance(seed):
            texts.append(s.text(score.FORMS, reports()))
    require(texts[0] == texts[1], f"twice of the same reports: {difference(*texts)}")


def _input_kept(s: Subject) -> None:
    """Results are not changed."""
    for what, forms, results in of_each_kind():
        before = copy.deepcopy(results)
        s.text(forms, results)
        require(not (d := difference(list(before), list(results), at=what)), f"it changed them: {d}")


def _strict_json(s: Subject) -> None:
    """If it writes JSON, there is no NaN in it, and an object for each result."""
    for what, forms, results in of_each_kind():
        text = s.text(forms, results)
        objects = _objects(text)
        if objects is None:
            raise DoesNotApply("it does not write JSON")
        require(len(objects) == len(results), f"{len(results)} {what} give {len(objects)} JSON objects")
        one = _objects(s.text(forms, results[:1], single=True))
        require(one is not None and len(one) == 1, f"of one file of {what} it does not write one JSON object")


def _objects(text: str) -> list[Any] | None:
    """The objects of JSON, or of JSON lines; ``None`` if the text is neither.

    Raises:
        Broken: one of them holds what strict JSON has not.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or lines[0].lstrip()[:1] not in ("{", "["):
        return None

    def refuse(word: str) -> None:
        raise Broken(f"there is a {word} in the JSON; write null, as forms.as_dict() does")

    for pieces in ([text], lines):
        try:
            found = [json.loads(piece, parse_constant=refuse) for piece in pieces]
        except ValueError:
            continue
        if len(found) == 1 and isinstance(found[0], list):
            return found[0]
        return found
    return None


KIT = Kit(
    "reporter",
    _opened,
    (_api_version, _declared, _texts, _tells_apart, _deterministic, _input_kept, _strict_json),
)


def check_reporter(plugin: Any) -> dict[str, str]:
    """Make all checks of a format of output.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, or the class or function.

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin)


def reporter_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_reporter` takes."""
    return KIT.pairs()
