"""Lip-sync forgeries without a label file, and sets of genuine speech: generated trees of the published layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdetect.data.sample import Sample
from tests.data.sources.planted import plant, read

# --------------------------------------------------------------------------------------------------------- AVLips


def avlips(root: Path) -> Path:
    films = ("0_real/0.mp4", "0_real/10.mp4", "0_real/9.mp4", "1_fake/0.mp4")
    return plant(root, *films, *(f"wav/{f[:-4]}.wav" for f in films), "wav/1_fake/1.wav")


def test_avlips(tmp_path: Path) -> None:
    samples = read("avlips", avlips(tmp_path))
    assert [s.name for s in samples] == [
        "0_real/0.mp4",
        "0_real/9.mp4",
        "0_real/10.mp4",
        "1_fake/0.mp4",
        "1_fake/1.mp4",
    ]
    assert samples[0] == Sample(
        tmp_path / "0_real/0.mp4", "0_real/0.mp4", "AVLips", False, False, more={"wav": "wav/0_real/0.wav"}
    )
    assert samples[3] == Sample(
        tmp_path / "1_fake/0.mp4", "1_fake/0.mp4", "AVLips", True, False, "lip-sync", more={"wav": "wav/1_fake/0.wav"}
    )
    assert not samples[4].path.exists(), "its sound is there, its film was not copied"


# ------------------------------------------------------------------------------------------------------ LRS2, LRS3


def lrs2(root: Path, lists: str = "") -> Path:
    texts = {
        "pretrain.txt": "5535415699068794046/00001\n",
        "train.txt": "5535415699068794046/00007\n",
        "val.txt": "6331559613336179781/00012\n",
        "test.txt": "6330311066473698535/00011 NF\n",
    }
    clips = {"pretrain": ["pretrain.txt"], "main": ["train.txt", "val.txt", "test.txt"]}
    files = [f"mvlrs_v1/{part}/{texts[t].split()[0]}.mp4" for part, names in clips.items() for t in names]
    return plant(root, *files, texts={lists + name: text for name, text in texts.items()})


@pytest.mark.parametrize("lists", ["", "filelists/"])
def test_lrs2(tmp_path: Path, lists: str) -> None:
    pretrain, train, val, test = read("lrs2", lrs2(tmp_path, lists))
    assert pretrain == Sample(
        tmp_path / "mvlrs_v1/pretrain/5535415699068794046/00001.mp4",
        "mvlrs_v1/pretrain/5535415699068794046/00001.mp4",
        "LRS2",
        False,
        False,
        source_video="5535415699068794046",
        split="train",
        more={"part": "pretrain", "language": "en"},
    )
    assert (train.split, train.name) == ("train", "mvlrs_v1/main/5535415699068794046/00007.mp4")
    assert (val.split, val.label) == ("val", "RVRA")
    assert (test.split, test.more) == ("test", {"part": "test", "language": "en", "mark": "NF"})
    assert all(s.path.is_file() for s in (pretrain, train, val, test))


def test_lrs2_without_pretrain(tmp_path: Path) -> None:
    lrs2(tmp_path)
    (tmp_path / "pretrain.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"pretrain\.txt.*parts=main"):
        read("lrs2", tmp_path)
    assert [s.split for s in read("lrs2", tmp_path, parts="main")] == ["train", "val", "test"]
    with pytest.raises(ValueError, match="unknown part 'both'"):
        read("lrs2", tmp_path, parts="both")


def lrs3(root: Path) -> Path:
    clips = (
        "pretrain/00j9bKdiOjk/00001",
        "trainval/0Fi83BHQsMA/00002",
        "trainval/0Fi83BHQsMA/00010",
        "test/0ZfSOArXbGQ/00003",
    )
    return plant(root, *(f"{c}{s}" for c in clips for s in (".mp4", ".txt")), "test/0ZfSOArXbGQ/00004.txt")


def test_lrs3(tmp_path: Path) -> None:
    samples = read("lrs3", lrs3(tmp_path))
    assert [(s.name, s.split) for s in samples] == [
        ("pretrain/00j9bKdiOjk/00001.mp4", "train"),
        ("trainval/0Fi83BHQsMA/00002.mp4", "train"),
        ("trainval/0Fi83BHQsMA/00010.mp4", "train"),
        ("test/0ZfSOArXbGQ/00003.mp4", "test"),
        ("test/0ZfSOArXbGQ/00004.mp4", "test"),
    ]
    assert samples[0] == Sample(
        tmp_path / "pretrain/00j9bKdiOjk/00001.mp4",
        "pretrain/00j9bKdiOjk/00001.mp4",
        "LRS3",
        False,
        False,
        identity="00j9bKdiOjk",
        source_video="00j9bKdiOjk",
        split="train",
        more={"part": "pretrain", "language": "en"},
    )
    assert not samples[-1].path.exists(), "named by its transcript"
    assert [s.split for s in read("lrs3", tmp_path, parts="test")] == ["test", "test"]
    with pytest.raises(ValueError, match="unknown part 'train'"):
        read("lrs3", tmp_path, parts="train")
