"""Figures as the tables of docs/results.md: one function a section, and the page made of a template."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    rows = [
        (r["title"], f"{r['forged']} / {r['genuine']}", str(r["people"]), number(r["auc"], r["ci"]))
        for r in found["rows"]
    ]
    return _table(("left out of training", "forged / genuine", "people", "AUC (95 %)"), rows)


def voices_table(found: Figures) -> str:
    """The same, and each false voice beside the true one that says the same words."""
    rows = [
        (
            r["title"],
            f"{r['forged']} / {r['genuine']}",
            str(r["people"]),
            number(r["auc"], r["ci"]),
            f"{number(r['own_auc'])} ({r['own']})" if r["own"] else "–",
        )
        for r in found["rows"]
    ]
    head = ("left out of training", "forged / genuine", "people", "AUC (95 %)", "beside its true clip alone (clips)")
    return _table(head, rows)


def shifts_table(found: Figures) -> str:
    """Known shifts by folder, made where they are measured."""
    return found["table"]


def windows_table(found: Figures) -> str:
    """Own sound against another clip's, by length and by what is heard."""
    rows = [
        (
            r["title"],
            f"{r['seconds']:g} s",
            f"{r['measured']} of {r['windows']} ({r['people']})",
            number(r["auc"], r["ci"]),
        )
        for r in found["rows"]
    ]
    return _table(("who listens", "length", "windows (people)", "AUC (95 %)"), rows)


def offsets_table(found: Figures) -> str:
    """Offsets of short windows beside the median of their clip."""
    rows = [
        (
            r["title"],
            f"{r['clips']} ({r['windows']})",
            number(r["within"], r["ci"], percent=True),
            number(r["reported"], percent=True),
            number(r["within_reported"], percent=True),
            number(r["moved"], percent=True),
        )
        for r in found["rows"]
    ]
    told = ("within ±1 tick", "would be reported", "of these within ±1 tick", "within ±1 tick once moved")
    head = ("bundle", "clips (windows)", *told)
    return _table(head, rows)


def verdict_table(found: Figures) -> str:
    """Decisions on all test clips."""
    shares = [f"{side}_called_{answer}" for side in ("genuine", "forged") for answer in ("fake", "real")]
    names = {"auc": "AUC", "ece": "ECE", "even_ece": "ECE, both classes weighted alike"}
    rows = [(title, number(found[name], found[f"{name}_ci"])) for name, title in names.items()]
    rows += [(name.replace("_", " "), number(found[name], found[f"{name}_ci"], percent=True)) for name in shares]
    counts = f"{found['forged']} forged and {found['genuine']} genuine clips."
    return f"{counts}\n\n{_table(('figure', 'value (95 %)'), rows)}"


def groups_table(found: Figures) -> str:
    """Decisions by what the clips are."""
    shown = ("auc", "genuine_called_fake", "forged_called_fake")
    tables = []
    for column, groups in found["columns"].items():
        rows = [
            (name, f"{f['forged']} / {f['genuine']}", *(number(f[n], f[f"{n}_ci"], percent=n != "auc") for n in shown))
            for name, f in groups.items()
        ]
        tables.append(
            _table((column, "forged / genuine", "AUC (95 %)", "genuine called fake", "forged called fake"), rows)
        )
    return "\n\n".join(tables)


def branches_table(found: Figures) -> str:
    """Each branch alone, and the file alone."""
    rows = [(r["title"], f"{r['forged']} / {r['genuine']}", number(r["auc"], r["ci"])) for r in found["rows"]]
    return _table(("what is looked at", "forged / genuine", "AUC (95 %)"), rows)


def compression_table(found: Figures) -> str:
    """The verdict and its branches before and after."""
    rows = [
        (
            r["title"],
            f"{r['scored']} of {found['files']} ({r['forged']} forged)",
            *(number(r[n], r[f"{n}_ci"]) for n in ("before", "after", "lost")),
            str(r["silent_after"]),
        )
        for r in found["rows"]
    ]
    header = ("what is looked at", "files judged both times", "AUC as it is", "AUC compressed", "lost")
    return _table((*header, "judged before, not after"), rows)


def sweep_table(found: Figures) -> str:
    """A row for each corruption, a column for each severity."""
    severities = sorted({r["severity"] for r in found["rows"]} - {0})
    clean = next(r for r in found["rows"] if not r["severity"])
    auc = {(r["kind"], r["severity"]): number(r["auc"].get("value")) for r in found["rows"]}
    kinds = dict.fromkeys(r["kind"] for r in found["rows"] if r["severity"])
    rows = [(kind.replace("_", " "), *(auc.get((kind, s), "–") for s in severities)) for kind in kinds]
    value = number(clean["auc"].get("value"), clean["auc"].get("ci"))
    said = f"{clean['scored']} clips; as they are, the verdict has an AUC of {value}."
    return f"{said}\n\n{_table(('corruption', *(f'severity {s}' for s in severities)), rows)}"


def risk_table(curve: list[Figures]) -> str:
    """The risk-coverage curve that the card keeps, every other point."""
    rows = [
        (f"{p['real_below']:.2f}", *(number(p[n], percent=True) for n in ("coverage", "risk", "risk_of_real")))
        for p in curve[::2]
    ]
    return _table(("called real up to", "decided", "wrong of the decided", "wrong of those called real"), rows)


def aims_table(found: list[Aim]) -> str:
    """Every aim beside what was measured."""
    rows = []
    for a in found:
        sign = "≤" if a.lower else "≥"
        marks = [f"{sign} {number(x, percent=a.percent)}" for x in (a.least, a.aim)]
        values = [(f"{k} " if len(a.values) > 1 else "") + number(v, percent=a.percent) for k, v in a.values.items()]
        rows.append((a.measure, *marks, ", ".join(values), a.reached))
    return _table(("measure", "at least", "aim", "measured", "reached"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    return "\n".join(lines)


TABLES: dict[str, Callable[[Figures], str]] = {
    "shifts": shifts_table,
    "windows": windows_table,
    "offsets": offsets_table,
    "faces": left_out_table,
    "voices": voices_table,
    "verdict": verdict_table,
    "groups": groups_table,
    "branches": branches_table,
    "compression": compression_table,
    "seeds": left_out_table,
    "sweep": sweep_table,
}


def section_table(name: str, figures: dict[str, Any]) -> str:
    """The table of a section.

    Raises:
        ValueError: its figures were kept by a version that measured others.
    """
    try:
        return TABLES[name](figures)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{name}: the figures that are kept are not those of this version ({error!r}); measure them again: "
            f"python -m tools.results {name} --again"
        ) from error
