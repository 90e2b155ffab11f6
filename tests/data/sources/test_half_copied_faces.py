"""What every reader owes, for the sets of faces and talkers; and what every registered line owes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from avdetect.data.sources import SOURCES
from tests.data.sources import test_face_sets as face
from tests.data.sources import test_talking_sets as talk
from tests.data.sources.planted import read


@dataclass(frozen=True)
class Layout:
    """A reader's tree: how it is planted, what of it must be there, and a folder whose files must be."""

    plant: Callable[[Path], Path]
    needed: tuple[str, ...]
    films: str = ""


FFPP, META = "manipulated_sequences/Deepfakes/c23/videos", "라벨링데이터/training_meta"
LAYOUTS = {
    "faceforensics": Layout(
        face.faceforensics,
        ("splits/train.json", "splits/test.json", "original_sequences/youtube/c23/videos", FFPP),
        FFPP,
    ),
    "dfdc": Layout(
        face.dfdc, ("train/dfdc_train_part_2/metadata.json", "validation/labels.csv", "validation", "test"), "test"
    ),
    "dfdc_preview": Layout(face.dfdc_preview, ("dataset.json", "original_videos", "method_A", "method_B")),
    "celebdf_v1": Layout(
        face.celebdf, ("List_of_testing_videos.txt", "Celeb-real", "YouTube-real", "Celeb-synthesis"), "Celeb-real"
    ),
    "celebdf_v2": Layout(
        face.celebdf, ("List_of_testing_videos.txt", "Celeb-real", "YouTube-real", "Celeb-synthesis"), "Celeb-synthesis"
    ),
    "deeperforensics": Layout(
        face.deeperforensics,
        ("lists/splits/train.txt", "lists/splits/val.txt", "manipulated_videos/end_to_end"),
        "manipulated_videos/end_to_end",
    ),
    "kodf": Layout(
        face.kodf,
        (f"{META}/원본영상_training_메타데이터.csv", f"{META}/변조영상_training_메타데이터.csv"),
        "원천데이터/training/dfl",
    ),
    "grid": Layout(talk.grid, ("s1", "alignments/s34"), "s7/video"),
    "cremad": Layout(talk.cremad, ("SentenceFilenames.csv", "VideoDemographics.csv", "VideoFlash"), "VideoFlash"),
    "ravdess": Layout(talk.ravdess, ("Video_Speech_Actor_05/Actor_05",)),
    "voxceleb2": Layout(talk.voxceleb2, ("vox2_meta.csv", "dev/mp4", "test/mp4"), "test/mp4/id00017"),
    "hdtf": Layout(talk.hdtf, ("HDTF_dataset/RD_video_url.txt", "HDTF_dataset/WRA_annotion_time.txt"), "clips"),
}
every_reader = pytest.mark.parametrize("name", LAYOUTS)


@every_reader
def test_names_are_unique_and_the_order_is_fixed(tmp_path: Path, name: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    samples = read(name, root)
    assert samples and len({s.name for s in samples}) == len(samples)
    reader = SOURCES.get(name)(root)
    assert list(reader.samples()) == list(reader.samples()) == samples
    assert all(s.name == s.path.relative_to(root).as_posix() for s in samples)
    assert all(s.path.is_file() for s in samples)


PARTS = [(n, p) for n, layout in LAYOUTS.items() for p in layout.needed]


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_what_was_not_copied_is_named(tmp_path: Path, name: str, part: str) -> None:
    gone = LAYOUTS[name].plant(tmp_path) / part
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    with pytest.raises(FileNotFoundError) as raised:
        read(name, tmp_path)
    lacking, _, layout = str(raised.value).partition("; expected ")
    assert Path(part).name in lacking and layout and str(tmp_path) in lacking


@pytest.mark.parametrize(("name", "films"), [(n, layout.films) for n, layout in LAYOUTS.items() if layout.films])
def test_a_folder_whose_films_were_not_copied_is_named(tmp_path: Path, name: str, films: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    for path in [p for p in (root / films).rglob("*") if p.suffix in (".mp4", ".mpg", ".flv")]:
        path.unlink()
    with pytest.raises(FileNotFoundError, match="was it copied whole"):
        read(name, root)


@every_reader
def test_a_tree_most_of_whose_files_are_absent_is_refused(tmp_path: Path, name: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    for sample in read(name, root)[1:]:
        sample.path.unlink()
    with pytest.raises(FileNotFoundError, match=r"\d+ of \d+ files are absent below .*: .*; was it copied whole"):
        read(name, root)


# The tables of KoDF do not say in which folder a film belongs.
@pytest.mark.parametrize("name", [n for n in LAYOUTS if n != "kodf"])
def test_a_single_absent_file_is_still_yielded(tmp_path: Path, name: str) -> None:
    root = LAYOUTS[name].plant(tmp_path)
    before = read(name, root)
    before[-1].path.unlink()
    assert read(name, root) == before


@pytest.mark.parametrize("name", SOURCES.builtins())
def test_every_registered_reader_refuses_an_empty_folder_with_its_layout(tmp_path: Path, name: str) -> None:
    reader = SOURCES.get(name)
    with pytest.raises(FileNotFoundError) as raised:
        reader(tmp_path)
    assert str(tmp_path) in str(raised.value)
    assert "expected" in str(raised.value)


@pytest.mark.parametrize("name", SOURCES.builtins())
def test_every_registered_reader_refuses_a_root_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        SOURCES.get(name)(tmp_path / "nowhere")
