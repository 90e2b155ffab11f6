"""Formats of output, each broken in one way; and sound ones that no check may complain of."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from avdetect.report.forms import Forms
from avdetect.report.schema import FailedReport


class Lines:
    """The line of each result; nothing is wrong with it."""

    api_version: Any = 1

    def __init__(self, forms: Forms, /, *, single: bool):
        self.forms, self.single = forms, single

    def head(self) -> Any:
        """See `avdetect.api.Reporter`."""
        return ""

    def each(self, result: Any, /) -> Any:
        """See `avdetect.api.Reporter`."""
        return self.forms.as_line(result) + "\n"

    def tail(self, results: Sequence[Any], /) -> Any:
        """See `avdetect.api.Reporter`."""
        return ""


class Objects(Lines):
    """JSON lines; nothing is wrong with it."""

    def each(self, result: Any, /) -> Any:
        return json.dumps(self.forms.as_dict(result)) + "\n"


def made(forms: Forms, /, *, single: bool) -> Lines:
    """A function that makes one; nothing is wrong with it."""
    return Lines(forms, single=single)


class OfAnotherVersion(Lines):
    api_version = 2


class OfNoVersion(Lines):
    api_version = None


class WithoutTail(Lines):
    tail = None  # type: ignore[assignment]


class SaysNone(Lines):
    def each(self, result: Any, /) -> Any:
        return None


class SaysBytes(Lines):
    def tail(self, results: Sequence[Any], /) -> Any:
        return b"done\n"


class ReportsOnly(Lines):
    """Takes every result for a report."""

    def each(self, result: Any, /) -> Any:
        return f"{result.file.path}\t{result.verdict}\n"


class FormatsNone(Lines):
    """Takes it that there always is a probability."""

    def each(self, result: Any, /) -> Any:
        if isinstance(result, FailedReport) or not hasattr(result, "verdict"):
            return super().each(result)
        return f"{result.file.path}\t{result.verdict}\t{result.probability_fake:.3f}\n"


class FirstOfAll(Lines):
    """Takes it that there is at least one result."""

    def tail(self, results: Sequence[Any], /) -> Any:
        return f"the first was {self.forms.as_line(results[0])}\n"


class NamesOnly(Lines):
    """Tells which files there were, and not what was found."""

    def each(self, result: Any, /) -> Any:
        return json.dumps(self.forms.as_dict(result)["file"]["path"])


class Silent(Lines):
    def each(self, result: Any, /) -> Any:
        return ""


class ForgetsFailures(Lines):
    """Calls what failed genuine."""

    def each(self, result: Any, /) -> Any:
        said = self.forms.as_dict(result)
        return f"{said['file']['path']} {said.get('verdict', 'real')}\n"


class WithALotteryNumber(Lines):
    def tail(self, results: Sequence[Any], /) -> Any:
        return f"report {random.random()}\n"


class Sorting(Lines):
    """Brings the results into an order of its own, and drops what is not measured."""

    def each(self, result: Any, /) -> Any:
        for track in getattr(result, "tracks", ()):
            if track.id == 0:
                object.__setattr__(track, "timeline", ())
        return super().each(result)


class ByHand(Lines):
    """JSON of what is in the report, NaN included."""

    def each(self, result: Any, /) -> Any:
        probability = getattr(result, "probability_fake", None)
        return json.dumps({**self.forms.as_dict(result), "probability": probability}) + "\n"


class WithASummary(Objects):
    """JSON lines, and one more that is no result."""

    def tail(self, results: Sequence[Any], /) -> Any:
        return json.dumps({"count": len(results)}) + "\n"


SOUND = [Lines, Objects, made]
BROKEN: dict[str, list[Any]] = {
    "api_version": [OfAnotherVersion, OfNoVersion],
    "declared": [WithoutTail],
    "texts": [SaysNone, SaysBytes, ReportsOnly, FormatsNone, FirstOfAll],
    "tells_apart": [NamesOnly, Silent, ForgetsFailures],
    "deterministic": [WithALotteryNumber],
    "input_kept": [Sorting],
    "strict_json": [ByHand, WithASummary],
}
