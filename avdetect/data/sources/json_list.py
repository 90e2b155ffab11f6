"""Label files that are one long JSON list: read object by object, since the largest have millions of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")


def json_objects(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects of a JSON list with their numbers from 0; the whole list is never held, only its text.

    Raises:
        ValueError: the file is not a JSON list of objects, or ends before the list does.
    """
    text = file.read_text(encoding="utf-8-sig")
    decoder = json.JSONDecoder()

    def after_blank(at: int) -> int:
        found = _BLANK.match(text, at)
        return found.end() if found else at

    def expect(which: str, at: int) -> str:
        if at >= len(text) or text[at] not in which:
            found = repr(text[at : at + 20]) if at < len(text) else "the end: was it copied whole?"
            raise ValueError(f"{file}: expected {' or '.join(which)} at character {at}, found {found}")
        return text[at]

    at = after_blank(0)
    expect("[", at)
    at, number = after_blank(at + 1), 0
    if at < len(text) and text[at] == "]":
        return
    while True:
        expect("{", at)
        try:
            item, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise ValueError(f"{file}, object {number}: not JSON ({error}); was it copied whole?") from None
        yield number, item
        number += 1
        at = after_blank(at)
        if expect(",]", at) == "]":
            return
        at = after_blank(at + 1)
