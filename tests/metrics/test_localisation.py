"""Segments: against recorded figures of the published library, by hand, and at the edges."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.metrics.localisation import AP_OVERLAPS, FileMatch, match, overlaps, segment_ap, segment_ar

RECORDED = json.loads((Path(__file__).parent / "recorded" / "avdeepfake1m.json").read_text())


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda c: c["name"])
def test_equals_the_published_library(case: dict) -> None:
    files = [match([(a, b, s) for s, a, b in f["proposals"]], f["truths"]) for f in case["files"]]
    ap, ar = segment_ap(files, published=True), segment_ar(files)
    assert len(case["ap"]) == 4 and len(case["ar"]) == 5
    for overlap, value in case["ap"]:
        assert ap[overlap] == pytest.approx(value, abs=2e-6)
    for n, value in case["ar"]:
        assert ar[n] == pytest.approx(value, abs=2e-6)
    truths = sum(f.truths for f in files)
    ours = segment_ap(untied(files))
    assert all(0 <= ours[o] - ap[o] <= 1 / truths + 1e-9 for o in AP_OVERLAPS)


def untied(files: list[FileMatch]) -> list[FileMatch]:
    """With scores that are all different, in the order in which the published library takes equal ones."""
    scores = np.concatenate([f.scores for f in files])
    ranks = -np.argsort(np.argsort(-scores, kind="stable")).astype(np.float32)
    ends = np.cumsum([len(f.scores) for f in files])[:-1]
    return [dataclasses.replace(f, scores=part) for f, part in zip(files, np.split(ranks, ends), strict=True)]


def test_by_hand() -> None:
    """Two truths, three proposals: right, wrong, right. Precision at the two hits 1 and 2/3."""
    file = match([(0, 1, 0.9), (5, 6, 0.8), (2.0, 2.88, 0.7)], [(0, 1), (2, 3)])
    ap = segment_ap([file])
    assert ap[0.5] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert ap[0.75] == pytest.approx(0.5 + 1 / 3)
    assert ap[0.95] == pytest.approx(0.5)
    # Of the ten overlaps 0.5 ... 0.95, the second truth (0.88) is reached at eight; the first at all.
    assert segment_ar([file], proposals=[3, 1]) == pytest.approx({3: (10 + 8) / 20, 1: 10 / 20})


def test_better_proposals_count_across_files() -> None:
    good, bad = match([(0, 1, 0.9)], [(0, 1)]), match([(3, 4, 0.95)], [(0, 1)])
    assert segment_ap([good, bad])[0.5] == pytest.approx(0.5 * 0.5)
    late = match([(3, 4, 0.1)], [(0, 1)])
    assert segment_ap([good, late])[0.5] == pytest.approx(0.5)


def test_no_proposals_no_truths() -> None:
    silent, innocent = match([], [(0, 1)]), match([], [])
    assert segment_ap([silent]) == {o: 0.0 for o in AP_OVERLAPS}
    assert set(segment_ar([silent]).values()) == {0.0}
    assert all(np.isnan(v) for v in (*segment_ap([innocent]).values(), *segment_ar([innocent]).values()))
    # A false alarm in a genuine file costs precision, not recall.
    found, alarm = match([(0, 1, 0.5)], [(0, 1)]), match([(0, 1, 0.9)], [])
    assert segment_ap([found, alarm])[0.5] == pytest.approx(0.5)
    assert segment_ar([found, alarm])[5] == 1.0 and segment_ar([found, silent])[5] == 0.5


def test_a_second_proposal_for_the_same_truth_is_wrong() -> None:
    once = match([(0, 1, 0.9)], [(0, 1), (5, 6)])
    twice = match([(0, 1, 0.9), (0, 1, 0.8), (5, 6, 0.7)], [(0, 1), (5, 6)])
    assert once.right[0].tolist() == [True]
    assert twice.right[0].tolist() == [True, False, True]
    assert segment_ap([twice])[0.5] == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_touching_and_empty_stretches_do_not_overlap() -> None:
    np.testing.assert_allclose(overlaps([(0, 1), (1, 1), (0, 2)], [(1, 2), (1, 1)]), [[0, 0], [0, 0], [0.5, 0]])
    assert not match([(0, 2, 1)], [(1, 2)]).right[0].any(), "an overlap of exactly one half is not more than one half"


stretch = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda x: (x[0] / 4, (x[0] + x[1]) / 4))
proposal = st.tuples(stretch, st.integers(0, 5)).map(lambda x: (*x[0], x[1] / 5))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(proposal, max_size=6), st.lists(stretch, max_size=3)), min_size=1, max_size=4))
def test_bounds_and_order(files: list) -> None:
    found = [match(p, t) for p, t in files]
    ap, ar = segment_ap(found), segment_ar(found)
    values = [*ap.values(), *ar.values()]
    if not any(t for _, t in files):
        assert all(np.isnan(values))
        return
    assert all(0 <= v <= 1 + 1e-12 for v in values)
    assert list(ar.values()) == sorted(ar.values(), reverse=True), "more proposals reach no less"
    for f, (_, truths) in zip(found, files, strict=True):
        assert (f.right.sum(axis=1) <= len(truths)).all()
    again = [match(p[::-1] if len({s for *_, s in p}) == len(p) else p, t) for p, t in files]
    assert segment_ap(again) == ap, "the order of proposals with different scores does not matter"


@settings(max_examples=20, deadline=None)
@given(st.lists(stretch, min_size=1, max_size=3, unique=True))
def test_the_truth_itself_is_perfect(truths: list) -> None:
    apart = [(10 * i + a, 10 * i + b) for i, (a, b) in enumerate(truths)]
    file = match([(a, b, 0.5) for a, b in apart], apart)
    assert segment_ap([file])[0.95] == pytest.approx(1) and segment_ar([file])[5] == pytest.approx(1)


def test_the_order_of_files_does_not_matter_where_scores_are_equal() -> None:
    right, wrong = match([(0, 1, 0.5)], [(0, 1)]), match([(3, 4, 0.5)], [(0, 1)])
    either = [segment_ap(files)[0.5] for files in ([right, wrong], [wrong, right])]
    assert either == pytest.approx([0.25, 0.25]), (
        "two proposals of one score: of two truths one, at a precision of half"
    )
