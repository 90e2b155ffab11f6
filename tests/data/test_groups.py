"""Clips that belong together are never on two sides."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.data.groups import assign_groups
from avdetect.data.split import drawn_fold, drawn_split

few = st.sampled_from(["", "a", "b", "c"])
row = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["", "S", "T"]),
        "identity": few,
        "source_video": few,
        "pair": st.sampled_from(["", "0.mp4", "1.mp4", "away.mp4"]),
        "sha256": st.sampled_from([None, "x", "y"]),
        "split": st.sampled_from(["", "train", "dev", "test", "val"]),
    }
)


def numbered(rows: list[dict]) -> list[dict]:
    return [{**r, "path": f"{i}.mp4"} for i, r in enumerate(rows)]


@settings(deadline=None, max_examples=200)
@given(rows=st.lists(row, min_size=1, max_size=14), seed=st.integers(0, 99))
def test_no_link_crosses_a_split(rows: list[dict], seed: int) -> None:
    rows = numbered(rows)
    decided = assign_groups(rows)
    for i, (one, mine) in enumerate(zip(rows, decided, strict=True)):
        if one["split"] in ("dev", "test", "val"):
            assert mine["split"] == one["split"], "what a manifest fixes stays"
        for other, its in zip(rows[:i], decided[:i], strict=True):
            same_source = one["source"] == other["source"]
            linked = (
                (same_source and one["identity"] and one["identity"] == other["identity"])
                or (same_source and one["source_video"] and one["source_video"] == other["source_video"])
                or (one["sha256"] and one["sha256"] == other["sha256"])
                or (one["pair"] and one["pair"] in (other["pair"], other["path"]))
                or other["pair"] == one["path"]
            )
            if linked:
                assert mine["group"] == its["group"] and mine["fold"] == its["fold"]
                sides = {mine["split"], its["split"]} - {"excluded"}
                assert len(sides & {"train", "val"}) <= 1 or "val" in (one["split"], other["split"])
                assert not ("train" in sides and len(sides) > 1), "train lends nothing to another side"
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    again = assign_groups([rows[i] for i in order])
    assert [{**again[order.index(i)], "split_reason": None} for i in range(len(rows))] == [
        {**d, "split_reason": None} for d in decided
    ], "the order of the manifest decides nothing"


def test_a_lone_person_is_where_the_person_alone_would_be() -> None:
    rows = [{"path": f"{i}.mp4", "source": "LRC-AR", "identity": f"spk{i:02d}"} for i in range(40)]
    for r, d in zip(rows, assign_groups(rows), strict=True):
        person = r["identity"]
        assert (d["split"], d["fold"], d["split_reason"]) == (drawn_split("LRC-AR", person), drawn_fold(person), None)
        assert d["group"] == f"LRC-AR/{r['identity']}"


def test_a_copy_is_where_its_original_is() -> None:
    about = {"source": "s", "identity": "ann", "copy_of": "a.mp4"}
    original = {"group": "s/bob", "split": "dev", "split_reason": None, "fold": 7}
    rows = [{"path": f"a.{n}.mp4", **about, **original, "fold": fold} for n, fold in enumerate((7, "7"))]
    assert assign_groups(rows) == [original, original], "bob and ann met in a film of which there is no copy"
    drawn = assign_groups([{"path": "a.2.mp4", **about}])[0]
    assert (drawn["group"], drawn["fold"]) == ("s/ann", drawn_fold("ann")), (
        "an original that nobody knows lends nothing"
    )


def test_links_reach_through_several_clips_and_through_files_that_have_none() -> None:
    rows = [
        {"path": "a.mp4", "identity": "ann"},
        {"path": "b.mp4", "identity": "bob", "pair": "gone.mp4"},
        {"path": "c.mp4", "source": "T", "identity": "cy", "sha256": "1"},
        {"path": "d.mp4", "identity": "dee", "sha256": "1"},
        {"path": "e.mp4", "identity": "eve"},
    ]
    files = [{"path": "gone.mp4", "identity": "ann", "source_video": "film"}, {"path": "x.mp4", "pair": "c.mp4"}]
    files.append({"path": "y.mp4", "pair": "x.mp4", "identity": "bob"})
    groups = [d["group"] for d in assign_groups(rows, files=files)]
    assert groups == ["/ann"] * 4 + ["/eve"]


def test_a_made_from_recording_is_found_by_its_file_name() -> None:
    rows = [
        {"path": "real/000.mp4", "source": "S", "identity": "p"},
        {"path": "fake/000_003.mp4", "source": "S", "source_video": "real/000"},
        {"path": "fake/1.mp4", "source": "S", "source_video": "real/001.mp4"},
        {"path": "real/001.mp4", "source": "S"},
        {"path": "real/002.mp4", "source": "S"},
    ]
    groups = [d["group"] for d in assign_groups(rows)]
    assert groups[0] == groups[1] != groups[2] == groups[3] != groups[4]


def test_a_source_that_tells_nobody_apart_is_one_group_and_files_without_a_source_are_many() -> None:
    rows = [{"path": f"{i}.mp4", "source": "web"} for i in range(20)]
    assert {d["group"] for d in assign_groups(rows)} == {"web/web"}
    assert len({d["group"] for d in assign_groups([{"path": r["path"]} for r in rows])}) == 20


def test_clips_of_a_group_in_test_are_excluded_and_say_why() -> None:
    rows = [
        {"path": "a.mp4", "identity": "ann", "split": "test"},
        {"path": "b.mp4", "identity": "ann"},
        {"path": "c.mp4", "identity": "ann", "split": "train"},
        {"path": "d.mp4", "identity": "dee", "split": "train"},
    ]
    decided = assign_groups(rows)
    assert [d["split"] for d in decided[:3]] == ["test", "excluded", "excluded"]
    assert decided[3]["split"] in ("train", "val") and decided[3]["split_reason"] is None
    assert decided[1]["split_reason"] == "its group is in test (a.mp4)"


@pytest.mark.parametrize("name", ["picture_hash", "sound_hash"])
def test_near_duplicates_are_one_group(name: str) -> None:
    rng = random.Random(1)
    prints = [rng.getrandbits(256) for _ in range(30)]
    prints[7] = prints[3] ^ 0b1011 << 90
    rows = [{"path": f"{i}.mp4", "identity": f"p{i}", name: f"{p:064x}"} for i, p in enumerate(prints)]
    groups = [d["group"] for d in assign_groups(rows)]
    assert groups[3] == groups[7] == "/p3" and len(set(groups)) == 29
