"""One logit of the branches' logits. Whatever the rule, suspicion of a branch never lowers the outcome.

``max``
    a file is as suspicious as its most suspicious branch.
``noisy_or``
    the probability that not all branches are innocent, ``1 - product(1 - p)``.
``logistic``
    ``clear * min(0, highest logit) + sum(weight * max(0, logit))``. Suspicion adds up; a branch that sees nothing adds
    nothing, and takes nothing away from another: lips that fit the sound are no alibi for a voice. Where no branch is
    suspicious, the least innocent one counts.

A branch that was not measured is left out: it adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64

from avdetect.calibration import Calibration, VerdictRule, logit
from avdetect.verdict.tracks import TrackFindings

BRANCHES = ("visual", "audio", "sync", "whole")
"""Columns of a table of branch logits."""


def counting(findings: Sequence[TrackFindings]) -> list[TrackFindings]:
    """The tracks whose voice and lips count for the file: those that speak, or all if none is known to.

    Beside those that speak count those that may: what is heard while they are in view is said by nobody whose lips fit.
    """
    if not any(f.speaking for f in findings):
        return list(findings)
    return [f for f in findings if f.speaking or (f.speaking is None and f.estimate is not None)]


def branch_values(findings: Sequence[TrackFindings], branch: str) -> list[tuple[TrackFindings, float]]:
    """The tracks that a branch was measured in and counts of, with what it says.

    What is judged by the picture alone counts of every face, since a face can be forged without speaking; the rest
    counts of the tracks of :func:`counting`, and the lips not of a face that is known not to speak.
    """
    speakers = {id(f) for f in counting(findings)}
    found = []
    for f in findings:
        seen = branch == "visual" or (branch == "whole" and f.whole_of_face)
        probability = getattr(f, branch)
        if probability is None or not (seen or id(f) in speakers) or (branch == "sync" and f.speaking is False):
            continue
        found.append((f, probability))
    return found


def uncounted_voices(findings: Sequence[TrackFindings], calibration: Calibration) -> list[TrackFindings]:
    """Tracks that do not speak with a voice in them that alone would keep a file from being called real."""
    speakers = {id(f) for f in counting(findings)}
    others = [f for f in findings if id(f) not in speakers and f.audio is not None]
    return [f for f in others if f.audio is not None and not harmless("audio", f.audio, calibration)]


def branch_logits(findings: Sequence[TrackFindings]) -> Float64[np.ndarray, " 4"]:
    """Calibrated logit of each branch in the order of ``BRANCHES``, of the track that it finds most suspicious.

    NaN where no track that counts was measured.
    """
    found = np.full(len(BRANCHES), np.nan)
    for i, branch in enumerate(BRANCHES):
        values = [p for _, p in branch_values(findings, branch)]
        if values:
            found[i] = logit(max(values))
    return found


def combined_logits(logits: Float[np.ndarray, "n 4"], rule: VerdictRule) -> Float64[np.ndarray, " n"]:
    """The combined logit of each row, before the verdict's own scaling; NaN where no branch was measured."""
    logits = np.asarray(logits, np.float64)
    measured = np.isfinite(logits)
    highest = np.where(measured, logits, -np.inf).max(axis=1)
    some = measured.any(axis=1)
    if rule.name == "max":
        value = highest
    elif rule.name == "noisy_or":
        # -log of the probability that all are innocent; its logit is log(exp(x) - 1).
        guilt = np.where(measured, np.logaddexp(0.0, np.where(measured, logits, 0.0)), 0.0).sum(axis=1)
        guilt = np.maximum(guilt, 1e-12)
        value = guilt + np.log(-np.expm1(-guilt))
    else:
        weights = np.array([*(getattr(rule, branch) for branch in BRANCHES), rule.clear])
        value = logistic_features(logits) @ weights
    return np.where(some, value, np.nan)


def logistic_features(logits: Float[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 5"]:
    """What the weights of ``logistic`` multiply: suspicion of each branch, and the highest logit where none is."""
    logits = np.asarray(logits, np.float64)
    measured = np.isfinite(logits)
    highest = np.where(measured, logits, -np.inf).max(axis=1)
    clear = np.where(measured.any(axis=1), np.minimum(highest, 0.0), 0.0)
    return np.column_stack([np.where(measured, np.maximum(logits, 0.0), 0.0), clear])


def combined(findings: Sequence[TrackFindings], calibration: Calibration) -> float | None:
    """Calibrated probability that something in the file is fake; ``None`` where nothing was measured."""
    value = combined_logits(branch_logits(findings)[None], calibration.rule)[0]
    return float(calibration.verdict.probability(value)) if np.isfinite(value) else None


def harmless(branch: str, probability: float, calibration: Calibration) -> bool:
    """Whether what a branch says would not keep a file of which nothing else is known from being called real."""
    row = np.full((1, len(BRANCHES)), np.nan)
    row[0, BRANCHES.index(branch)] = logit(probability)
    return float(calibration.verdict.probability(combined_logits(row, calibration.rule)[0])) <= calibration.real_below


def accuses(branch: str, probability: float, calibration: Calibration) -> bool:
    """Whether a branch is suspicious enough to be named as a reason: likelier than not, and not :func:`harmless`."""
    return probability >= calibration.segments.leave and not harmless(branch, probability, calibration)


def contributions(findings: Sequence[TrackFindings], calibration: Calibration) -> dict[str, float]:
    """How much each branch that is suspicious adds to the verdict, in logits before the verdict's scaling.

    Under ``max`` and ``noisy_or`` a branch's own logit; under ``logistic`` its weighted one.
    """
    rule = calibration.rule
    found = {}
    for branch, value in zip(BRANCHES, branch_logits(findings), strict=True):
        weight = getattr(rule, branch) if rule.name == "logistic" else 1.0
        if np.isfinite(value) and value > 0 and weight > 0:
            found[branch] = float(weight * value)
    return found
