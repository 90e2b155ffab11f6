"""Score tables with known content: clips of which everything is known, and scores from perfect to inverted."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from avdetect.evaluation.table import ScoreTable
from avdetect.metrics.sync import CONTEXTS

PEOPLE, CLIPS = 12, 4
"""Clips of a person: one of each of the four classes."""
THRESHOLDS = {"verdict": 0.5, "visual": 0.0, "audio": 0.0, "sync": 0.0}
NEARLY = 1e-6
"""Distance of a perfect probability from 0 and 1."""
_CLASSES = ((False, False), (True, False), (False, True), (True, True))


def scored(kind: str, *, more: Sequence[Mapping[str, Any]] = ()) -> ScoreTable:
    """A table of all columns.

    Args:
        kind: ``usual`` scores, better than chance; ``perfect`` ones; ``constant``: all the same; or ``inverted``, the
            opposite of perfect.
        more: so many clips more, with these columns otherwise than usual.

    Raises:
        KeyError: no such kind.
    """
    rows = [_row(kind, person, number) for person in range(PEOPLE) for number in range(CLIPS)]
    for i, changes in enumerate(more):
        rows.append({**_row(kind, PEOPLE + i, i % CLIPS), **changes})
    return ScoreTable.of_rows(rows, {"detector": {"name": "made up"}})


def without(table: ScoreTable, kept: Collection[str]) -> ScoreTable:
    """The table with nothing in all other columns."""
    empty = [None] * len(table)
    return ScoreTable({n: table[n] if n in kept else empty for n in table.names()}, table.about)


def _row(kind: str, person: int, number: int) -> dict[str, Any]:
    visual, audio = _CLASSES[number]
    key = f"{person:02d}/{number}"
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    forged = [[0.4, 1.6, "visual" if visual else "audio"]] if visual or audio else []
    found = {
        "perfect": [[*s, 0.9] for s in forged],
        "inverted": [] if forged else [[0.0, 3.0, "visual", 0.9]],
        "constant": [[0.0, 4.0, "visual", 0.5]],
        "usual": [[s[0] - 0.1, s[1] + float(rng.uniform(-0.8, 0.3)), s[2], 0.7] for s in forged]
        + [[2.5, 3.0, "audio", float(rng.uniform(0.1, 0.6))]],
    }[kind]
    hits = {"perfect": 20, "inverted": 0, "constant": 5, "usual": int(rng.integers(8, 19))}[kind]
    return {
        "key": key,
        "path": f"{key}.mp4",
        "source": "made up",
        "identity": f"person {person}",
        "group": f"group {person}",
        "method": "" if not forged else "made up",
        "split": "test",
        "visual_fake": visual,
        "audio_fake": audio,
        "true_offset_ms": 0.0,
        "segments": forged,
        "ticks": 100,
        "error": "",
        "probability_fake": _probability(kind, visual or audio, rng),
        "visual": _logit(kind, visual, rng),
        "audio": _logit(kind, audio, rng),
        "sync": _logit(kind, False, rng),
        "sync_swapped": _logit(kind, True, rng),
        "classes": _four(kind, visual + 2 * audio, rng),
        "offset_ms": float(rng.normal(0, 20)),
        "offset_confidence": 0.3,
        "predicted": found,
        "lse_c": 6.0 + person / 10,
        "lse_d": 8.0 - person / 10,
        "context_hits": {str(k): [hits, 20] for k in CONTEXTS},
    }


def _probability(kind: str, forged: bool, rng: np.random.Generator) -> float:
    sure = 1 - NEARLY if forged else NEARLY
    usual = float(1 / (1 + np.exp(-rng.normal(1.0 if forged else -1.0, 1.2))))
    return {"perfect": sure, "inverted": 1 - sure, "constant": 0.5, "usual": usual}[kind]


def _logit(kind: str, forged: bool, rng: np.random.Generator) -> float:
    side = 1.0 if forged else -1.0
    return {"perfect": 8 * side, "inverted": -8 * side, "constant": 0.0, "usual": float(rng.normal(side, 1.2))}[kind]


def _four(kind: str, truth: int, rng: np.random.Generator) -> list[float]:
    if kind == "constant":
        return [0.25] * 4
    logits = rng.normal(0, 1, 4) + 1.5 * (np.arange(4) == truth) if kind == "usual" else 12.0 * (np.arange(4) == truth)
    logits = np.roll(logits, 1) if kind == "inverted" else logits
    return (np.exp(logits) / np.exp(logits).sum()).tolist()
