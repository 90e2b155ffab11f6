"""The table of public data sets in the documentation names every reader, with its options."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from avdetect.data.sources import SOURCES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "data.md"


def test_the_table_names_every_reader_and_its_options() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("\n## Public data sets\n")[2].partition("\n## ")[0]
    documented = {}
    for line in section.splitlines():
        if line.startswith("| `") and not line.startswith("| `--source`"):
            names, _, options, *_ = (cell.strip() for cell in line.strip("|").split("|"))
            documented |= dict.fromkeys(re.findall(r"`(\w+)`", names), re.findall(r"`(\w+)`", options))
    accepted = {
        name: [p.name for p in inspect.signature(SOURCES.get(name)).parameters.values() if p.kind is p.KEYWORD_ONLY]
        for name in SOURCES.builtins()
    }
    assert documented == accepted
