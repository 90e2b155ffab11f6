"""Fit a detector's calibration on validation clips: scalings, the verdict's rule, operating points, the offset gate.

Probabilities are stated for a prior of one half: the share of forgeries among validation clips says nothing of the
share among the clips that somebody will ask about. All clips of a person in a source count as one.

What is fitted on a clip is never judged by it, nor on others of its kind: people are dealt into folds, and clips into
groups (genuine ones of a source, those of a generator). Each branch's scaling is fitted without a fold and a group
and applied to the clips that are in both; the rule and the verdict's scaling are fitted on those scores, for the
figures and thresholds again without the clips' fold and group. So the verdict is scaled, and its thresholds are set,
by what becomes of people, sources and generators that were not fitted on. What is stored is fitted on everybody.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from avdetect import metrics
from avdetect.calibration import RULES, Calibration, Platt
from avdetect.calibration_points import alarm_threshold, band, figure, offset_gate, youden
from avdetect.calibration_scaling import balanced_weights, fit_rule, fit_tempered
from avdetect.calibration_table import TableClip, evidence_table
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.verdict.combine import branch_logits, combined_logits
from avdetect.verdict.tracks import TrackFindings, believed, decide_speaking, measure_track, scaled

FOLDS = 5
SHARP = 4.0
"""Sharpness of a lag curve that chance reaches once in a hundred: such offsets set the zero."""
FEW = 5
"""Fewer clips than this set no threshold of the offset."""


@dataclasses.dataclass(frozen=True)
class Goals:
    """What the thresholds are chosen for.

    Attributes:
        false_alarms: share of genuine clips that may be called fake.
        risk: share of the clips called real that may be forged, were half of all clips forged.
        false_offsets: share of clips with another clip's sound of which an offset may be reported.
    """

    false_alarms: float = 0.01
    risk: float = 0.2
    false_offsets: float = 0.5

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not 0 < value < 1:
                raise ValueError(f"{name} must be between 0 and 1, not {value!r}")


@dataclasses.dataclass(frozen=True)
class Measured:
    """A validation clip as the uncalibrated detector sees it, with its own sound and with another clip's."""

    clip: TableClip
    own: TrackFindings
    swapped: TrackFindings | None

    @property
    def row(self) -> int:
        """Of the store's index."""
        return self.clip.row

    @property
    def identity(self) -> str:
        """The person."""
        return self.clip.identity

    @property
    def visual_fake(self) -> bool | None:
        """Whether the face is forged."""
        return self.clip.visual_fake

    @property
    def audio_fake(self) -> bool | None:
        """Whether the voice is forged."""
        return self.clip.audio_fake


def measure(
    detector: Detector,
    store: RecordStore,
    rows: Sequence[int],
    *,
    folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Measured]:
    """Evidence and findings of the clips; arguments as `avdetect.calibration_table.evidence_table`."""
    neutral = Calibration(offset_confidence=0.0, offset_stability=0.0)
    return [
        Measured(
            clip,
            measure_track(clip.own, neutral),
            None if clip.swapped is None else measure_track(clip.swapped, neutral),
        )
        for clip in evidence_table(detector, store, rows, folder=folder, progress=progress)
    ]


def fit_calibration(
    clips: Sequence[Measured],
    *,
    description: str,
    goals: Goals | None = None,
    rules: Sequence[str] = RULES,
    compared_on: Collection[int] | None = None,
    zero_offset_ms: float | None = None,
    kept: Mapping[str, Platt] | None = None,
) -> tuple[Calibration, dict[str, Any]]:
    """Everything that is fitted, and figures on people and sources left out of what they are figures of.

    Args:
        clips: validation clips.
        description: of them, stored with the calibration.
        goals: what the thresholds are chosen for.
        rules: of the verdict, from the simplest; the log loss of those left out chooses (:func:`simplest`).
        compared_on: rows of the clips on which rules are compared; all if not given or none of them can be.
        zero_offset_ms: where it is known better than from these clips.
        kept: scalings of branches that are known better than from these clips.

    Returns:
        The calibration and the figures. Without clips known to be genuine and others known to be forged, the verdict's
        scaling and thresholds stay as they are by default, and the figures say so.
    """
    goals = goals or Goals()
    zero = zero_offset(clips) if zero_offset_ms is None else zero_offset_ms
    base = Calibration(zero_offset_ms=zero, fitted_on=description)
    base, figures = _offset_thresholds(base, clips, goals)
    everything = _cases(clips)
    scalings, of_branches = _branches(everything)
    scalings |= kept or {}
    logits = _left_out_logits(everything, base, kept or {})
    judged = [i for i, c in enumerate(everything) if c.fake is not None and np.isfinite(logits[i]).any()]
    cases, logits = [everything[i] for i in judged], logits[judged]
    fake = np.array([bool(c.fake) for c in cases], bool)
    if fake.all() or not fake.any():
        why = f"not fitted: {(~fake).sum()} genuine and {fake.sum()} forged clips"
        return dataclasses.replace(base, **scalings), figures | of_branches | {"verdict": why}
    weights = _weights(cases, fake)
    tried = {name: _left_out_verdicts(name, cases, logits, fake) for name in rules}
    losses = {name: -np.log(np.clip(np.where(fake, p, 1.0 - p), 1e-6, 1.0)) for name, p in tried.items()}
    asked = [i for i, c in enumerate(cases) if compared_on is None or c.of.row in compared_on]
    asked = asked if asked and 0 < fake[asked].sum() < len(asked) else list(range(len(cases)))
    losses = {name: loss[asked] for name, loss in losses.items()}
    alike = _weights([cases[i] for i in asked], fake[asked])
    chosen = simplest(losses, alike, [cases[i].of.identity for i in asked])
    probability = tried[chosen]
    rule, verdict = fit_rule(chosen, logits, fake, weights)
    honest = [c.of.clip.film for c, forged in zip(cases, fake, strict=True) if not forged]
    above, alarms = alarm_threshold(probability[~fake], weights[~fake], alarms=goals.false_alarms, films=honest)
    # Where no branch is suspicious nothing may be called fake, so that every accusation has its reason.
    above = max(above, round(min(float(verdict.probability(0.0)) + 2e-3, 0.9999), 4))
    below, curve = band(probability, fake, weights, fake_above=above, risk=goals.risk)
    figures |= of_branches | {
        "people": len({c.of.identity for c in cases}),
        "clips": [int((~fake).sum()), int(fake.sum())],
        "rule": chosen,
        "rule_log_loss": {name: figure(float(np.average(loss, weights=alike))) for name, loss in losses.items()},
        "verdict_auc": figure(metrics.auc(probability[fake], probability[~fake])),
        "verdict_ece": figure(metrics.expected_calibration_error(probability, fake, weights=weights)),
        "false_alarms": {"goal": goals.false_alarms, **alarms},
        "forged_called_fake": figure(float(np.average(probability[fake] >= above, weights=weights[fake]))),
        "genuine_called_real": figure(float(np.average(probability[~fake] <= below, weights=weights[~fake]))),
        "risk_of_real_goal": goals.risk,
        "risk_coverage": curve,
    }
    calibration = dataclasses.replace(
        base, **scalings, rule=rule, verdict=verdict, fake_above=above, real_below=round(min(below, above), 4)
    )
    return calibration, figures


@dataclasses.dataclass(frozen=True)
class _Case:
    """A clip with its own sound, or with another clip's, which is a forgery too.

    Attributes:
        of: the clip.
        findings: of that sound.
        fake: whether anything is forged, ``None`` if not known.
        group: what it shares with clips that would give it away: its source, and what forged it.
        fold: of its person.
    """

    of: Measured
    findings: TrackFindings
    fake: bool | None
    group: str
    fold: int

    @property
    def swapped(self) -> bool:
        """Whether the sound is another clip's."""
        return self.findings is not self.of.own


def _cases(clips: Sequence[Measured]) -> list[_Case]:
    folds = people_folds([c.clip for c in clips])
    found = []
    for c, fold in zip(clips, folds.tolist(), strict=True):
        found.append(_Case(c, c.own, c.clip.fake, f"{c.clip.source}/{c.clip.generator}", fold))
        if c.swapped is not None:
            found.append(_Case(c, c.swapped, True, f"{c.clip.source}/another clip's sound", fold))
    return found


def people_folds(clips: Sequence[TableClip], *, folds: int = FOLDS) -> Int[np.ndarray, " n"]:
    """Fold of each clip; all clips of a person are in one, and the people of each source are spread evenly."""
    source = {c.identity: c.source for c in reversed(clips)}
    people = sorted(source, key=lambda p: (source[p], hashlib.sha256(p.encode()).hexdigest()))
    place = {person: n % folds for n, person in enumerate(people)}
    return np.array([place[c.identity] for c in clips], int)


def _weights(cases: Sequence[_Case], fake: Bool[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    who = [c.of.clip for c in cases]
    return balanced_weights(fake, [c.group for c in cases], [c.identity for c in who], films=[c.film for c in who])


def _branches(cases: Sequence[_Case]) -> tuple[dict[str, Platt], dict[str, Any]]:
    """Scaling of each branch, and the AUC of its mean logits (to which the scaling does nothing)."""
    own = [c for c in cases if not c.swapped]
    honest = [c for c in own if c.of.visual_fake is False and c.of.audio_fake is False and c.of.clip.in_sync]
    tables: dict[str, list[tuple[_Case, bool | None]]] = {
        "visual": [(c, c.of.visual_fake) for c in own],
        "audio": [(c, c.of.audio_fake) for c in own],
        "sync": [(c, c.swapped) for c in [*honest, *(c for c in cases if c.swapped)]],
    }
    scalings, figures = {}, {}
    for name, table in tables.items():
        ticks = [getattr(c.findings, f"{name}_ticks") for c, _ in table]
        kept = [i for i, (_, f) in enumerate(table) if f is not None and np.isfinite(ticks[i]).any()]
        fake = np.array([bool(table[i][1]) for i in kept], bool)
        logits = np.array([mean_logit(ticks[i]) for i in kept])
        count = np.array([np.isfinite(ticks[i]).sum() for i in kept], float)
        of = [table[i][0] for i in kept]
        scalings[name] = fit_tempered(
            logits,
            count,
            fake,
            _weights(of, fake),
            sources=[c.of.clip.source for c in of],
            films=[c.of.clip.film for c in of],
        )
        figures[f"{name}_auc"] = figure(metrics.auc(logits[fake], logits[~fake]))
        figures[f"{name}_clips"] = [int((~fake).sum()), int(fake.sum())]
    return scalings, figures


def _left_out(cases: Sequence[_Case]) -> list[tuple[list[int], list[int]]]:
    """Which cases are judged together, and which may be learned from for it: other people of other groups."""
    units = sorted({(c.fold, c.group) for c in cases})
    return [
        (
            [i for i, c in enumerate(cases) if (c.fold, c.group) == unit],
            [i for i, c in enumerate(cases) if c.fold != unit[0] and c.group != unit[1]],
        )
        for unit in units
    ]


def _left_out_logits(
    cases: Sequence[_Case], base: Calibration, kept: Mapping[str, Platt]
) -> Float64[np.ndarray, "n 4"]:
    """Calibrated branch logits of each case, by scalings that neither its person nor its group had a part in.

    Those of ``kept`` are taken as they are.
    """
    logits = np.full((len(cases), 4), np.nan)
    for here, rest in _left_out(cases):
        calibration = dataclasses.replace(base, **(_branches([cases[i] for i in rest])[0] | kept))
        for i in here:
            logits[i] = branch_logits(decide_speaking([scaled(cases[i].findings, calibration)], calibration))
    return logits


def _left_out_verdicts(
    name: str, cases: Sequence[_Case], logits: Float64[np.ndarray, "n 4"], fake: Bool[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """Probability of each case by a rule that neither its person nor its group had a part in."""
    probability = np.full(len(fake), 0.5)
    for here, rest in _left_out(cases):
        if fake[rest].all() or not fake[rest].any():
            continue  # nothing can be learned from one class
        rule, verdict = fit_rule(name, logits[rest], fake[rest], _weights([cases[i] for i in rest], fake[rest]))
        probability[here] = verdict.probability(combined_logits(logits[here], rule))
    return probability


def simplest(
    losses: Mapping[str, Float[np.ndarray, " n"]], weights: Float[np.ndarray, " n"], people: Sequence[str]
) -> str:
    """The first of the rules that the best one does not beat by more than a standard error (Breiman et al. 1984).

    Args:
        losses: of each case, by rule, the simplest first.
        weights: of the cases.
        people: of the cases; what is drawn at random is people.
    """
    means = {name: float(np.average(loss, weights=weights)) for name, loss in losses.items()}
    best = min(means, key=lambda name: means[name])
    number = np.unique(np.asarray(people), return_inverse=True)[1]
    for name, loss in losses.items():
        ahead = means[name] - means[best]
        parts = np.bincount(number, weights=weights * (loss - losses[best] - ahead))
        if ahead <= float(np.sqrt((parts**2).sum()) / weights.sum()):
            return name
    return best


def zero_offset(clips: Sequence[Measured]) -> float:
    """Median offset of the genuine clips of which it is clear, every person counting once in a source."""
    found = [
        (c.own.estimate.offset_ms, c)
        for c in clips
        if c.visual_fake is False and c.audio_fake is False and c.clip.in_sync and c.own.estimate is not None
        if c.own.estimate.offset_ms is not None and c.own.estimate.sharpness >= SHARP
    ]
    if not found:
        return 0.0
    offsets = np.array([o for o, _ in found])
    weights = balanced_weights(
        np.zeros(len(found), bool), [c.clip.source for _, c in found], [c.identity for _, c in found]
    )
    order = np.argsort(offsets, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    return round(float(offsets[order][int(np.searchsorted(share, 0.5))]), 1)


def _offset_thresholds(
    base: Calibration, clips: Sequence[Measured], goals: Goals
) -> tuple[Calibration, dict[str, Any]]:
    """When a face speaks, and when an offset is reported."""
    own, other, whose = [], [], []
    for c in clips:
        first, second = c.own.estimate, None if c.swapped is None else c.swapped.estimate
        if first is not None and second is not None and np.isfinite([first.confidence, second.confidence]).all():
            own, other, whose = [*own, first], [*other, second], [*whose, c]
    if len(own) < FEW:
        return base, {}
    weights = balanced_weights(np.zeros(len(own), bool), [c.clip.source for c in whose], [c.identity for c in whose])
    sure = np.array([e.confidence for e in own])
    speaking = youden(sure, np.array([e.confidence for e in other]), weights)
    # The height of a peak falls with the length of the clip; whether it is noise, its stability tells better.
    report = min(speaking, float(np.quantile(sure, 0.01)), base.offset_confidence)
    stability = offset_gate(
        np.array([-1.0 if e.at_end else e.stability for e in other]), weights, reported=goals.false_offsets
    )
    calibration = dataclasses.replace(
        base,
        speaking_confidence=round(speaking, 4),
        offset_confidence=round(max(report, 0.0), 4),
        offset_stability=stability,
    )
    share = {}
    for name, side in (("own", own), ("another clip's", other)):
        passed = [believed(e, calibration) and not e.at_end for e in side]
        share[name] = figure(float(np.average(passed, weights=weights)))
    return calibration, {"offsets_reported": {"goal_of_another_clips": goals.false_offsets, **share}}


def mean_logit(ticks: np.ndarray) -> float:
    """Mean over the measured ticks, NaN where there are none."""
    return float(np.nanmean(ticks)) if np.isfinite(ticks).any() else float("nan")
