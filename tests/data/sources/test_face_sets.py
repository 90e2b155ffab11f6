"""Sets of swapped and animated faces: generated trees of the published layouts."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from avdetect.data.sample import Sample
from tests.data.sources.planted import plant, read

# ------------------------------------------------------------------------------------------------ FaceForensics++

FFPP_SPLITS = {"train": [["071", "054"]], "val": [["720", "672"]], "test": [["953", "974"]]}
FFPP_PAIRED = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")


def faceforensics(
    root: Path, lists: str = "splits/", methods: tuple[str, ...] = FFPP_PAIRED, rate: str = "c23"
) -> Path:
    pairs = [pair for split in FFPP_SPLITS.values() for pair in split]
    originals = [f"original_sequences/youtube/{rate}/videos/{s}.mp4" for pair in pairs for s in pair]
    forged = [
        f"manipulated_sequences/{m}/{rate}/videos/{name}.mp4"
        for m in methods
        for a, b in pairs
        for name in (f"{a}_{b}", f"{b}_{a}")
    ]
    texts = {f"{lists}{split}.json": json.dumps(pairs) for split, pairs in FFPP_SPLITS.items()}
    return plant(root, *originals, *forged, texts=texts)


@pytest.mark.parametrize("lists", ["splits/", ""])
def test_faceforensics(tmp_path: Path, lists: str) -> None:
    samples = read("faceforensics", faceforensics(tmp_path, lists))
    assert len(samples) == 6 + 4 * 6
    first, second = (f"original_sequences/youtube/c23/videos/{s}.mp4" for s in ("054", "071"))
    assert [s.name for s in samples[:2]] == [first, second]
    assert samples[0] == Sample(
        path=tmp_path / first,
        name=first,
        source="FaceForensics++",
        visual_fake=False,
        audio_fake=None,
        identity="054",
        source_video="054",
        split="train",
        more={"compression": "c23"},
    )
    by_name = {s.name: s for s in samples}
    forged = by_name["manipulated_sequences/Face2Face/c23/videos/953_974.mp4"]
    assert (forged.label, forged.method, forged.split) == ("FV", "Face2Face", "test")
    assert (forged.identity, forged.source_video) == ("953", "953"), "pictures are of the first named"
    assert forged.more == {"compression": "c23", "donor": "974"}
    assert by_name["manipulated_sequences/FaceSwap/c23/videos/672_720.mp4"].split == "val"
    assert [s.method for s in samples] == [""] * 6 + [m for m in FFPP_PAIRED for _ in range(6)]


def test_faceforensics_knows_the_films_of_its_sequences(tmp_path: Path) -> None:
    faceforensics(tmp_path)
    films = {"071": "j8iHnieUckQ 0", "054": "j8iHnieUckQ 1"}
    plant(tmp_path, texts={"conversion_dict.json": json.dumps(films)})
    train = [s for s in read("faceforensics", tmp_path) if s.split == "train"]
    assert {s.identity for s in train} == {"j8iHnieUckQ"}, "two sequences of one film"
    assert {s.source_video for s in train} == {"054", "071"}


def test_faceforensics_reads_actors_without_a_split(tmp_path: Path) -> None:
    faceforensics(tmp_path, methods=())
    actor = "original_sequences/actors/raw/videos/01__exit_phone_room.mp4"
    forged = "manipulated_sequences/DeepFakeDetection/raw/videos/01_02__exit_phone_room__YVGY8LOK.mp4"
    plant(tmp_path, actor, forged)
    real, swap = read("faceforensics", tmp_path, methods="DeepFakeDetection", compression="raw")
    assert (real.name, real.label, real.split, real.method) == (actor, "RV", "", "")
    assert (swap.name, swap.label, swap.split, swap.method) == (forged, "FV", "", "DeepFakeDetection")
    assert {real.identity, swap.identity} == {"actor/01"}
    assert {real.source_video, swap.source_video} == {"actor/01__exit_phone_room"}
    assert swap.more == {"compression": "raw", "donor": "02"}


def test_faceforensics_notices_one_method_of_several(tmp_path: Path) -> None:
    faceforensics(tmp_path)
    for path in (tmp_path / "manipulated_sequences/FaceSwap/c23/videos").iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"FaceSwap/c23/videos: 6 of 6 files are absent"):
        read("faceforensics", tmp_path)
    assert len(read("faceforensics", tmp_path, methods="Deepfakes")) == 12


def test_faceforensics_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    faceforensics(tmp_path)
    with pytest.raises(ValueError, match=r"unknown part 'c50'.*raw, c23, c40"):
        read("faceforensics", tmp_path, compression="c50")
    with pytest.raises(FileNotFoundError, match=r"lacks original_sequences/youtube/c40/videos/, manipulated"):
        read("faceforensics", tmp_path, compression="c40")
    (tmp_path / "splits/val.json").write_text('["720", "672"]')
    with pytest.raises(ValueError, match=r"val\.json: expected a list of pairs"):
        read("faceforensics", tmp_path)


# ------------------------------------------------------------------------------------------------------------ DFDC

DFDC_PART = {
    "owxbbpjpch.mp4": {"label": "FAKE", "split": "train", "original": "wynotylpnm.mp4"},
    "wynotylpnm.mp4": {"label": "REAL", "split": "train"},
}
DFDC_CSV = "filename,label\n{0}real.mp4,0\n{0}fake.mp4,1\n"


def dfdc(root: Path, train: str = "train/") -> Path:
    numbers = ("2", "10")
    films = [f"{train}dfdc_train_part_{n}/{n}{f}" for n in numbers for f in DFDC_PART]
    texts = {
        f"{train}dfdc_train_part_{n}/metadata.json": json.dumps(
            {n + f: i | ({"original": n + i["original"]} if "original" in i else {}) for f, i in DFDC_PART.items()}
        )
        for n in numbers
    }
    for part in ("validation", "test"):
        texts[f"{part}/labels.csv"] = DFDC_CSV.format(part[0])
        films += [f"{part}/{part[0]}real.mp4", f"{part}/{part[0]}fake.mp4"]
    return plant(root, *films, texts=texts)


@pytest.mark.parametrize("train", ["train/", ""])
def test_dfdc(tmp_path: Path, train: str) -> None:
    fake, real, *rest = read("dfdc", dfdc(tmp_path, train))
    name = f"{train}dfdc_train_part_2/2owxbbpjpch.mp4"
    assert fake == Sample(
        path=tmp_path / name,
        name=name,
        source="DFDC",
        visual_fake=True,
        audio_fake=None,
        source_video="2wynotylpnm.mp4",
        split="train",
        more={"part": "dfdc_train_part_2"},
    )
    assert (real.label, real.source_video, real.identity) == ("RVRA", "2wynotylpnm.mp4", "")
    assert [s.more["part"] for s in rest] == ["dfdc_train_part_10"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert [(s.label, s.split, s.source_video) for s in rest[2:]] == [
        ("RVRA", "val", "vreal.mp4"),
        ("FV", "val", ""),
        ("RVRA", "test", "treal.mp4"),
        ("FV", "test", ""),
    ]


def test_dfdc_names_the_part_without_labels(tmp_path: Path) -> None:
    dfdc(tmp_path, "")
    (tmp_path / "dfdc_train_part_10/metadata.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks dfdc_train_part_10/metadata\.json; expected"):
        read("dfdc", tmp_path)
    assert len(read("dfdc", tmp_path, parts="test")) == 2
    plant(tmp_path, texts={"test/labels.csv": "filename,label\na.mp4,FAKE\n"})
    with pytest.raises(ValueError, match=r"test/labels\.csv: expected filename,label"):
        read("dfdc", tmp_path, parts="test")


# ---------------------------------------------------------------------------------------------------- DFDC preview

PREVIEW = {
    "original_videos/1260311/1260311_C_001.mp4": {
        "label": "real",
        "set": "train",
        "target_id": 1260311,
        "swapped_id": None,
        "augmentations": [],
    },
    "method_B/1260311/1260311_C/1255229_1260311_C_001.mp4": {
        "label": "fake",
        "set": "train",
        "target_id": 1260311,
        "swapped_id": 1255229,
        "augmentations": ["resize"],
    },
    "method_A/643049/643049_A/813181_643049_A_001.mp4": {
        "label": "fake",
        "set": "test",
        "target_id": 643049,
        "swapped_id": 813181,
        "augmentations": [],
    },
    "method_A/643049/643049_A/813181_643049_A_002.mp4": {
        "label": "fake",
        "set": "test",
        "target_id": 643049,
        "swapped_id": 813181,
        "augmentations": [],
    },
}


def dfdc_preview(root: Path) -> Path:
    return plant(root, *PREVIEW, texts={"dataset.json": json.dumps(PREVIEW)})


def test_dfdc_preview(tmp_path: Path) -> None:
    real, fake, test, _ = read("dfdc_preview", dfdc_preview(tmp_path))
    name = "original_videos/1260311/1260311_C_001.mp4"
    assert real == Sample(
        path=tmp_path / name,
        name=name,
        source="DFDC-preview",
        visual_fake=False,
        audio_fake=False,
        identity="1260311",
        source_video="1260311_C",
        split="train",
    )
    assert (fake.label, fake.method, fake.identity, fake.source_video) == ("FV", "method_B", "1260311", "1260311_C")
    assert fake.more == {"donor": "1255229", "augmentations": "resize"}
    assert (test.split, test.method, test.more) == ("test", "method_A", {"donor": "813181"})


def test_dfdc_preview_names_an_entry_of_another_release(tmp_path: Path) -> None:
    plant(dfdc_preview(tmp_path), texts={"dataset.json": json.dumps({"method_A/1.mp4": {"label": "FAKE"}})})
    with pytest.raises(ValueError, match=r"dataset\.json, method_A/1\.mp4: KeyError 'FAKE'"):
        read("dfdc_preview", tmp_path)


# --------------------------------------------------------------------------------------------------------- Celeb-DF

CELEB_FILES = (
    "Celeb-real/id0_0000.mp4",
    "Celeb-real/id1_0003.mp4",
    "YouTube-real/00170.mp4",
    "Celeb-synthesis/id0_id1_0000.mp4",
    "Celeb-synthesis/id1_id0_0003.mp4",
)
CELEB_LIST = "1 YouTube-real/00170.mp4\n1 Celeb-real/id1_0003.mp4\n0 Celeb-synthesis/id1_id0_0003.mp4\n"


def celebdf(root: Path) -> Path:
    return plant(root, *CELEB_FILES, texts={"List_of_testing_videos.txt": CELEB_LIST})


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_celebdf(tmp_path: Path, version: str) -> None:
    samples = read(f"celebdf_{version}", celebdf(tmp_path))
    assert [s.name for s in samples] == list(CELEB_FILES)
    assert [s.split for s in samples] == ["train", "test", "test", "train", "test"]
    assert [s.label for s in samples] == ["RV", "RV", "RV", "FV", "FV"]
    assert [s.identity for s in samples] == ["id0", "id1", "", "id0", "id1"]
    assert [s.source_video for s in samples] == ["id0_0000", "id1_0003", "YouTube-real/00170", "id0_0000", "id1_0003"]
    assert samples[3] == Sample(
        path=tmp_path / CELEB_FILES[3],
        name=CELEB_FILES[3],
        source=f"Celeb-DF-{version}",
        visual_fake=True,
        audio_fake=None,
        method="celeb-synthesis",
        identity="id0",
        source_video="id0_0000",
        split="train",
        more={"donor": "id1"},
    )


def test_celebdf_refuses_half_a_tree_and_names_of_another(tmp_path: Path) -> None:
    celebdf(tmp_path)
    (tmp_path / "YouTube-real/00170.mp4").unlink()
    with pytest.raises(FileNotFoundError, match=r"YouTube-real has no \*\.mp4"):
        read("celebdf_v2", tmp_path)
    plant(tmp_path, "YouTube-real/00001.mp4", "Celeb-synthesis/id7.mp4")
    with pytest.raises(ValueError, match=r"id7\.mp4: expected .*Celeb-synthesis/id0_id1_0000"):
        read("celebdf_v2", tmp_path)
    plant(tmp_path, texts={"List_of_testing_videos.txt": "Celeb-real/id0_0000.mp4\n"})
    with pytest.raises(ValueError, match=r"List_of_testing_videos\.txt, line 1"):
        read("celebdf_v2", tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 Celeb-real/id0_0000.mp4", "says forged, but Celeb-real holds genuine films"),
        ("0 YouTube-real/00170.mp4", "says forged, but YouTube-real holds genuine films"),
        ("1 Celeb-synthesis/id0_id1_0000.mp4", "says genuine, but Celeb-synthesis holds forged films"),
        ("2 Celeb-real/id0_0000.mp4", "expected 0 or 1"),
    ],
)
def test_celebdf_refuses_a_list_that_contradicts_the_folders(tmp_path: Path, line: str, words: str) -> None:
    plant(celebdf(tmp_path), texts={"List_of_testing_videos.txt": CELEB_LIST + line + "\n"})
    with pytest.raises(ValueError, match=rf"List_of_testing_videos\.txt, line 4: .*{words}"):
        read("celebdf_v2", tmp_path)


# -------------------------------------------------------------------------------------------------- DeeperForensics

DEEPER_SPLITS = {"train": "000_M101.mp4\n001_W004.mp4\n", "val": "002_M102.mp4\n", "test": "003_W005.mp4\n"}
DEEPER_META = "lists/manipulated_videos_distortions_meta/manipulated_videos_end_to_end_level_3_meta.txt"


def deeperforensics(root: Path) -> Path:
    names = "".join(DEEPER_SPLITS.values()).split()
    films = [f"manipulated_videos/{v}/{n}" for v in ("end_to_end", "end_to_end_level_3") for n in names]
    actor = "source_videos/M101/light_up/happy/camera_front/M101_light_up_happy_camera_front.mp4"
    texts = {f"lists/splits/{split}.txt": text for split, text in DEEPER_SPLITS.items()}
    texts[DEEPER_META] = "".join(f"end_to_end_level_3/{n} JPEG:3\n" for n in names)
    return plant(root, *films, actor, texts=texts)


def test_deeperforensics(tmp_path: Path) -> None:
    samples = read("deeperforensics", deeperforensics(tmp_path))
    assert [(Path(s.name).name, s.split) for s in samples] == [
        ("000_M101.mp4", "train"),
        ("001_W004.mp4", "train"),
        ("002_M102.mp4", "val"),
        ("003_W005.mp4", "test"),
    ]
    assert samples[0] == Sample(
        path=tmp_path / "manipulated_videos/end_to_end/000_M101.mp4",
        name="manipulated_videos/end_to_end/000_M101.mp4",
        source="DeeperForensics-1.0",
        visual_fake=True,
        audio_fake=None,
        method="end_to_end",
        identity="M101",
        source_video="000",
        split="train",
        more={"variant": "end_to_end"},
    )


def test_deeperforensics_reads_distortions_and_actors(tmp_path: Path) -> None:
    *forged, actor = read("deeperforensics", deeperforensics(tmp_path), variants="end_to_end_level_3", actors="yes")
    assert [s.more for s in forged] == [{"variant": "end_to_end_level_3", "distortions": "JPEG:3"}] * 4
    assert (actor.label, actor.identity, actor.split) == ("RV", "M101", "")
    assert actor.source_video == "M101_light_up_happy_camera_front"
    (tmp_path / DEEPER_META).unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks lists/.*end_to_end_level_3_meta"):
        read("deeperforensics", tmp_path, variants="end_to_end_level_3")
    with pytest.raises(FileNotFoundError, match="lacks manipulated_videos/reenact_postprocess/"):
        read("deeperforensics", tmp_path, variants="end_to_end,reenact_postprocess")


# ------------------------------------------------------------------------------------------------------------- KoDF

KODF_REAL = "영상ID,UUID,인물성별,촬영장소,촬영시작,스크립트파일,시나리오번호\n"
KODF_FAKE = "영상ID,타겟영상,타겟UUID,소스UUID,변조모델,촬영시작,인물성별\n"


def kodf(root: Path, form: Literal["NFC", "NFD"] = "NFC") -> Path:
    texts, films = {}, []
    for split, number in (("training", 1), ("validation", 2)):
        real, fake = f"u{number}_1.mp4", f"u{number}_d{number}_1_0001.mp4"
        folder = f"라벨링데이터/{split}_meta"
        texts[f"{folder}/원본영상_{split}_메타데이터.csv"] = (
            f"\ufeff{KODF_REAL}{real},u{number},여,실내,2020.07.24,s.txt,3\n"
        )
        texts[f"{folder}/변조영상_{split}_메타데이터.csv"] = (
            f"\ufeff{KODF_FAKE}{fake},{real},u{number},d{number},dfl,2020.07.24,여\n"
        )
        films += [f"원천데이터/{split}/u{number}/{real}", f"원천데이터/{split}/dfl/u{number}/{fake}"]
    films = [unicodedata.normalize(form, f) for f in films]
    return plant(root, *films, texts={unicodedata.normalize(form, k): v for k, v in texts.items()})


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_kodf(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    real, fake, *validation = read("kodf", kodf(tmp_path, form))
    name = unicodedata.normalize(form, "원천데이터/training/dfl/u1/u1_d1_1_0001.mp4")
    assert fake == Sample(
        path=tmp_path / name,
        name=name,
        source="KoDF",
        visual_fake=True,
        audio_fake=None,
        method="dfl",
        identity="u1",
        source_video="u1_1",
        split="train",
        more={"gender": "여", "language": "ko", "donor": "d1"},
    )
    assert (real.label, real.identity, real.source_video, real.method) == ("RVRA", "u1", "u1_1", "")
    assert real.more == {"gender": "여", "language": "ko", "place": "실내"}
    assert [(s.label, s.split) for s in validation] == [("RVRA", "val"), ("FV", "val")]
    assert all(s.path.is_file() for s in (real, fake, *validation))


def test_kodf_reads_one_split_and_names_a_missing_column(tmp_path: Path) -> None:
    kodf(tmp_path)
    table = next(tmp_path.rglob("변조영상_validation_*.csv"))
    table.write_text(KODF_FAKE.replace("변조모델", "모델"), encoding="utf-8")
    with pytest.raises(ValueError, match="lacks column 변조모델"):
        read("kodf", tmp_path)
    table.unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks 변조영상_validation_메타데이터\.csv; expected"):
        read("kodf", tmp_path)
    assert len(read("kodf", tmp_path, splits="training")) == 2
