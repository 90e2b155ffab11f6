"""The audit finds what was planted, names it, and passes what is clean."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.data.store import RecordWriter
from avdetect.data_audit.audit import audit_index, forged
from avdetect.data_audit.leaks import find_leaks
from avdetect.data_audit.offsets import offset_outliers
from tools.audit_data import app


def clean(n: int = 160) -> list[dict]:
    """Clips of 40 people whose files say nothing of their labels; every person is on one side."""
    rng, bits = np.random.default_rng(0), random.Random(0)
    rows = []
    for i in range(n):
        person, fake = i % 40, bool(rng.random() < 0.5)
        rows.append(
            {
                "key": f"clip{i}.mp4#0@0",
                "path": f"clip{i}.mp4",
                "source": "S",
                "identity": f"p{person}",
                "group": f"S/p{person}",
                "split": "val" if person % 5 == 0 else "train",
                "label": "FVRA" if fake else "RVRA",
                "visual_fake": str(int(fake)),
                "audio_fake": "0",
                "duration_s": float(rng.uniform(1, 4)),
                "container": "mp4",
                "video_codec": "h264",
                "media_bytes": int(rng.integers(100_000, 200_000)),
                "leading_silence_s": float(rng.exponential(0.05)),
                "sha256": f"{i:064x}",
                "picture_hash": f"{bits.getrandbits(256):064x}",
                "sound_hash": f"{bits.getrandbits(256):064x}",
                "raw_offset_ms": float(rng.normal(0, 10)),
                "raw_offset_sharpness": 6.0,
            }
        )
    return rows


def write(folder: Path, rows: list[dict]) -> Path:
    with RecordWriter(folder) as writer:
        for row in rows:
            writer.add(b"no record", row)
    return folder


def run(folder: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(folder), *options], env={"COLUMNS": "90"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_clean_set_passes(tmp_path: Path) -> None:
    code, told = run(write(tmp_path, clean()), "--strict", "--json", str(tmp_path / "a.json"))
    assert code == 0 and "no shortcut above the limit and no leak was found" in told
    assert max(len(line) for line in told.splitlines()) <= 90 and len(told.splitlines()) < 60
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["leaks"] == [] and found["offset_outliers"] == [] and found["offsets_measured"] == 160
    assert found["clips"] == 160 and found["groups"] == 40
    assert found["splits"]["train"]["clips"] + found["splits"]["val"]["clips"] == 160
    assert found["shortcuts"]["visual_fake"]["auc"] < 0.7
    assert found["shortcuts"]["audio_fake"]["auc"] is None, "nothing is forged in the sound"


def test_a_planted_shortcut_fails_strict_and_is_named(tmp_path: Path) -> None:
    rows = clean()
    for row in rows:
        row["leading_silence_s"] += 0.3 * int(row["visual_fake"])
    folder = write(tmp_path, rows)
    code, told = run(folder, "--strict", "--json", str(tmp_path / "a.json"))
    assert code == 1 and "✗ visual_fake: the file alone tells forged from genuine" in told
    found = json.loads((tmp_path / "a.json").read_text())
    assert next(iter(found["shortcuts"]["visual_fake"]["features"])) == "leading_silence_s"
    assert "leading_silence_s" in found["findings"][0]["text"]
    assert run(folder, "--strict", "--limit", "1.0")[0] == 0
    assert run(folder)[0] == 0, "without --strict it only tells"


def planted(kind: str) -> list[dict]:
    """A clip of train and one of validation that share something."""
    rows = [{**row, "group": f"g{i}"} for i, row in enumerate(clean(40))]  # made elsewhere: groups know nothing
    train, val = rows[1], rows[5]
    assert (train["split"], val["split"]) == ("train", "val")
    if kind == "identity":
        val["identity"] = train["identity"]
    elif kind == "source_video":
        train["source_video"] = val["source_video"] = "film"
    elif kind == "pair":
        val["pair"] = train["path"]
    elif kind == "same file":
        val["sha256"] = train["sha256"]
    else:
        val["sound_hash"] = f"{int(train['sound_hash'], 16) ^ 0xF0F:064x}"
    return rows


@pytest.mark.parametrize("kind", ["identity", "source_video", "pair", "same file", "near-duplicate"])
def test_a_planted_leak_is_found(kind: str) -> None:
    rows = planted(kind)
    (leak,) = find_leaks(rows)
    assert leak.kind == kind and leak.clips == {"train": 1, "val": 1}
    assert leak.examples == {"train": rows[1]["key"], "val": rows[5]["key"]}
    rows[5]["split"] = "excluded"
    assert find_leaks(rows) == []


def test_the_same_name_in_another_source_is_another_person() -> None:
    rows = planted("identity")
    rows[5]["source"] = "T"
    assert find_leaks(rows) == []


def test_a_leak_fails_strict(tmp_path: Path) -> None:
    folder = write(tmp_path, planted("near-duplicate"))
    code, told = run(folder, "--strict")
    assert code == 1 and "✗ near-duplicate: 1 on two sides of train, val" in told
    assert run(folder, "--strict", "--where", "split=train")[0] == 0


def test_sound_out_of_line_is_listed_if_it_is_believed() -> None:
    rows = clean()
    rows[7]["raw_offset_ms"] = 200.0
    rows[8].update(raw_offset_ms=-300.0, raw_offset_sharpness=1.5)
    rows[9]["raw_offset_ms"] = None
    outliers, measured = offset_outliers(rows)
    assert [(o.key, o.offset_ms) for o in outliers] == [("clip7.mp4#0@0", 200.0)] and measured == 158
    assert abs(outliers[0].median_ms) < 20 and outliers[0].companions == "S", "four clips of a person are too few"
    late = [{**row, "group": "late", "raw_offset_ms": 160.0 + row["raw_offset_ms"] / 10} for row in clean(20)]
    assert offset_outliers([*clean(), *late])[0] == [], "late together is in line"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "there are no clips"),
        ([{**r, "visual_fake": "0"} for r in clean(20)], "0 of forged clips"),
        ([{k: r[k] for k in ("key", "path", "split")} for r in clean(20)], "0 of forged clips and 0 of genuine clips"),
    ],
)
def test_what_cannot_be_tested_is_said(tmp_path: Path, rows: list[dict], words: str) -> None:
    code, told = run(write(tmp_path, rows), "--strict", "--json", str(tmp_path / "a.json"))
    assert code == 0
    assert any(words in finding["text"] for finding in json.loads((tmp_path / "a.json").read_text())["findings"])
    assert "·" in told


def test_sources_of_one_class_and_a_group_of_nearly_everything_are_noted() -> None:
    rows = [{**row, "source": "A" if row["visual_fake"] == "1" else "B", "group": "one"} for row in clean(40)]
    texts = " ".join(f["text"] for f in audit_index(rows)["findings"])
    assert "visual: 2 sources have one class only, 0 have both" in texts and "group one has 40 of 40 clips" in texts


def test_any_is_forged_in_picture_or_sound() -> None:
    assert forged({"visual_fake": "0", "audio_fake": "1"}, "any") is True
    assert forged({"visual_fake": "0", "audio_fake": None}, "any") is False
    assert forged({}, "any") is None and forged({"audio_fake": "0"}, "visual_fake") is None


def test_no_records_end_with_status_2(tmp_path: Path) -> None:
    code, told = run(tmp_path / "nowhere")
    assert code == 2 and "no records in" in told
    folder = write(tmp_path / "cut", clean(4))
    index = folder / "shards" / "index.parquet"
    index.write_bytes(index.read_bytes()[:100])
    code, told = run(folder)
    assert code == 2 and "cannot be read" in told and f"tools.prepare SOURCE --out {folder}" in told
    assert run(write(tmp_path, clean(4)), "--where", "colour=red")[0] == 2
