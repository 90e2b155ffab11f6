"""Real or forged picture, real or forged sound: four classes, their confusion and F1."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Int64

from avdetect.types import CLASSES


def confusion(truth: Int[np.ndarray, " n"], found: Int[np.ndarray, " n"]) -> Int64[np.ndarray, "4 4"]:
    """Counts; rows are the truth, columns what was found, both in the order of `avdetect.types.CLASSES`."""
    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    np.add.at(table, (np.asarray(truth, int), np.asarray(found, int)), 1)
    return table


def class_f1(table: Int64[np.ndarray, "4 4"]) -> dict[str, float]:
    """F1 of each class that occurs in the truth or was found; NaN for one that neither has."""
    right, support, called = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    both = support + called
    return {name: float(2 * right[i] / both[i]) if both[i] else float("nan") for i, name in enumerate(CLASSES)}


def macro_f1(table: Int64[np.ndarray, "4 4"]) -> float:
    """Mean F1 of the classes that occur in the truth (NaN if none does)."""
    scores = class_f1(table)
    present = [scores[name] for i, name in enumerate(CLASSES) if table[i].sum()]
    return float(np.mean(present)) if present else float("nan")
