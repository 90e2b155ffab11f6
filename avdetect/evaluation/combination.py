"""Fit the rule that combines several detectors, on score tables of the same validation clips.

A logistic regression over the logits of the detectors' own probabilities, the mean where one abstained, with one
indicator for each that says that it did. Clips are weighted so that genuine and forged ones count alike: as elsewhere,
probabilities are for a prior of one half. The objective is that of scikit-learn's ``LogisticRegression(C=strength,
class_weight="balanced")``, so that the two can be compared: ``|w|^2 / 2 + C sum_i s_i log(1 + exp(-y_i z_i))``, the
bias without penalty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from avdetect import metrics
from avdetect.calibration import logit, sigmoid
from avdetect.calibration_points import operating_points
from avdetect.detectors.combination import Combination, Member
from avdetect.evaluation.table import ScoreTable

STRENGTH = 1.0
"""Inverse of the penalty, scikit-learn's ``C``."""
FOLDS = 5
FEW = 10
"""Fewer clips of a class than this are not fitted to."""


def fit_combination(
    tables: Sequence[ScoreTable], *, names: Sequence[str] = (), strength: float = STRENGTH
) -> Combination:
    """The combination of the detectors that made the tables.

    Clips that are in all tables count; those that a detector failed on, or of which it is not known whether they are
    forged, are left out and counted. Thresholds and figures are from probabilities of people left out of the fit.

    Args:
        tables: one a detector, of the same validation clips.
        names: of the tables, kept with the result.
        strength: inverse of the penalty.

    Raises:
        ValueError: fewer than two tables, one that does not say which detector made it, two of one detector, or too
            few clips in common, or of too few people.
    """
    if len(tables) < 2:
        raise ValueError("a combination needs the tables of two detectors or more")
    names = names or [f"table {i + 1}" for i in range(len(tables))]
    whose = [_detector(table, name) for table, name in zip(tables, names, strict=True)]
    called = [str(about["name"]) for about in whose]
    if len(set(called)) < len(called):
        raise ValueError(f"two tables are of one detector ({', '.join(called)}); give one table for each")
    rows, left_out = _common(tables)
    fake = tables[0].fake()[rows[0]] == 1
    if min(fake.sum(), (~fake).sum()) < FEW:
        raise ValueError(
            f"the tables have {(~fake).sum()} genuine and {fake.sum()} forged clips in common that all detectors "
            f"scored; {FEW} of each are needed: score the same validation clips with every detector"
        )
    own = np.stack([t.numbers("probability_fake")[r] for t, r in zip(tables, rows, strict=True)], 1)
    people = tables[0].clusters()[rows[0]]
    centre = centres(own, fake)
    weights, bias = fit_logistic(features(own, centre), fake, strength=strength)
    held = held_out(own, fake, people, strength=strength)
    sides = [held[side & np.isfinite(held)] for side in (~fake, fake)]
    if not all(map(len, sides)):
        raise ValueError(
            f"the clips are of {len(set(people.tolist()))} people, and without a fifth of them a class is missing, so "
            "nobody can be left out of the fit: more people of both classes are needed"
        )
    above, below = operating_points(sides[0], sides[1])
    d = len(tables)
    return Combination(
        members=tuple(
            Member(
                name,
                str(about["version"]),
                str(about["distribution"]),
                weight=float(weights[i]),
                absent=float(weights[i] * centre[i] + weights[d + i]),
            )
            for i, (name, about) in enumerate(zip(called, whose, strict=True))
        ),
        bias=float(bias),
        fake_above=above,
        real_below=below,
        fitted_on={
            "tables": [str(name) for name in names],
            "genuine": int((~fake).sum()),
            "forged": int(fake.sum()),
            "people": len(set(people.tolist())),
            "left_out": left_out,
            "abstained": {name: int(np.isnan(own[:, i]).sum()) for i, name in enumerate(called)},
            "strength": strength,
        },
        figures=_figures(own, held, fake, called),
    )


def centres(own: Float64[np.ndarray, "n d"], fake: Bool[np.ndarray, " n"]) -> Float64[np.ndarray, " d"]:
    """Mean logit of each detector where it spoke, genuine and forged clips alike; 0 where it never did."""
    out = np.zeros(own.shape[1])
    for i, column in enumerate(own.T):
        sides = [column[mask & ~np.isnan(column)] for mask in (fake, ~fake)]
        means = [float(logit(side).mean()) for side in sides if len(side)]
        out[i] = np.mean(means) if means else 0.0
    return out


def features(own: Float64[np.ndarray, "n d"], centre: Float64[np.ndarray, " d"]) -> Float64[np.ndarray, "n 2d"]:
    """Logits of the probabilities, ``centre`` where a detector abstained (NaN), then 1 where it abstained."""
    absent = np.isnan(own)
    return np.concatenate([np.where(absent, centre, logit(np.nan_to_num(own, nan=0.5))), absent.astype(np.float64)], 1)


def fit_logistic(
    x: Float64[np.ndarray, "n f"], fake: Bool[np.ndarray, " n"], *, strength: float = STRENGTH
) -> tuple[Float64[np.ndarray, " f"], float]:
    """Weights and bias of a balanced, penalised logistic regression, by damped Newton steps.

    Args:
        x: features.
        fake: labels; both classes must occur.
        strength: inverse of the penalty.
    """
    n, y = len(fake), fake.astype(np.float64)
    share = np.where(fake, n / (2 * max(1, fake.sum())), n / (2 * max(1, (~fake).sum()))) * strength
    design = np.concatenate([x, np.ones((n, 1))], 1)
    penalty = np.append(np.ones(x.shape[1]), 0.0)

    def loss(theta: np.ndarray) -> float:
        z = design @ theta
        return float(share @ (np.logaddexp(0, z) - y * z) + 0.5 * penalty @ theta**2)

    theta = np.zeros(design.shape[1])
    value = loss(theta)
    for _ in range(100):
        p = sigmoid(design @ theta)
        gradient = design.T @ (share * (p - y)) + penalty * theta
        hessian = (design * (share * p * (1 - p))[:, None]).T @ design + np.diag(penalty + 1e-12)
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while size > 1e-12 and loss(theta - size * step) > value - 1e-4 * size * float(gradient @ step):
            size *= 0.5
        theta = theta - size * step
        before, value = value, loss(theta)
        if before - value <= 1e-14 * max(1.0, abs(value)):
            break
    return theta[:-1], float(theta[-1])


def held_out(
    own: Float64[np.ndarray, "n d"], fake: Bool[np.ndarray, " n"], people: np.ndarray, *, strength: float = STRENGTH
) -> Float64[np.ndarray, " n"]:
    """Combined probability of each clip by a fit without its person; NaN where all abstain or a class is missing."""
    names = sorted(set(people.tolist()))
    fold_of = {person: i % FOLDS for i, person in enumerate(names)}
    folds = np.array([fold_of[person] for person in people])
    out = np.full(len(fake), np.nan)
    for fold in range(FOLDS):
        inside = folds != fold
        if not fake[inside].any() or fake[inside].all():
            continue
        x = features(own, centres(own[inside], fake[inside]))
        weights, bias = fit_logistic(x[inside], fake[inside], strength=strength)
        out[~inside] = sigmoid(x[~inside] @ weights + bias)
    return np.where(np.isnan(own).all(axis=1), np.nan, out)


def _figures(own: np.ndarray, held: np.ndarray, fake: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    columns = {**{name: own[:, i] for i, name in enumerate(names)}, "combination": held}
    found: dict[str, Any] = {
        "note": f"AUC; of the combination by {FOLDS} fits, each without the people it is tested on"
    }
    for name, p in columns.items():
        known = np.isfinite(p)
        value = metrics.auc(p[known & fake], p[known & ~fake])
        found[name] = {"auc": round(value, 4) if np.isfinite(value) else None, "clips": int(known.sum())}
    return found


def _detector(table: ScoreTable, name: str) -> Mapping[str, Any]:
    about = table.about.get("detector")
    if not isinstance(about, dict) or not {"name", "version", "distribution"} <= about.keys():
        raise ValueError(
            f"{name} does not say which detector made it; score the clips again: "
            "python -m tools.evaluate score --detector NAME"
        )
    return about


def _common(tables: Sequence[ScoreTable]) -> tuple[list[np.ndarray], dict[str, int]]:
    """Row numbers, in each table, of the clips that all scored and of which it is known whether they are forged."""
    places = [{key: i for i, key in enumerate(t["key"])} for t in tables]
    keys = [key for key in places[0] if all(key in place for place in places)]
    fakes = [t.fake() for t in tables]
    failed = unknown = 0
    kept: list[str] = []
    for key in keys:
        labels = {float(f[p[key]]) for f, p in zip(fakes, places, strict=True)}
        if len(labels) > 1 and not any(np.isnan(x) for x in labels):
            raise ValueError(f"the tables disagree whether {key} is forged; score the same records with every detector")
        if any(t["error"][p[key]] for t, p in zip(tables, places, strict=True)):
            failed += 1
        elif any(np.isnan(x) for x in labels):
            unknown += 1
        else:
            kept.append(key)
    everywhere = len({key for place in places for key in place})
    left_out = {"not in all tables": everywhere - len(keys), "failed": failed, "unknown label": unknown}
    return [np.array([p[key] for key in kept], int) for p in places], left_out


def summary(combination: Combination) -> str:
    """The fit in a few lines."""
    on = combination.fitted_on
    lines = [f"{on['genuine']} genuine and {on['forged']} forged clips of {on['people']} people, left out: "
             + ", ".join(f"{n} {why}" for why, n in on["left_out"].items())]  # fmt: skip
    for m in combination.members:
        auc = combination.figures[m.name]["auc"]
        lines.append(
            f"{m.name} {m.version}: weight {m.weight:+.3f}, absent {m.absent:+.3f}, AUC alone {auc}"
            + (" (a negative weight: it speaks against itself)" if m.weight < 0 else "")
        )
    both = combination.figures["combination"]
    lines.append(f"together: bias {combination.bias:+.3f}, AUC {both['auc']} on people left out of the fit; fake from "
                 f"{combination.fake_above}, real up to {combination.real_below}")  # fmt: skip
    return "\n".join(lines)
