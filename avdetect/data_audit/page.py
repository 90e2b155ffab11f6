"""The audit of an index as one page of a terminal, 80 columns wide and up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

_FEATURES, _LEAKS, _OUTLIERS, _SOURCES = 3, 6, 5, 8


def print_page(audit: Mapping[str, Any], console: Console) -> None:
    """Print the page."""
    console.print(page(audit, width=min(console.width, 100)))


def page(audit: Mapping[str, Any], *, width: int = 80) -> RenderableType:
    """The page, for a console of that many columns."""
    head = f"{audit['clips']} clips, {audit['groups']} groups of people and recordings"
    parts: list[RenderableType] = [Text(head, style="bold")]
    parts += [_balance(audit["splits"], "split", width), _balance(audit["sources"], "source", width)]
    parts.append(_shortcuts(audit, width))
    if audit["leaks"]:
        parts.append(_leaks(audit["leaks"], width))
    if audit["offset_outliers"]:
        parts.append(_outliers(audit["offset_outliers"], audit["offsets_measured"], width))
    for finding in audit["findings"]:
        style, mark = ("bold red", "✗") if finding["severe"] else ("yellow", "·")
        parts.append(Text(f"{mark} {finding['text']}", style=style))
    if not any(f["severe"] for f in audit["findings"]):
        parts.append(Text("✓ no shortcut above the limit and no leak was found", style="green"))
    return Group(*parts)


def _table(width: int, columns: Sequence[str], rows: Sequence[Sequence[str]], *, wide: int = 0, left: int = 1) -> Table:
    """A table of that width: the ``wide`` column takes what the others leave, the first ``left`` are set flush left."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, width=width)
    needs = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(columns)]
    others = [min(need, width // 3) for i, need in enumerate(needs) if i != wide]
    rest = max(12, width - sum(others) - 3 * len(columns))
    for i, name in enumerate(columns):
        room = rest if i == wide else min(needs[i], width // 3)
        justify = "left" if i < left else "right"
        table.add_column(name, justify=justify, overflow="ellipsis", no_wrap=True, width=room)
    for row in rows:
        table.add_row(*row)
    return table


def _more(rows: list[list[str]], most: int) -> list[list[str]]:
    """The first rows, and a line that says how many there are more."""
    if len(rows) <= most:
        return rows
    return [*rows[:most], [f"... {len(rows) - most} more", *[""] * (len(rows[0]) - 1)]]


def _balance(counts: Mapping[str, Mapping[str, Any]], name: str, width: int) -> Table:
    rows = [
        [
            value,
            str(c["clips"]),
            f"{c['seconds'] / 3600:.2f}",
            str(c["groups"]),
            *(f"{c[f'{kind}_fake']}/{c[f'{kind}_real']}" for kind in ("visual", "audio")),
        ]
        for value, c in counts.items()
    ]
    columns = (name, "clips", "hours", "groups", "face f/r", "voice f/r")
    return _table(width, columns, _more(rows, _SOURCES))


def _shortcuts(audit: Mapping[str, Any], width: int) -> Table:
    rows = []
    for branch, s in audit["shortcuts"].items():
        if s["auc"] is None:
            rows.append([branch, "-", "-", s["why"]])
            continue
        best = ", ".join(f"{n} {f['auc']:.2f}" for n, f in list(s["features"].items())[:_FEATURES])
        rows.append([branch, f"{s['auc']:.3f}", f"{s['ci'][0]:.2f}-{s['ci'][1]:.2f}", best])
    return _table(width, ("shortcut", "AUC", "95 %", "best features alone"), rows, wide=3, left=4)


def _leaks(leaks: list[Mapping[str, Any]], width: int) -> Table:
    rows = []
    for leak in leaks:
        what = leak["what"] if leak["kind"] != "near-duplicate" else " = ".join(leak["examples"].values())
        rows.append([leak["kind"], what, ", ".join(f"{side} {n}" for side, n in leak["clips"].items())])
    return _table(width, ("leak", "what", "clips"), _more(rows, _LEAKS), wide=1, left=3)


def _outliers(outliers: list[Mapping[str, Any]], measured: int, width: int) -> Table:
    rows = [[o["key"], o["companions"], f"{o['offset_ms']:+.0f}", f"{o['median_ms']:+.0f}"] for o in outliers]
    columns = (f"sound out of line: {len(outliers)} of {measured}", "companions", "ms", "median")
    return _table(width, columns, _more(rows, _OUTLIERS), left=2)
