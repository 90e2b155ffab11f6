"""A planted shortcut is found and named; where there is none, none is claimed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from avdetect.evaluation.shortcuts import NUMBERS, shortcut_auc, shortcut_features


def rows(n: int = 160, seed: int = 0) -> tuple[list[dict], list[bool | None], list[str]]:
    """Clips of 40 people, forged or not by chance, whose files say nothing of it."""
    rng = np.random.default_rng(seed)
    made = [
        {
            "container": "mp4", "video_codec": str(rng.choice(["h264", "hevc"])), "audio_codec": "aac",
            "media_width": 640, "media_fps": float(rng.choice([25, 30])),
            "media_bytes": int(rng.integers(100_000, 200_000)),
            "loudness_dbfs": float(rng.normal(-20, 3)), "leading_silence_s": float(rng.exponential(0.05)),
            "duration_s": float(rng.uniform(1, 4)),
        }
        for _ in range(n)
    ]  # fmt: skip
    labels: list[bool | None] = [bool(rng.random() < 0.5) for _ in range(n)]
    return made, labels, [f"p{i % 40}" for i in range(n)]


def test_files_that_say_nothing_are_at_chance() -> None:
    found = shortcut_auc(*rows())
    low, high = found["ci"]
    assert low < 0.5 < high and abs(found["auc"] - 0.5) < 0.15
    assert all(f["auc"] < 0.68 for f in found["features"].values())
    assert "media_width" not in found["features"], "it is the same everywhere"
    assert found["forged"] + found["genuine"] == found["of"] == 160


@pytest.mark.parametrize("name", ["leading_silence_s", "video_codec", "media_fps", "audio_codec"])
def test_a_planted_shortcut_is_found_and_named(name: str) -> None:
    made, labels, groups = rows()
    for row, label in zip(made, labels, strict=True):
        if name == "leading_silence_s":
            row[name] += 0.3 if label else 0.0
        elif name == "media_fps":
            row[name] = 25.0 if label else 30.0 if row["media_bytes"] % 2 else 24.0  # neither more nor less
        else:
            row[name] = "vp9" if label else None
    found = shortcut_auc(made, labels, groups)
    first, best = next(iter(found["features"].items()))
    assert found["auc"] > 0.9 and found["ci"][0] > 0.8
    assert first == name and best["auc"] > 0.9


def test_what_marks_people_and_not_forgeries_is_no_shortcut() -> None:
    """Each person has a size of file of its own and one label: trees that met the person would know."""
    made, _, groups = rows()
    rng = np.random.default_rng(1)
    label = {g: bool(rng.random() < 0.5) for g in sorted(set(groups))}
    size = {g: 1e5 * (1 + rng.random()) for g in sorted(set(groups))}
    made = [{**r, "media_bytes": size[g]} for r, g in zip(made, groups, strict=True)]
    labels = [label[g] for g in groups]
    by_person = shortcut_auc(made, labels, groups, features=False)
    by_clip = shortcut_auc(made, labels, list(range(len(groups))), features=False)
    assert by_clip["auc"] > 0.8 and by_person["auc"] < 0.7


def test_too_few_groups_or_one_class_are_said_in_words() -> None:
    made, labels, groups = rows()
    for given, words in (
        ([True] * 160, "0 of genuine clips"),
        ([None] * 160, "0 of forged clips and 0 of genuine clips"),
        ([g == "p1" for g in groups], "1 of forged clips"),
    ):
        found = shortcut_auc(made, given, groups)
        assert found["auc"] is None and found["ci"] is None and words in found["why"]
    assert shortcut_auc([], [], [])["auc"] is None
    with pytest.raises(ValueError, match="160 rows, 160 labels and 3 groups"):
        shortcut_auc(made, labels, groups[:3])


def test_rows_without_a_label_do_not_count() -> None:
    made, labels, groups = rows()
    some: list[bool | None] = [label if i % 2 else None for i, label in enumerate(labels)]
    assert shortcut_auc(made, some, groups, features=False)["of"] == 80


def test_features_are_numbers_and_words() -> None:
    matrix, names = shortcut_features(
        [{"media_fps": "25", "container": "mp4"}, {"media_fps": None, "audio_codec": "x"}]
    )
    assert matrix.shape == (2, len(names)) and names[: len(NUMBERS)] == list(NUMBERS)
    assert matrix[0, names.index("media_fps")] == 25 and math.isnan(matrix[1, names.index("media_fps")])
    assert matrix[:, names.index("container=mp4")].tolist() == [1, 0]
    assert matrix[:, names.index("audio_codec=none")].tolist() == [1, 0]
    assert shortcut_features([])[0].shape == (0, len(NUMBERS))
