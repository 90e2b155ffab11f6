"""Stretches of time that look forged: logits per tick, smoothed, cut by hysteresis, freed of crumbs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float64

from avdetect.calibration import Platt, SegmentRule
from avdetect.sync.speaking import moving_sum
from avdetect.types import TICK_RATE, Segment, SegmentKind


def smooth(logits: Float[np.ndarray, " t"], width: int) -> Float64[np.ndarray, " t"]:
    """Mean of the measured logits within ``width`` ticks; NaN where the tick itself was not measured."""
    good = np.isfinite(logits)
    total = moving_sum(np.where(good, logits, 0.0), width)
    count = moving_sum(good.astype(np.float64), width)
    return np.where(good, total / np.maximum(count, 1), np.nan)


def find_segments(
    logits: Float[np.ndarray, " t"],
    scaling: Platt,
    kind: SegmentKind,
    *,
    rule: SegmentRule | None = None,
    start_tick: int = 0,
) -> tuple[Segment, ...]:
    """Suspicious stretches of one branch of one track, on the file's clock.

    A stretch holds at least one tick at or above ``rule.enter`` and none below ``rule.leave`` (unmeasured ticks and
    dips up to ``rule.bridge_s`` do not end it). Its probability is that of the mean logit of its measured ticks, whose
    number counts (``Platt.half_ticks``); where it is cut does not depend on its length.

    Args:
        logits: per tick, NaN where not measured.
        scaling: of the branch.
        kind: visual, audio or sync.
        rule: how to cut.
        start_tick: tick of the file's clock at which ``logits`` start.
    """
    rule = rule or SegmentRule()
    logits = np.asarray(logits, np.float64)
    level = scaling.probability(smooth(logits, max(1, round(rule.smooth_s * TICK_RATE))))
    high = np.nan_to_num(level, nan=-1.0) >= rule.leave
    runs = bridge(_runs(high), round(rule.bridge_s * TICK_RATE))
    found = []
    for low, end in runs:
        if end - low < rule.min_length_s * TICK_RATE - 1e-9 or np.nanmax(level[low:end]) < rule.enter:
            continue
        ticks = int(np.isfinite(logits[low:end]).sum())
        probability = float(scaling.probability(float(np.nanmean(logits[low:end])), ticks))
        if probability >= rule.leave:
            found.append(Segment((start_tick + low) / TICK_RATE, (start_tick + end) / TICK_RATE, kind, probability))
    return tuple(found)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def bridge(runs: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Join runs that are at most ``gap`` apart."""
    joined: list[tuple[int, int]] = []
    for low, high in runs:
        if joined and low - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def merge_segments(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Join overlapping stretches of one kind (several tracks, one sound), by start; the higher probability stays."""
    merged: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (s.kind, s.start_s, s.end_s)):
        last = merged[-1] if merged else None
        if last is not None and last.kind == segment.kind and segment.start_s < last.end_s:
            merged[-1] = Segment(
                last.start_s, max(last.end_s, segment.end_s), last.kind, max(last.probability, segment.probability)
            )
        else:
            merged.append(segment)
    merged = [replace(s, probability=round(s.probability, 4)) for s in merged]
    return tuple(sorted(merged, key=lambda s: (s.start_s, s.kind, s.end_s)))
