"""Nobody is on both sides."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.data.split import VALIDATION_SHARE, fold_of, split_of

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
    assert len({split_of(row) for row in rows}) == 1
    assert len({fold_of(row) for row in rows}) == 1


@settings(deadline=None)
@given(fixed=st.sampled_from(["dev", "val", "test", "holdout"]), person=words)
def test_a_fixed_split_is_kept(fixed: str, person: str) -> None:
    assert split_of({"split": fixed, "identity": person}) == fixed


def test_without_a_name_the_video_the_source_or_the_path_stand_for_the_person() -> None:
    by_video = [{"source_video": f"v{i // 3}", "path": f"{i}.mp4"} for i in range(300)]
    assert all(split_of(by_video[i]) == split_of(by_video[i - i % 3]) for i in range(300))
    by_path = [split_of({"path": f"{i}.mp4"}) for i in range(300)]
    assert {"train", "val"} == set(by_path)
    by_source = [{"source": f"s{i // 30}", "path": f"{i}.mp4"} for i in range(300)]
    assert all(split_of(by_source[i]) == split_of(by_source[i - i % 30]) for i in range(300)), "who knows who is in it"
    assert {fold_of(row) for row in by_source[:30]} == {fold_of(by_source[0])}


def test_shares() -> None:
    people = [{"source": "s", "identity": f"p{i}"} for i in range(3000)]
    share = sum(split_of(p) == "val" for p in people) / len(people)
    assert abs(share - VALIDATION_SHARE) < 0.025
    folds = [fold_of(p) for p in people]
    assert set(folds) == set(range(10)) and max(folds.count(f) for f in range(10)) < 400


def test_the_division_does_not_move() -> None:
    """Fixed for ever: people who were trained on must not turn up in validation with the next version."""
    assert [split_of({"source": "LRC-AR", "identity": f"spk{i:02d}"}) for i in range(12)] == EXPECTED_SPLITS
    assert [fold_of({"identity": f"spk{i:02d}"}) for i in range(12)] == EXPECTED_FOLDS
