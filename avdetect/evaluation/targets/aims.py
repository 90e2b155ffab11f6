"""What the default bundle is meant to reach, beside what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Aim:
    """One line of the summary.

    Attributes:
        measure: what is measured.
        least, aim: the two marks.
        values: what was measured, by name; the worst of them counts.
        lower: whether less is better.
        percent: how values are written.
    """

    measure: str
    least: float
    aim: float
    values: Mapping[str, float]
    lower: bool = False
    percent: bool = False

    @property
    def reached(self) -> str:
        """``aim``, ``yes`` (at least), ``no``, or in part, with how many of the values."""
        known = [v for v in self.values.values() if v is not None and not math.isnan(v)]
        if not known:
            return "not measured"
        if all(self._good(v, self.aim) for v in known):
            return "aim"
        good = [self._good(v, self.least) for v in known]
        if all(good):
            return "yes"
        return f"{sum(good)} of {len(good)}" if any(good) else "no"

    def _good(self, value: float, mark: float) -> bool:
        return value <= mark if self.lower else value >= mark


def aims(found: Mapping[str, Figures]) -> list[Aim]:
    """All of them, from the figures by section (`tools.results`)."""
    windows = {(r["title"], r["seconds"]): r["auc"] for r in found["windows"]["rows"]}
    lengths = ((1.2, 0.82, 0.92), (3.0, 0.95, 0.99), (5.0, 0.98, 0.995))
    faces = {r["title"]: r["auc"] for r in found["faces"]["rows"]}
    generated = {
        k.split(",")[0].split(" (")[0]: v for k, v in faces.items() if k.endswith(" genuine clips of other folders")
    }
    verdict = found["verdict"]
    offsets = {r["title"]: r["within"] for r in found["offsets"]["rows"]}
    of_clips = {
        "people speaking": found["shifts"]["speaking"]["groups"]["all"]["found"],
        "genuine clips of them": found["shifts"]["genuine"]["groups"]["all"]["found"],
        "people speaking, were every offset reported": found["shifts"]["speaking"]["groups"]["all"].get(
            "found_any", math.nan
        ),
    }
    return [
        Aim("known shift found within ±1 tick, sources left out", 0.97, 0.995, of_clips, percent=True),
        *(
            Aim(
                f"own sound against another clip's, {s:g} s",
                least,
                aim,
                {
                    "LRS3 left out": windows["LRS3 left out, fusion head", s],
                    "the others left out": windows["all sources but LRS3 left out, fusion head", s],
                    "default bundle, people left out": windows["default bundle, people left out, fusion head", s],
                },
            )
            for s, least, aim in lengths
        ),
        Aim("offset of 2 s windows within ±1 tick of the clip's", 0.90, 0.97, offsets, percent=True),
        Aim(
            "lip-sync edits against their originals",
            0.80,
            0.95,
            {
                "by the face": faces["all edits, against their own originals"],
                "by how well lips and sound fit": faces[
                    "all edits, against their own originals, by how well lips and sound fit"
                ],
            },
        ),
        Aim("generated faces against genuine ones", 0.85, 0.95, generated),
        Aim("synthetic voice", 0.85, 0.97, voice_systems(found["voices"])),
        Aim(
            "ECE of the verdict",
            0.08,
            0.03,
            {"of these clips": verdict["ece"], "classes weighted alike": verdict["even_ece"]},
            lower=True,
        ),
        Aim("genuine clips called fake", 0.03, 0.01, {"all": verdict["genuine_called_fake"]}, lower=True, percent=True),
        Aim("AUC lost by compression", 0.10, 0.04, {"all": found["compression"]["rows"][0]["lost"]}, lower=True),
    ]


def voice_systems(found: Figures) -> dict[str, float]:
    """By system; people that decisions were made on reach nothing."""
    return {r["title"].split(",")[0]: r["auc"] for r in found["rows"] if not r.get("validation")}
