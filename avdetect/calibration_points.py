"""Thresholds from the scores of people left out: when a file is called fake or real, when an offset is reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from avdetect.calibration import logit, sigmoid
from avdetect.calibration_scaling import clips_worth

FALSE_ALARMS = 0.02
"""Share of genuine validation clips that a combination of detectors may call fake."""
MISSES = 0.10
"""Share of forged validation clips that it may call real."""
TAIL = 0.3
"""Part of the genuine scores from which the shape of their tail is taken."""


def operating_points(genuine: np.ndarray, forged: np.ndarray) -> tuple[float, float]:
    """``fake_above`` and ``real_below`` from the calibrated probabilities of genuine and forged clips."""
    above = float(np.clip(np.quantile(genuine, 1 - FALSE_ALARMS) + 1e-3, 0.5, 0.99))
    below = float(np.clip(np.quantile(forged, MISSES), 0.01, 0.5))
    return round(above, 4), round(min(below, above), 4)


def alarm_threshold(
    genuine: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], *, alarms: float, films: Sequence[str] = ()
) -> tuple[float, dict[str, float]]:
    """Probability from which at most a share ``alarms`` of genuine clips is called fake.

    The higher of two: the order statistic above which lies no more than that share of the weight, and what an
    exponential tail through the highest three tenths of the logits says, since among few clips the highest one is
    passed by more than one in a hundred of the next.

    Args:
        genuine: probabilities of genuine clips, of people left out of the fit.
        weights: of the clips, so that no source outweighs the others.
        alarms: in (0, 1).
        films: which each clip is a copy of (`avdetect.calibration_scaling.clips_worth`).

    Returns:
        The threshold in [0.5, 0.9999], and what is known of it: the share of clips above, how many clips that is worth,
        and the upper end of the one-sided 95 % interval of Clopper and Pearson (1934).
    """
    order = np.argsort(-genuine, kind="stable")
    scores, share = logit(genuine[order]), np.cumsum(weights[order]) / weights.sum()
    # Everything up to and with the first clip that would be one too many is below the threshold.
    first = int(np.searchsorted(share, alarms + 1e-12, side="right"))
    statistic = float(scores[min(first, len(scores) - 1)])
    order_weights = weights[order]
    start = int(min(np.searchsorted(share, TAIL), len(scores) - 1))
    upper = order_weights[: start + 1]
    excess = float(np.average(scores[: start + 1] - scores[start], weights=upper))
    tail = float(scores[start]) + excess * float(np.log(max(share[start] / alarms, 1.0)))
    above = float(np.clip(sigmoid(max(statistic, tail)) + 1e-3, 0.5, 0.9999))
    above = round(above, 4)
    worth = clips_worth(weights, films)
    over = float(weights[genuine >= above].sum() / weights.sum())
    bound = clopper_pearson_upper(over * worth, worth)
    return above, {"share": round(over, 4), "clips_worth": round(worth, 1), "at_most_95": round(bound, 4)}


def clopper_pearson_upper(events: float, n: float, *, level: float = 0.95) -> float:
    """Upper end of the one-sided exact interval of a share, ``events`` of ``n`` (either may be fractional)."""
    from scipy.special import betaincinv

    return 1.0 if events >= n else float(betaincinv(events + 1.0, n - events, level))


def band(
    probability: Float[np.ndarray, " n"],
    fake: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    *,
    fake_above: float,
    risk: float,
    least: float = 0.05,
) -> tuple[float, list[dict[str, float]]]:
    """``real_below`` from the curve of risk against coverage, and the curve.

    Args:
        probability: of clips of people left out of the fit.
        fake: the class.
        weights: of the clips, for a prior of one half.
        fake_above: from it a clip is called fake; the curve is of what is called real below each threshold.
        risk: how many of the clips that are called real may be forged, in (0, 1).
        least: part of all clips that must lie below a threshold before its risk is believed.

    Returns:
        The highest threshold up to 0.5 at which the risk is kept (0.01 if none does), and points of the curve: the
        threshold, the part of clips that is decided, and the part that is wrong of the decided and of those called
        real.
    """
    points, below = [], 0.01
    w = weights / weights.sum()
    alarm = probability >= fake_above
    for t in np.round(np.linspace(0.02, 0.5, 25), 4):
        if t > fake_above:
            break
        called_real = (probability <= t) & ~alarm
        covered = w[called_real].sum()
        if covered < least:
            continue
        missed = w[called_real & fake].sum()
        wrong = missed + w[alarm & ~fake].sum()
        points.append(
            {
                "real_below": float(t),
                "coverage": round(float(covered + w[alarm].sum()), 4),
                "risk": round(float(wrong / (covered + w[alarm].sum())), 4),
                "risk_of_real": round(float(missed / covered), 4),
            }
        )
        if missed / covered <= risk:
            below = float(t)
    return below, points


def offset_gate(stability: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], *, reported: float) -> float:
    """Stability from which an offset is reported: that which a share ``reported`` of foreign offsets reaches.

    Args:
        stability: of the lag curve's maximum, of lips with another clip's sound; NaN or below 0 where there is none.
        weights: of the clips.
        reported: in (0, 1).
    """
    found = np.nan_to_num(np.asarray(stability, np.float64), nan=-1.0)
    values = np.unique(found[found >= 0])
    passing = np.array([weights @ (found >= value) for value in values]) / weights.sum()
    allowed = values[passing <= reported]
    return round(float(allowed[0]) if len(allowed) else 1.0, 4)


def youden(own: Float[np.ndarray, " n"], foreign: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> float:
    """The value that tells own from foreign sound best (Youden 1950), of the same clips."""
    return float(
        max(np.unique(np.concatenate([own, foreign])), key=lambda c: weights @ (own >= c) - weights @ (foreign >= c))
    )


def figure(value: float, digits: int = 4) -> Any:
    """A number as it is written to a card: rounded, ``None`` where it is not finite."""
    return round(float(value), digits) if np.isfinite(value) else None
