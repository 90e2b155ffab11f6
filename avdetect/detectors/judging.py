"""The report on a file by one detector or by several together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avdetect.calibration import Calibration
from avdetect.detectors.combination import Combination
from avdetect.detectors.named import Named
from avdetect.detectors.run import Progress, run_plugins
from avdetect.media.limits import Limits
from avdetect.report.schema import DetectorReport, ModelSummary, Report
from avdetect.types import TICK_RATE, AbstainReason, VerdictName
from avdetect.verdict import Analysis
from avdetect.verdict.abstaining import UNJUDGED, unjudged
from avdetect.verdict.entries import rounded
from avdetect.verdict.judge import combined, judge, measure
from avdetect.verdict.segments import merge_segments


@dataclass(frozen=True)
class Opinion:
    """What one detector makes of a file.

    Attributes:
        named: the detector.
        report: as if it were alone.
        probability: as in the report, not rounded.
        unjudged: what the file shows and it did not judge, by the names of `avdetect.verdict.abstaining.UNJUDGED`.
        entry: its line in the report.
    """

    named: Named
    report: Report
    probability: float | None
    unjudged: tuple[str, ...]
    entry: DetectorReport


def score_with(
    path: str | Path,
    detectors: Sequence[Named],
    *,
    combination: Combination | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Report:
    """Score a file.

    Args:
        path: the file.
        detectors: one, or those of the combination.
        combination: needed for several.
        limits: what decoding may use.
        progress: told the share done, in [0, 1].

    Raises:
        MediaError: the file cannot be read.
        PluginError: a detector failed, or answered otherwise than its contract says.
        ValueError: several detectors without a combination of them.
    """
    if combination is None and len(detectors) != 1:
        raise ValueError(f"{len(detectors)} detectors need a combination")
    if combination is not None and (reason := combination.why_not(detectors)):
        raise ValueError(reason)
    analyses = run_plugins(path, detectors, limits=limits, progress=progress)
    opinions = [opinion(named, analysis) for named, analysis in zip(detectors, analyses, strict=True)]
    return alone(opinions[0]) if combination is None else combine(opinions, combination)


def opinion(named: Named, analysis: Analysis) -> Opinion:
    """Judge what a detector found by its own calibration, or as it is."""
    calibration = named.calibration or Calibration()
    findings = measure(analysis, calibration)
    report = judge(analysis, calibration, model=named.card, findings=findings)
    entry = DetectorReport(
        name=named.name,
        version=named.version,
        distribution=named.distribution,
        probability_fake=report.probability_fake,
        calibrated=named.calibration is not None,
        why_not="" if report.probability_fake is not None else why_silent(named, analysis),
    )
    exact = combined(findings, calibration)
    return Opinion(named, report, exact, unjudged(analysis, findings, calibration), entry)


def why_silent(named: Named, analysis: Analysis) -> str:
    """Why a detector has no probability for a file."""
    seen = any(t.visible is not None and t.visible.any() for t in analysis.tracks)
    heard = any(t.audio_valid.any() for t in analysis.tracks)
    if "picture" in named.needs and not seen:
        return "it needs a face, and none was found"
    if "sound" in named.needs and not heard:
        return "it needs sound, and there is none"
    longest = max((t.n_ticks for t in analysis.tracks), default=0)
    if longest < named.contract.min_ticks:
        least = named.contract.min_ticks / TICK_RATE
        return f"it needs {least:.2f} s of one face or voice, the longest has {longest / TICK_RATE:.2f} s"
    return "it had nothing to say of what could be judged"


def alone(of: Opinion) -> Report:
    """The report of one detector."""
    reasons = list(of.report.reasons)
    if of.entry.why_not:
        reasons.insert(0, f"{of.named.name} abstained: {of.entry.why_not}.")
    return dataclasses.replace(of.report, reasons=(*reasons, *_uncalibrated([of])), detectors=(of.entry,))


def combine(opinions: Sequence[Opinion], combination: Combination) -> Report:
    """The report of several: their probabilities combined, their segments joined, their reasons by name.

    The file is called real only if whatever it shows was judged by one of them. Tracks are those of the first detector
    that has a probability.
    """
    own = {o.named.name: o.probability for o in opinions}
    probability = combination.probability(own)
    missing = set.intersection(*(set(o.unjudged) for o in opinions))
    verdict: VerdictName = "inconclusive"
    if probability is not None and probability >= combination.fake_above:
        verdict = "fake"
    elif probability is not None and probability <= combination.real_below and not missing:
        verdict = "real"
    main = next((o for o in opinions if o.report.probability_fake is not None), opinions[0]).report
    kept: tuple[AbstainReason, ...] = tuple(a for a in main.abstained if all(a in o.report.abstained for o in opinions))
    named = [o.named for o in opinions]
    return Report(
        file=main.file,
        model=ModelSummary("combination", "", combination.sha256),
        verdict=verdict,
        probability_fake=rounded(probability),
        reasons=(
            _summary(opinions, probability, combination, missing),
            *combination.changed(named),
            *dict.fromkeys(f"{o.named.name}: {line}" for o in opinions for line in o.report.reasons),
            *_uncalibrated(opinions),
        ),
        abstained=kept,
        tracks=main.tracks,
        segments=merge_segments(s for o in opinions for s in o.report.segments),
        detectors=tuple(o.entry for o in opinions),
    )


def _summary(
    opinions: Sequence[Opinion], probability: float | None, combination: Combination, missing: set[str]
) -> str:
    parts = ", ".join(
        f"{o.named.name} abstained ({o.entry.why_not})"
        if o.entry.probability_fake is None
        else f"{o.named.name} {o.entry.probability_fake:.2f}"
        for o in opinions
    )
    if probability is None:
        return f"No detector could judge the file: {parts}."
    text = f"Together the detectors give a probability of a fake of {probability:.2f}: {parts}"
    if probability >= combination.fake_above:
        return f"{text}."
    if probability > combination.real_below:
        return (
            f"{text}; that is between the {combination.real_below:.2f} below which a file is called real and the "
            f"{combination.fake_above:.2f} from which it is called fake."
        )
    if missing:
        what = " and ".join(words for name, words in UNJUDGED.items() if name in missing)
        return f"{text}; but none judged {what}, so the file is not called real."
    return f"{text}."


def _uncalibrated(opinions: Sequence[Opinion]) -> list[str]:
    return [
        f"The scores of {o.named.name} are uncalibrated: it brings no calibration, so its own probability is no "
        "frequency."
        for o in opinions
        if not o.entry.calibrated and o.entry.probability_fake is not None
    ]
