"""Copies as people share them: what they are, whose they are, that a broken film ends nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import av
import pytest
from typer.testing import CliRunner

from avdetect.data.shared_copies import Sharing, compress, copy_name, copy_row, drawn_sharing
from avdetect.data.store import RecordWriter
from avdetect.media.errors import MediaError
from avdetect.testing import write_synthetic_video
from tools.share_copies import app


def test_a_copy_is_half_as_large_and_thin(tmp_path: Path) -> None:
    source, copy = tmp_path / "a.mp4", tmp_path / "b.mp4"
    write_synthetic_video(source, seconds=1.0, width=322, height=240)
    compress(source, copy, Sharing(crf=40, share=0.5, kbps=16))
    with av.open(str(copy)) as made:
        assert (made.streams.video[0].width, made.streams.video[0].height) == (160, 120)
        assert made.streams.video[0].codec_context.name == "h264" and made.streams.audio[0].channels == 1
    assert copy.stat().st_size < source.stat().st_size


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    with pytest.raises(MediaError, match=r"broken\.mp4: it cannot be coded again"):
        compress(broken, tmp_path / "b.mp4", Sharing(crf=40, share=0.5, kbps=16))


def test_losses_are_drawn_by_film_copy_and_seed() -> None:
    drawn = {drawn_sharing(name, number, seed=0) for name in "abcdefgh" for number in (1, 2)}
    assert len(drawn) == 16
    assert all(24 <= d.crf <= 42 and 0.4 <= d.share <= 1 and 12 <= d.kbps <= 64 for d in drawn)
    assert drawn_sharing("a", 1, seed=0) == drawn_sharing("a", 1, seed=0) != drawn_sharing("a", 1, seed=1)
    assert copy_name("talks/a.mkv", Sharing(31, 0.62, 24)) == "talks/a.mkv.crf31-x0.62-24k.mp4"


def test_a_copy_has_the_labels_of_the_whole_film() -> None:
    about = {"path": "a.mp4", "identity": "p", "source": "s", "source_video": "v.mp4", "split": "val", "fold": 2}
    first = {**about, "start_tick": 0, "visual_fake": "0", "audio_fake": "0", "label": "RVRA", "generator": None}
    second = {**first, "start_tick": 500, "visual_fake": "1", "label": "FVRA", "generator": "Painter"}
    second["segments"] = '[[1.0, 2.5, "visual"]]'
    row = copy_row([first, second], Sharing(30, 0.5, 24))
    assert (row["visual_fake"], row["audio_fake"], row["label"], row["generator"]) == ("1", "0", None, "Painter")
    assert row["segments"] == '[[21.0, 22.5, "visual"]]' and (row["crf"], row["share"], row["kbps"]) == (30, 0.5, 24)
    assert (row["identity"], row["source_video"], row["split"], row["fold"]) == ("p", "v.mp4", "val", 2)
    nothing = copy_row([{"path": "b.mp4", "label": "odd"}], Sharing(30, 0.5, 24))
    assert (nothing["label"], nothing["visual_fake"], nothing["identity"]) == ("odd", None, "b.mp4")
    assert nothing.keys() == row.keys()


def test_the_tool_copies_labels_goes_on_and_names_what_is_broken(tmp_path: Path) -> None:
    media, records, out = tmp_path / "media", tmp_path / "records", tmp_path / "out"
    media.mkdir()
    write_synthetic_video(media / "good.mp4", seconds=0.4)
    (media / "broken.mp4").write_bytes(b"no video at all")
    about = {
        "label": "RVFA",
        "visual_fake": "0",
        "audio_fake": "1",
        "source": "s",
        "split": "dev",
        "fold": 3,
        "group": "s/p0",
    }
    with RecordWriter(records) as writer:
        for name, person in (("good.mp4", "p1"), ("good.mp4", "p1"), ("broken.mp4", None)):
            writer.add(b"", {"path": name, "identity": person, **about})

    def run(*more: str) -> str:
        done = CliRunner().invoke(app, [str(records), "--media", str(media), "--out", str(out), *more])
        assert done.exit_code == 0, done.output
        return done.output

    told = run("--copies", "2")
    assert "2 of 4 copies of 2 films" in told and told.count("broken.mp4: it cannot be coded again") == 2
    rows = list(csv.DictReader((out / "manifest.csv").open()))
    assert [r["copy_of"] for r in rows] == ["good.mp4"] * 2
    assert all((r["identity"], r["visual_fake"], r["audio_fake"], r["group"]) == ("p1", "0", "1", "s/p0") for r in rows)
    assert all(
        r["path"] == copy_name("good.mp4", Sharing(int(r["crf"]), float(r["share"]), int(r["kbps"]))) for r in rows
    )
    assert all((r["split"], r["fold"]) == ("dev", "3") for r in rows)
    made = {r["path"]: (out / r["path"]).stat().st_mtime_ns for r in rows}
    run("--copies", "2")
    assert made == {name: (out / name).stat().st_mtime_ns for name in made}, "what is there is not coded again"
    assert sorted(p.name for p in out.iterdir()) == sorted([*made, "manifest.csv"]), "nothing unfinished is left"
    refused = CliRunner().invoke(
        app, [str(records), "--media", str(media), "--out", str(out), "--where", "path=broken.mp4"]
    )
    assert refused.exit_code == 2 and "none of 1 copies was made" in refused.output
