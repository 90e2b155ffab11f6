"""Forged stretches found: AP at an overlap and AR at a number of proposals.

Of files with known stretches and of genuine ones. A file that is forged as a whole, of which no stretches are known,
says nothing of where, and is left out. A failed file has no proposals: its stretches are missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from avdetect.evaluation.metric import Context, Metric
from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.localisation import FileMatch, match, segment_ap, segment_ar


def matches(table: ScoreTable, context: Context) -> list[FileMatch]:
    """Proposals of each file held against its stretches."""
    cache = context.cache.setdefault("matches", {})
    out = []
    for key, fake, truths, found in zip(table["key"], table.fake(), table["segments"], table["predicted"], strict=True):
        if not truths and not fake == 0:
            continue
        if key not in cache:
            cache[key] = match([(s[0], s[1], s[3]) for s in found or ()], [(s[0], s[1]) for s in _joined(truths or ())])
        out.append(cache[key])
    return out


def _joined(segments: Sequence[Any]) -> list[tuple[float, float]]:
    """Stretches of any kind; picture and sound forged over the same stretch are one."""
    return sorted({(float(s[0]), float(s[1])) for s in segments})


def _ap(table: ScoreTable, context: Context) -> dict[str, float]:
    published = bool(context.settings.get("published_localisation"))
    found = segment_ap(matches(table, context), published=published)
    return {**{f"@{o:g}": v for o, v in found.items()}, "mean": float(np.mean(list(found.values())))}


def _ar(table: ScoreTable, context: Context) -> dict[str, float]:
    found = segment_ar(matches(table, context))
    return {**{f"@{n}": v for n, v in found.items()}, "mean": float(np.mean(list(found.values())))}


SEGMENT_AP = Metric(_ap, "stretches, AP at IoU", needs=("segments",), per_head=False, api_version=1)
SEGMENT_AR = Metric(_ar, "stretches, AR at proposals", needs=("segments",), per_head=False, api_version=1)
