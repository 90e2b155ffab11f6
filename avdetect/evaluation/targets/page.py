"""Figures as the tables of docs/results.md: one function a section, and the page made of a template."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from avdetect.evaluation.targets.aims import Aim

Figures = dict[str, Any]
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def fill(template: str, tables: Mapping[str, str]) -> str:
    """The template with ``{{name}}`` replaced.

    Raises:
        KeyError: a place without a table.
    """
    missing = sorted(set(_PLACE.findall(template)) - set(tables))
    if missing:
        raise KeyError(f"there is nothing measured for: {', '.join(missing)}")
    return _PLACE.sub(lambda found: tables[found[1]].strip("\n"), template)


def number(value: float | None, ci: list[float] | None = None, *, percent: bool = False) -> str:
    """``0.912 (0.870–0.951)``, or as per cent; ``–`` where there is none."""
    if value is None or math.isnan(value):
        return "–"

    def one(x: float) -> str:
        return f"{100 * x:.1f} %" if percent else f"{x:.3f}"

    if ci is None or any(x is None or math.isnan(x) for x in ci):
        return one(value)
    return f"{one(value)} ({one(ci[0])} – {one(ci[1])})"


def left_out_table(found: Figures) -> str:
    """Comparisons with what was left out of training."""
    lines = ["| left out of training | forged / genuine | people | AUC (95 %) |", "|---|---|---|---|"]
    for r in found["rows"]:
        counts = f"{r['forged']} / {r['genuine']} | {r['people']}"
        lines.append(f"| {r['title']} | {counts} | {number(r['auc'], r['ci'])} |")
    return "\n".join(lines)


def shifts_table(found: Figures) -> str:
    """Known shifts: by folder, and all folders whose people speak."""
    return found["table"]


def windows_table(found: Figures) -> str:
    """Own sound against another clip's, by length and by what is heard."""
    lines = ["| who listens | length | windows (people) | AUC (95 %) |", "|---|---|---|---|"]
    for r in found["rows"]:
        counts = f"{r['measured']} of {r['windows']} ({r['people']})"
        lines.append(f"| {r['title']} | {r['seconds']:g} s | {counts} | {number(r['auc'], r['ci'])} |")
    return "\n".join(lines)


def offsets_table(found: Figures) -> str:
    """Offsets of short windows beside the median of their clip."""
    lines = [
        "| bundle | clips (windows) | within ±1 tick | would be reported | of these within ±1 tick |",
        "|---|---|---|---|---|",
    ]
    for r in found["rows"]:
        lines.append(
            f"| {r['title']} | {r['clips']} ({r['windows']}) | {number(r['within'], r['ci'], percent=True)} "
            f"| {number(r['reported'], percent=True)} | {number(r['within_reported'], percent=True)} |"
        )
    return "\n".join(lines)


def verdict_table(found: Figures) -> str:
    """Decisions on all test clips."""
    lines = [
        f"{found['forged']} forged and {found['genuine']} genuine clips.",
        "",
        "| figure | value (95 %) |",
        "|---|---|",
    ]
    for name in (
        "auc",
        "ece",
        "genuine_called_fake",
        "genuine_called_real",
        "forged_called_fake",
        "forged_called_real",
    ):
        percent = "called" in name
        text = number(found[name], found[f"{name}_ci"], percent=percent)
        lines.append(f"| {name.replace('_', ' ') if percent else name.upper()} | {text} |")
    return "\n".join(lines)


def groups_table(found: Figures) -> str:
    """Decisions by what the clips are."""
    lines = []
    for column, groups in found["columns"].items():
        lines += [
            f"| {column} | forged / genuine | AUC (95 %) | genuine called fake | forged called fake |",
            "|---|---|---|---|---|",
        ]
        for name, f in groups.items():
            auc, alarms, hits = (
                number(f[n], f[f"{n}_ci"], percent=n != "auc")
                for n in ("auc", "genuine_called_fake", "forged_called_fake")
            )
            lines.append(f"| {name} | {f['forged']} / {f['genuine']} | {auc} | {alarms} | {hits} |")
        lines.append("")
    return "\n".join(lines)


def branches_table(found: Figures) -> str:
    """Each branch alone, and the file alone."""
    lines = ["| what is looked at | forged / genuine | AUC (95 %) |", "|---|---|---|"]
    for r in found["rows"]:
        lines.append(f"| {r['title']} | {r['forged']} / {r['genuine']} | {number(r['auc'], r['ci'])} |")
    return "\n".join(lines)


def compression_table(found: Figures) -> str:
    """The verdict before and after."""
    return "\n".join(
        [
            "| files scored both times | AUC as it is | AUC compressed | lost |",
            "|---|---|---|---|",
            f"| {found['scored']} of {found['files']} ({found['forged']} forged) | "
            + " | ".join(number(found[n], found[f"{n}_ci"]) for n in ("before", "after", "lost"))
            + " |",
            "",
            f"After compression the verdict abstains on {found['abstained_after']} files that it judged before.",
        ]
    )


def risk_table(curve: list[Figures]) -> str:
    """The risk-coverage curve that the card keeps, every other point."""
    lines = ["| called real up to | decided | wrong of the decided | wrong of those called real |", "|---|---|---|---|"]
    for p in curve[::2]:
        values = " | ".join(number(p[n], percent=True) for n in ("coverage", "risk", "risk_of_real"))
        lines.append(f"| {p['real_below']:.2f} | {values} |")
    return "\n".join(lines)


def aims_table(found: list[Aim]) -> str:
    """Every aim beside what was measured."""
    lines = ["| measure | at least | aim | measured | reached |", "|---|---|---|---|---|"]
    for a in found:
        least, aim = (number(x, percent=a.percent) for x in (a.least, a.aim))
        sign = "≤" if a.lower else "≥"
        several = len(a.values) > 1
        values = [
            f"{k} {number(v, percent=a.percent)}" if several else number(v, percent=a.percent)
            for k, v in a.values.items()
        ]
        lines.append(f"| {a.measure} | {sign} {least} | {sign} {aim} | {', '.join(values)} | {a.reached} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[Figures], str]] = {
    "shifts": shifts_table,
    "windows": windows_table,
    "offsets": offsets_table,
    "faces": left_out_table,
    "voices": left_out_table,
    "verdict": verdict_table,
    "groups": groups_table,
    "branches": branches_table,
    "compression": compression_table,
    "seeds": left_out_table,
}
