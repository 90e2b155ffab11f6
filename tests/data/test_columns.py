"""Labels of clips from what is known of files; and every column is explained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdetect.data.columns import COLUMNS, flag, in_sync, label_columns

ROOT = Path(__file__).resolve().parents[2]


def labels(start_s: float = 0.0, duration_s: float = 2.0, **columns: object) -> dict:
    return label_columns(columns, start_s=start_s, duration_s=duration_s)


@pytest.mark.parametrize(
    ("columns", "visual", "audio", "label"),
    [
        ({"label": "RVFA"}, "0", "1", "RVFA"),
        ({"label": "FV"}, "1", None, "FV"),
        ({"label": "RA"}, None, "0", "RA"),
        ({"visual_fake": "1", "audio_fake": 0}, "1", "0", "FVRA"),
        ({"visual_fake": True, "audio_fake": "False"}, "1", "0", "FVRA"),
        ({"visual_fake": "", "label": "FVFA"}, "1", "1", "FVFA"),
        ({"label": "strange"}, None, None, "strange"),
        ({}, None, None, None),
    ],
)
def test_flags_and_label_agree(columns: dict, visual: str | None, audio: str | None, label: str | None) -> None:
    found = labels(**columns)
    assert (found["visual_fake"], found["audio_fake"], found["label"]) == (visual, audio, label)


def test_a_kind_without_a_stretch_of_its_own_is_forged_as_a_whole() -> None:
    segments = json.dumps([[5.0, 6.0, "audio"]])
    found = labels(label="FVFA", generator="G", segments=segments)
    assert found["label"] == "FVRA" and found["generator"] == "G" and found["segments"] is None
    found = labels(4.0, label="RVFA", generator="G", segments=segments)
    assert found["label"] == "RVFA" and json.loads(found["segments"]) == [[1.0, 2.0, "audio"]]
    found = labels(8.0, label="RVFA", generator="G", segments=segments)
    assert found["label"] == "RVRA" and found["generator"] is None


def test_a_touch_of_less_than_half_a_tick_is_none() -> None:
    assert labels(label="FVRA", segments='[[1.99, 3.0, "visual"]]')["label"] == "RVRA"
    assert labels(label="FVRA", segments='[[1.97, 3.0, "visual"]]')["label"] == "FVRA"
    assert labels(label="FVRA", segments=[[0.5, 1.0, "visual"]])["visual_fake"] == "1", "a list from JSONL"
    with pytest.raises(ValueError, match="segments must be"):
        labels(segments="[1]")


def test_words_for_yes_and_no() -> None:
    assert [flag(v) for v in ("1", 1, True, "1.0", "Yes", "0", False, 0.0, "", None, "perhaps")] == [
        True, True, True, True, True, False, False, False, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, True),
        ({"offset_ms": "", "segments": None, "raw_offset_ms": 130.0}, True),
        ({"offset_ms": float("nan")}, True),
        ({"offset_ms": "0.0", "segments": '[[0.0, 1.0, "audio"]]'}, True),
        ({"offset_ms": "-120.5"}, False),
        ({"offset_ms": 80}, False),
        ({"segments": '[[0.0, 1.0, "audio"], [1.0, 2.0, "sync"]]'}, False),
    ],
)
def test_a_clip_is_in_sync_unless_the_manifest_says_otherwise(columns: dict, expected: bool) -> None:
    assert in_sync(columns) == expected


def test_an_offset_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match=r"a\.mp4#0@0: offset_ms .* 'late'"):
        in_sync({"key": "a.mp4#0@0", "offset_ms": "late"})


def test_every_column_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "data.md").read_text()
    missing = [name for name in COLUMNS if f"`{name}`" not in text]
    assert not missing, missing
