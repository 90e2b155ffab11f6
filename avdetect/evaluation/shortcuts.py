"""What a classifier reaches that sees neither face nor voice: the container, the codec, sizes and levels.

Where its AUC is high, so may be that of a detector which has learned no more (Smeu et al., *Circumventing shortcuts in
audio-visual deepfake detection datasets with unsupervised learning*, CVPR 2025, for leading silence). Rows are those of
``index.parquet`` (`avdetect.data.columns`). Needs scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from avdetect.metrics import auc, bootstrap

Row = Mapping[str, Any]

NUMBERS = (
    "media_width", "media_height", "media_fps", "media_duration_s", "media_bytes", "media_kbps", "duration_s",
    "audio_rate", "audio_channels", "loudness_dbfs", "loudness_lufs", "leading_silence_s",
)  # fmt: skip
WORDS = ("container", "video_codec", "audio_codec")
LEAST_GROUPS = 4
"""Groups that each class must have; with fewer, cross-validation by group says nothing."""
FOLDS = 5
MOST_ROWS = 10_000
_COMMON_WORDS = 16
_ROUNDS, _ROUNDS_EACH = 500, 100


def shortcut_features(rows: Sequence[Row]) -> tuple[Float64[np.ndarray, "n m"], list[str]]:
    """Features of the file and the level of the sound, one row a clip.

    Returns:
        A matrix, NaN where a number is missing, and its columns' names: those of the index, and ``column=word`` for
        each of the most frequent words of a text column (0 or 1).
    """
    columns: list[np.ndarray] = [np.array([_number(row.get(n)) for row in rows], np.float64) for n in NUMBERS]
    names: list[str] = [*NUMBERS]
    for column in WORDS:
        words = [str(row.get(column) or "none") for row in rows]
        counts = {w: words.count(w) for w in set(words)}
        for word in sorted(counts, key=lambda w: (-counts[w], w))[:_COMMON_WORDS]:
            columns.append(np.array([float(w == word) for w in words]))
            names.append(f"{column}={word}")
    matrix = np.stack(columns, axis=1) if rows else np.zeros((0, len(names)))
    return matrix, names


def shortcut_auc(
    rows: Sequence[Row],
    labels: Sequence[bool | None],
    groups: Sequence[object],
    *,
    seed: int = 0,
    features: bool = True,
) -> dict[str, Any]:
    """AUC of gradient-boosted trees on the shortcut features, cross-validated so that no group is on both sides.

    Args:
        rows: of the index.
        labels: forged or not; rows of ``None`` are left out.
        groups: of the rows: people and recordings (the index's ``group``); also the clusters of the interval.
        seed: of folds, trees and resampling.
        features: also of each feature alone.

    Returns:
        ``auc`` and ``ci`` (95 %, clusters resampled; both ``None`` where nothing can be said, and then ``why`` says
        why), ``features`` (name to ``auc`` and ``ci``, highest first, a text column as one feature), the numbers of
        ``forged`` and ``genuine`` rows, of ``groups`` with forged and genuine ones, and ``of`` how many rows they were
        drawn (at most 10,000 are used).
    """
    if not len(rows) == len(labels) == len(groups):
        raise ValueError(f"{len(rows)} rows, {len(labels)} labels and {len(groups)} groups; give one of each a row")
    known = np.array([i for i, label in enumerate(labels) if label is not None], int)
    total = len(known)
    if total > MOST_ROWS:
        known = np.sort(np.random.default_rng(seed).choice(known, MOST_ROWS, replace=False))
    y = np.array([bool(labels[i]) for i in known], bool)
    who = np.array([str(groups[i]) for i in known], str)
    sides = {"forged": len(set(who[y])), "genuine": len(set(who[~y]))}
    out: dict[str, Any] = {
        "auc": None,
        "ci": None,
        "features": {},
        "forged": int(y.sum()),
        "genuine": int((~y).sum()),
        "groups": sides,
        "of": total,
    }
    if short := [f"{n} of {name} clips" for name, n in sides.items() if n < LEAST_GROUPS]:
        out["why"] = f"only {' and '.join(short)}: at least {LEAST_GROUPS} groups of each are needed"
        return out
    matrix, names = shortcut_features([rows[i] for i in known])
    scores = _held_out(matrix, y, who, seed)
    out["auc"], out["ci"] = _auc_with_interval(scores, y, who, rounds=_ROUNDS, seed=seed)
    if features:
        found = {}
        for name, columns in _by_feature(names).items():
            alone = matrix[:, columns]
            if np.all((alone == alone[:1]) | (np.isnan(alone) & np.isnan(alone[:1]))):
                continue  # the same everywhere
            scores = _held_out(alone, y, who, seed)
            value, interval = _auc_with_interval(scores, y, who, rounds=_ROUNDS_EACH, seed=seed)
            found[name] = {"auc": value, "ci": interval}
        out["features"] = dict(sorted(found.items(), key=lambda item: -item[1]["auc"]))
    return out


def _by_feature(names: Sequence[str]) -> dict[str, list[int]]:
    """Columns of each feature: one, or one for each word."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        found.setdefault(name.partition("=")[0], []).append(i)
    return found


def _held_out(matrix: np.ndarray, y: np.ndarray, who: np.ndarray, seed: int) -> np.ndarray:
    """Score of each row by trees that were not grown on its group, as log-odds over the share of their training set."""
    from sklearn.ensemble import GradientBoostingClassifier  # the other one's threads fight over few cores
    from sklearn.model_selection import StratifiedGroupKFold

    lowest = np.nanmin(np.where(np.isfinite(matrix), matrix, np.inf), axis=0, initial=0.0)
    matrix = np.where(np.isnan(matrix), lowest - 1.0, matrix)  # what is missing is a value of its own
    folds = StratifiedGroupKFold(min(FOLDS, len(set(who[y])), len(set(who[~y]))), shuffle=True, random_state=seed)
    scores = np.zeros(len(y))
    for train, held in folds.split(matrix, y, who):
        share = y[train].mean()
        varied = np.flatnonzero(np.ptp(matrix[train], axis=0) > 0)
        if share in (0.0, 1.0) or len(varied) == 0:
            continue
        leaf = max(2, min(20, len(train) // 20))
        trees = GradientBoostingClassifier(n_estimators=40, max_depth=3, min_samples_leaf=leaf, random_state=seed)
        trees.fit(matrix[train][:, varied], y[train])
        scores[held] = trees.decision_function(matrix[held][:, varied]) - math.log(share / (1 - share))
    return scores


def _auc_with_interval(
    scores: np.ndarray, y: np.ndarray, who: np.ndarray, *, rounds: int, seed: int
) -> tuple[float, list[float]]:
    value = auc(scores[y], scores[~y])
    low, high = bootstrap(lambda i: auc(scores[i][y[i]], scores[i][~y[i]]), who.tolist(), rounds=rounds, seed=seed)
    return round(value, 4), [round(low, 4), round(high, 4)]


def _number(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan
