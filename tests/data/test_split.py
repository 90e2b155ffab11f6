"""Nobody is on both sides."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.data.split import VALIDATION_SHARE, drawn_fold, drawn_split, fixed_split, person_of

words = st.text(max_size=6)
EXPECTED_SPLITS = "val val train val train train train train train val train train".split()
EXPECTED_FOLDS = [0, 4, 1, 3, 6, 7, 5, 2, 8, 4, 9, 4]


@settings(deadline=None)
@given(
    source=words,
    person=words.filter(bool),
    video=words,
    paths=st.lists(words, min_size=2, max_size=4),
    split=st.sampled_from(["", "train", None]),
)
def test_all_clips_of_a_person_are_on_one_side(
    source: str, person: str, video: str, paths: list[str], split: str | None
) -> None:
    rows = [{"source": source, "identity": person, "path": p, "split": split, "source_video": video} for p in paths]
    rows.append({"source": source, "identity": person})
    assert {person_of(row) for row in rows} == {person} and not any(map(fixed_split, rows))


@settings(deadline=None)
@given(fixed=st.sampled_from(["dev", "val", "test", "holdout"]), person=words)
def test_a_fixed_split_is_kept(fixed: str, person: str) -> None:
    assert fixed_split({"split": fixed, "identity": person}) == fixed


def test_without_a_name_the_video_the_source_or_the_path_stand_for_the_person() -> None:
    row = {"path": "a.mp4", "source": "s", "source_video": "v"}
    assert person_of(row) == "v"
    assert person_of({**row, "source_video": ""}) == "s", "who knows who is in it"
    assert person_of({"path": "a.mp4", "source": None}) == "a.mp4" and person_of({}) == ""


def test_shares() -> None:
    people = [f"p{i}" for i in range(3000)]
    share = sum(drawn_split("s", p) == "val" for p in people) / len(people)
    assert abs(share - VALIDATION_SHARE) < 0.025
    folds = [drawn_fold(p) for p in people]
    assert set(folds) == set(range(10)) and max(folds.count(f) for f in range(10)) < 400


def test_the_division_does_not_move() -> None:
    """Fixed for ever: people who were trained on must not turn up in validation with the next version."""
    assert [drawn_split("LRC-AR", f"spk{i:02d}") for i in range(12)] == EXPECTED_SPLITS
    assert [drawn_fold(f"spk{i:02d}") for i in range(12)] == EXPECTED_FOLDS
