"""How one kind of result (a report, an audit) is put into words, whatever format it is written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Forms:
    """How a kind of result is shown.

    Attributes:
        as_dict: for JSON.
        as_line: for a pipe, tab-separated.
        columns: names of the line's fields.
        as_table: for a terminal; takes all results and gives what `rich` can print.
    """

    as_dict: Callable[[Any], dict[str, Any]]
    as_line: Callable[[Any], str]
    columns: Sequence[str]
    as_table: Callable[[Sequence[Any]], Any]
