"""What differs between two clips, answers or texts, in words; to the bit, or within a tolerance."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


def difference(a: Any, b: Any, *, tolerance: float = 0.0, at: str = "it") -> str:
    """Where two values differ first; empty if nowhere.

    Args:
        a: an array, number or text, or a dataclass, mapping or sequence of them. NaN equals NaN.
        b: another.
        tolerance: by how much numbers may differ, absolutely or as a share of the larger, whichever is more; 0 = bits.
        at: what they are called.
    """
    if type(a) is not type(b) and not (_is_number(a) and _is_number(b)):
        return f"{at} is {_shown(a)} in one case and {_shown(b)} in the other"
    if isinstance(a, np.ndarray):
        return _arrays(a, b, tolerance, at)
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        parts = [(f.name, getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a)]
        return next((d for name, x, y in parts if (d := difference(x, y, tolerance=tolerance, at=name))), "")
    if isinstance(a, Mapping):
        if list(a) != list(b):
            return f"{at} has the entries {list(a)} in one case and {list(b)} in the other"
        return next((d for k in a if (d := difference(a[k], b[k], tolerance=tolerance, at=f"{at}[{k!r}]"))), "")
    if isinstance(a, list | tuple):
        if len(a) != len(b):
            return f"{at} has {len(a)} parts in one case and {len(b)} in the other"
        pairs = enumerate(zip(a, b, strict=True))
        return next((d for i, (x, y) in pairs if (d := difference(x, y, tolerance=tolerance, at=f"{at}[{i}]"))), "")
    if _is_number(a):
        return _arrays(np.asarray(a, np.float64), np.asarray(b, np.float64), tolerance, at)
    return "" if a == b else f"{at} is {_shown(a)} in one case and {_shown(b)} in the other"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return text if len(text) < 80 else text[:77] + "..."


def _arrays(a: np.ndarray, b: np.ndarray, tolerance: float, at: str) -> str:
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{at} is {a.dtype}{list(a.shape)} in one case and {b.dtype}{list(b.shape)} in the other"
    if a.dtype == object:
        return difference(a.tolist(), b.tolist(), tolerance=tolerance, at=at)
    floating = np.issubdtype(a.dtype, np.floating)
    same = (a == b) | (np.isnan(a) & np.isnan(b)) if floating else a == b
    if floating and tolerance:
        same |= np.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    if np.all(same):
        return ""
    where = np.argwhere(~same)
    first = tuple(int(i) for i in where[0])
    place = f"{at}[{', '.join(map(str, first))}]" if first else at
    several = f" ({len(where)} of {a.size} values differ)" if a.size > 1 else ""
    return f"{place} is {a[first]} in one case and {b[first]} in the other{several}"
