"""What every reader owes: refusals that say what is missing, names and an order that can be relied on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from avdetect.data.sources import SOURCES
from tests.data.sources import test_av_sets as av
from tests.data.sources import test_lip_sets as lip
from tests.data.sources import test_voice_sets as voice
from tests.data.sources.planted import plant, read


@dataclass(frozen=True)
class Layout:
    """A reader's tree: how it is planted, and what of it must be there."""

    plant: Callable[[Path], Path]
    labels: tuple[str, ...]
    folders: tuple[str, ...]


def manifest(root: Path) -> Path:
    rows = [{"path": f"{i}.mp4", "label": "RVRA"} for i in range(4)]
    texts = {"manifest.jsonl": "\n".join(json.dumps(r) for r in rows)}
    return plant(root, *(r["path"] for r in rows), texts=texts)


LAYOUTS = {
    "manifest": Layout(manifest, ("manifest.jsonl",), ()),
    "fakeavceleb": Layout(av.fakeavceleb, ("meta_data.csv",), ("RealVideo-RealAudio", "FakeVideo-FakeAudio")),
    "lavdf": Layout(av.lavdf, ("metadata.min.json",), ("train", "dev", "test")),
    "avdeepfake1m": Layout(
        av.avdeepfake1m, ("train_metadata.json", "val_metadata.json", "test_files.txt"), ("train", "val", "test")
    ),
    "avdeepfake1m_pp": Layout(
        av.avdeepfake1m_pp, ("val_metadata.json", "testA_files.txt", "testB_files.txt"), ("val", "testA", "testB")
    ),
    "avlips": Layout(lip.avlips, (), ("0_real", "1_fake", "wav/0_real", "wav/1_fake")),
    "lrs2": Layout(lip.lrs2, ("pretrain.txt", "val.txt", "test.txt"), ("mvlrs_v1/main", "mvlrs_v1/pretrain")),
    "lrs3": Layout(lip.lrs3, (), ("pretrain", "trainval", "test")),
    "asvspoof2019_la": Layout(
        voice.asvspoof2019, (f"{voice.PROTOCOLS}eval.trl.txt",), ("ASVspoof2019_LA_train/flac", "ASVspoof2019_LA_eval")
    ),
    "asvspoof2021_la": Layout(voice.asvspoof2021, ("keys/LA/CM/trial_metadata.txt",), ("ASVspoof2021_LA_eval/flac",)),
    "in_the_wild": Layout(voice.in_the_wild, ("meta.csv",), ()),
}
MEDIA = (".mp4", ".wav", ".flac")

every_reader = pytest.mark.parametrize("name", LAYOUTS)


def test_the_names_are_registered() -> None:
    assert set(LAYOUTS) <= set(SOURCES.builtins())


@every_reader
def test_names_are_unique_and_the_order_is_fixed(tmp_path: Path, name: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    samples = read(name, root)
    assert samples and len({s.name for s in samples}) == len(samples)
    reader = SOURCES.get(name)(root)
    assert list(reader.samples()) == list(reader.samples()) == samples
    assert all(
        s.name == s.path.relative_to(reader.root if hasattr(reader, "root") else root).as_posix() for s in samples
    )


@every_reader
def test_an_empty_folder_is_refused_with_the_layout(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        read(name, tmp_path)
    layout = LAYOUTS[name]
    for part in (*layout.labels, *layout.folders):
        assert Path(part).name.removeprefix("ASVspoof2019.LA.cm.") in str(raised.value)
    assert str(tmp_path) in str(raised.value)


@every_reader
def test_a_root_that_does_not_exist_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(name, tmp_path / "nowhere")


PARTS = [(n, p) for n, layout in LAYOUTS.items() for p in (*layout.labels, *layout.folders) if n != "manifest"]


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_what_was_not_copied_is_named(tmp_path: Path, name: str, part: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    gone = root / part
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    with pytest.raises(FileNotFoundError) as raised:
        read(name, root)
    assert Path(part).name.replace(".min", "") in str(raised.value).split("expected")[0].replace(".min", "")


@every_reader
def test_a_tree_most_of_whose_files_are_absent_is_refused(tmp_path: Path, name: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    samples = read(name, root)
    for sample in samples[1:]:
        sample.path.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError) as raised:
        read(name, root)
    assert f"{len(samples) - 1} of {len(samples)}" in str(raised.value)
    assert samples[1].name in str(raised.value)


@pytest.mark.parametrize("name", [n for n in LAYOUTS if n not in ("avlips", "lrs3")])  # nothing names their clips
def test_a_single_absent_file_is_still_yielded(tmp_path: Path, name: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    before = read(name, root)
    before[-1].path.unlink()
    assert read(name, root) == before


@pytest.mark.parametrize("name", ["avlips", "lrs3"])
def test_folders_without_clips_are_refused(tmp_path: Path, name: str) -> None:
    for folder in LAYOUTS[name].folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="has no files"):
        read(name, tmp_path)
