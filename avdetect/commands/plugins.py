"""``avdetect plugins``: what there is of every kind, whose it is, and whether it can be used."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from avdetect.api import API_VERSION
from avdetect.commands.batch import FAILED, UsageError, guarded, say
from avdetect.plugin_errors import PluginError, PluginWarning
from avdetect.plugin_scan import unreadable
from avdetect.plugins import registries
from avdetect.registry import Entry, Registry
from avdetect.report.terminal import tabbed
from avdetect.report.visible import visible

SCHEMA = "avdetect.plugins/1"
COLUMNS = ("kind", "name", "distribution", "version", "state", "target", "error")
STYLES = {"built-in": "dim", "installed": "green", "off": "yellow", "duplicate": "bold red", "broken": "bold red"}


@dataclass(frozen=True)
class Row:
    """An entry as it is shown; ``error`` only after a check."""

    kind: str
    name: str
    distribution: str
    version: str
    state: str
    target: str
    error: str = ""


def run(*, kinds: Sequence[str] = (), as_json: bool = False, check: bool = False) -> int:
    """Print the list and return the exit code: 1 if a check was asked for and something cannot be used."""
    return guarded(lambda: _run(kinds, as_json, check))


def _run(kinds: Sequence[str], as_json: bool, check: bool) -> int:
    rows = listed(kinds, check=check)
    complaints = unreadable()
    if as_json:
        plugins = [{k: v for k, v in asdict(row).items() if check or k != "error"} for row in rows]
        found = {"schema": SCHEMA, "api_version": API_VERSION, "plugins": plugins, "unreadable": complaints}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(rows, check=check)
    for complaint in complaints:
        say(f"avdetect: {complaint}")
    return FAILED if check and (complaints or any(row.error for row in rows)) else 0


def listed(kinds: Sequence[str] = (), *, check: bool = False) -> list[Row]:
    """Rows of these kinds, all if none is named.

    Args:
        kinds: ``forgery``, or ``forgeries`` as in the name of its entry-point group.
        check: load everything that is not switched off; without it, nothing is imported.

    Raises:
        UsageError: there is no such kind.
    """
    known = registries()
    chosen = [_kind(name, known) for name in kinds] or list(known)
    rows = []
    for kind in dict.fromkeys(chosen):
        for entry in known[kind].entries():
            error = _why_broken(known[kind], entry) if check else ""
            state = "broken" if error and entry.state != "duplicate" else entry.state
            rows.append(Row(kind, entry.name, entry.distribution, entry.version, state, entry.target, error))
    return rows


def _kind(name: str, known: dict[str, Registry]) -> str:
    for kind, registry in known.items():
        if name in (kind, registry.kind, registry.group.rpartition(".")[2]):
            return kind
    raise UsageError(f"no kind of plugin is called {name!r}; there are: {', '.join(known)}")


def _why_broken(registry: Registry, entry: Entry) -> str:
    if entry.state == "off":
        return ""
    if entry.state == "duplicate" and entry.name in registry.builtins():
        return f"{entry.owner} cannot take the name of the built-in {registry.kind} {entry.name!r}: it is not used"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginWarning)  # the other one of that name has a row of its own
            registry.get(entry.name)
    except PluginError as error:
        return str(error)
    return ""


def _show(rows: Sequence[Row], *, check: bool) -> None:
    columns = COLUMNS if check else COLUMNS[:-1]
    if not sys.stdout.isatty():
        print(*columns, sep="\t")
        for row in rows:
            print(tabbed(*(getattr(row, column) for column in columns)))
        return
    from rich.console import Console

    Console().print(_table(rows))


def _table(rows: Sequence[Row]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("kind", no_wrap=True)
    table.add_column("name", overflow="fold")
    table.add_column("distribution", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("target", overflow="fold", ratio=1)
    before = ""
    for row in rows:
        state = Text(row.state, STYLES.get(row.state, ""))
        owner = f"{row.distribution} {row.version}".strip() or "this program"
        table.add_row(row.kind if row.kind != before else "", row.name, owner, state, Text(row.target, "dim"))
        before = row.kind
    notes = [Text.assemble(("✗ ", "bold red"), visible(row.error)) for row in rows if row.error]
    return Group(table, *([Text(), *notes] if notes else []))
