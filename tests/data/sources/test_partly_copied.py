"""Trees of which one of several parts is not there: the others must not hide it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.data.sources import test_face_sets as face
from tests.data.sources import test_talking_sets as talk
from tests.data.sources.planted import plant, read

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"


def empty(*folders: Path) -> None:
    for path in (p for folder in folders for p in folder.rglob("*") if p.is_file()):
        path.unlink()


def test_ravdess_with_eleven_empty_actors(tmp_path: Path) -> None:
    talk.ravdess(tmp_path)
    empty(*(tmp_path / f"Video_Speech_Actor_{n:02d}" for n in range(3, 14)))
    with pytest.raises(FileNotFoundError, match=r"RAVDESS, speech of Actor_03: 60 of 60 files are absent"):
        read("ravdess", tmp_path)
    assert len(read("ravdess", tmp_path, actors="1,2,14")) == 180


def test_ravdess_with_speech_but_without_song(tmp_path: Path) -> None:
    talk.ravdess(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"RAVDESS, song of Actor_01: 44 of 44 files are absent"):
        read("ravdess", tmp_path, channels="speech,song")
    assert len(read("ravdess", tmp_path, actors="18", channels="speech,song")) == 60, "he did not sing"
    with pytest.raises(FileNotFoundError, match="has no files"):
        read("ravdess", tmp_path, actors="18", channels="song")


def test_ravdess_counts_the_absent_actors(tmp_path: Path) -> None:
    talk.ravdess(tmp_path)
    for actor in ("07", "24"):
        shutil.rmtree(tmp_path / f"Video_Speech_Actor_{actor}")
    with pytest.raises(FileNotFoundError, match=r"lacks Actor_07, Actor_24 \(2 of 24 actors\); expected"):
        read("ravdess", tmp_path)


@pytest.mark.parametrize("folder", ["original_videos", "method_A", "method_B"])
def test_dfdc_preview_with_an_empty_folder(tmp_path: Path, folder: str) -> None:
    real = {f"original_videos/7/7_A_{i:03d}.mp4": "real" for i in range(6)}
    fake = {f"{m}/7/7_A/8_7_A_{i:03d}.mp4": "fake" for m in ("method_A", "method_B") for i in range(6)}
    labels = {
        name: {"label": label, "set": "train", "target_id": 7, "swapped_id": None, "augmentations": []}
        for name, label in (real | fake).items()
    }
    plant(tmp_path, *labels, texts={"dataset.json": json.dumps(labels)})
    assert len(read("dfdc_preview", tmp_path)) == 18
    empty(tmp_path / folder)
    with pytest.raises(FileNotFoundError, match=rf"DFDC preview, {folder}: 6 of 6 files are absent"):
        read("dfdc_preview", tmp_path)


@pytest.mark.parametrize(("subset", "video", "count"), [("RD", "Radio11", 2), ("WRA", "AllenWest", 2)])
def test_hdtf_without_a_subset(tmp_path: Path, subset: str, video: str, count: int) -> None:
    talk.hdtf(tmp_path)
    for path in (tmp_path / "clips").glob(f"{video}_*.mp4"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=rf"HDTF, {subset}: {count} of {count} files are absent"):
        read("hdtf", tmp_path)


def test_cremad_counts_all_pointers(tmp_path: Path) -> None:
    talk.cremad(tmp_path)
    first, *others = (tmp_path / f"VideoFlash/{stem}.flv" for stem in talk.CREMAD_STEMS)
    first.write_bytes(b"FLV\x01" * 100)
    for path in others:
        path.write_text(POINTER)
    with pytest.raises(FileNotFoundError, match=rf"2 of 3 files are git-lfs pointers.*{others[0].name}; run git lfs"):
        read("cremad", tmp_path)
    # Small is not enough: a short film is none, nor is a large file that begins like a pointer.
    others[0].write_bytes(b"FLV\x01")
    others[1].write_text(POINTER + "x" * 200)
    assert len(read("cremad", tmp_path)) == 3


def test_several_missing_files_and_folders_are_counted(tmp_path: Path) -> None:
    face.celebdf(tmp_path)
    shutil.rmtree(tmp_path / "YouTube-real")
    with pytest.raises(FileNotFoundError, match=r"lacks YouTube-real/; expected"):
        read("celebdf_v2", tmp_path)
    (tmp_path / "List_of_testing_videos.txt").unlink()
    message = r"lacks List_of_testing_videos\.txt, YouTube-real/ \(2 of 4 files and folders\); expected"
    with pytest.raises(FileNotFoundError, match=message):
        read("celebdf_v2", tmp_path)
