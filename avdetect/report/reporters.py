"""The formats that are built in; each keeps the contract `avdetect.api.Reporter`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from avdetect.report.forms import Forms


class Json:
    """One object for one file, a list for several; all at the end."""

    api_version = 1

    def __init__(self, forms: Forms, /, *, single: bool):
        self._forms, self._single = forms, single

    def head(self) -> str:
        """Nothing."""
        return ""

    def each(self, result: Any, /) -> str:
        """Nothing yet."""
        return ""

    def tail(self, results: Sequence[Any], /) -> str:
        """Everything, indented."""
        data = [self._forms.as_dict(result) for result in results]
        return dump(data[0] if self._single and len(data) == 1 else data, indent=2) + "\n"


class JsonLines:
    """One object a line, as soon as it is there."""

    api_version = 1

    def __init__(self, forms: Forms, /, *, single: bool):
        self._forms = forms

    def head(self) -> str:
        """Nothing."""
        return ""

    def each(self, result: Any, /) -> str:
        """The object."""
        return dump(self._forms.as_dict(result)) + "\n"

    def tail(self, results: Sequence[Any], /) -> str:
        """Nothing more."""
        return ""


class Tabs:
    """Tab-separated lines under a header, as soon as they are there."""

    api_version = 1

    def __init__(self, forms: Forms, /, *, single: bool):
        self._forms = forms

    def head(self) -> str:
        """Names of the columns."""
        return "\t".join(self._forms.columns) + "\n"

    def each(self, result: Any, /) -> str:
        """The line."""
        return self._forms.as_line(result) + "\n"

    def tail(self, results: Sequence[Any], /) -> str:
        """Nothing more."""
        return ""


class Table:
    """A table for people, at the end, as wide as the terminal; in colours where it can show them."""

    api_version = 1

    def __init__(self, forms: Forms, /, *, single: bool):
        self._forms = forms

    def head(self) -> str:
        """Nothing."""
        return ""

    def each(self, result: Any, /) -> str:
        """Nothing yet."""
        return ""

    def tail(self, results: Sequence[Any], /) -> str:
        """The table."""
        from rich.console import Console

        console = Console()
        with console.capture() as captured:
            console.print(self._forms.as_table(results))
        return captured.get()


def dump(data: Any, *, indent: int | None = None) -> str:
    """JSON as it is written everywhere: UTF-8, and never a NaN."""
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
