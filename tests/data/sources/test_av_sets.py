"""Sets of films with picture and sound: generated trees of the published layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdetect.data.sample import Sample
from avdetect.types import Segment
from tests.data.sources.planted import plant, read

# ---------------------------------------------------------------------------------------------------- FakeAVCeleb

FAVC_HEADER = "source,target1,target2,method,category,type,race,gender,path,\n"
FAVC_ROWS = (
    "id00076,-,-,real,A,RealVideo-RealAudio,African,men,00109.mp4,FakeAVCeleb/RealVideo-RealAudio/African/men/id00076\n"
    "id00076,-,-,rtvc,B,RealVideo-FakeAudio,African,men,00109_fake.mp4,"
    "FakeAVCeleb/RealVideo-FakeAudio/African/men/id00076\n"
    "id00491,id01002,-,faceswap,C,FakeVideo-RealAudio,Asian (East),women,00122_id01002_eQTviHjyISo.mp4,"
    "FakeAVCeleb/FakeVideo-RealAudio/Asian (East)/women/id00491\n"
    "id00076,id00476,10,wav2lip,D,FakeVideo-FakeAudio,African,men,00109_10_id00476_wavtolip.mp4,"
    "FakeAVCeleb/FakeVideo-FakeAudio/African/men/id00076\n"
    "id00076,id00476,10,fsgan-wav2lip,D,FakeVideo-FakeAudio,African,men,00109_10_id00476_wavtolip.mp4,"
    "FakeAVCeleb/FakeVideo-FakeAudio/African/men/id00076\n"
)
FAVC_FILES = (
    "RealVideo-RealAudio/African/men/id00076/00109.mp4",
    "RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4",
    "FakeVideo-RealAudio/Asian (East)/women/id00491/00122_id01002_eQTviHjyISo.mp4",
    "FakeVideo-FakeAudio/African/men/id00076/00109_10_id00476_wavtolip.mp4",
)


def fakeavceleb(root: Path) -> Path:
    return plant(root, *FAVC_FILES, texts={"meta_data.csv": FAVC_HEADER + FAVC_ROWS})


def test_fakeavceleb(tmp_path: Path) -> None:
    real, voice, swap, both = read("fakeavceleb", fakeavceleb(tmp_path))
    african = {"race": "African", "gender": "men"}
    for sample, name, fake, method in ((real, FAVC_FILES[0], False, ""), (voice, FAVC_FILES[1], True, "rtvc")):
        assert sample == Sample(
            path=tmp_path / name,
            name=name,
            source="FakeAVCeleb",
            visual_fake=False,
            audio_fake=fake,
            method=method,
            identity="id00076",
            source_video="id00076/00109",
            more=african,
        )
    assert (swap.label, swap.method, swap.identity) == ("FVRA", "faceswap", "id00491")
    assert swap.more == {"target1": "id01002", "race": "Asian (East)", "gender": "women"}
    assert (both.label, both.method) == ("FVFA", "wav2lip"), "listed twice, yielded once with the first method"
    assert (both.identity, both.source_video) == ("id00076", "id00076/00109")
    assert both.more == {"target1": "id00476", "target2": "10", "other_methods": "fsgan-wav2lip", **african}
    assert all(s.path.is_file() for s in (real, voice, swap, both))


def test_fakeavceleb_refuses_a_table_of_another_release(tmp_path: Path) -> None:
    fakeavceleb(tmp_path)
    (tmp_path / "meta_data.csv").write_text(FAVC_HEADER + "id1,-,-,real,A,RealVideo,African,men,1.mp4,x\n")
    with pytest.raises(ValueError, match=r"meta_data\.csv, line 2: .*RealVideo"):
        read("fakeavceleb", tmp_path)


# --------------------------------------------------------------------------------------------------------- LAV-DF

LAVDF_ITEMS = [
    {
        "file": "train/000001.mp4",
        "n_fakes": 0,
        "fake_periods": [],
        "duration": 4.672,
        "original": None,
        "modify_video": False,
        "modify_audio": False,
        "split": "train",
        "video_frames": 115,
        "audio_channels": 1,
        "audio_frames": 72704,
    },
    {
        "file": "train/000002.mp4",
        "n_fakes": 2,
        "fake_periods": [[0.5, 1.0], [2.25, 3]],
        "duration": 4.7,
        "original": "000001.mp4",
        "modify_video": True,
        "modify_audio": True,
        "split": "train",
    },
    {
        "file": "dev/000003.mp4",
        "n_fakes": 1,
        "fake_periods": [[1.5, 1.75]],
        "duration": 4.7,
        "original": "dev/000009.mp4",
        "modify_video": False,
        "modify_audio": True,
        "split": "dev",
    },
    {
        "file": "test/000004.mp4",
        "n_fakes": 1,
        "fake_periods": [[0.0, 0.3]],
        "duration": 4.7,
        "original": "test/000008.mp4",
        "modify_video": True,
        "modify_audio": False,
        "split": "test",
    },
]


def lavdf(root: Path) -> Path:
    return plant(root, *(str(i["file"]) for i in LAVDF_ITEMS), texts={"metadata.min.json": json.dumps(LAVDF_ITEMS)})


def test_lavdf(tmp_path: Path) -> None:
    real, both, voice, face = read("lavdf", lavdf(tmp_path))
    assert real == Sample(
        tmp_path / "train/000001.mp4",
        "train/000001.mp4",
        "LAV-DF",
        False,
        False,
        source_video="train/000001.mp4",
        split="train",
    )
    assert both == Sample(
        tmp_path / "train/000002.mp4",
        "train/000002.mp4",
        "LAV-DF",
        True,
        True,
        "wav2lip+sv2tts",
        (
            Segment(0.5, 1.0, "visual"),
            Segment(0.5, 1.0, "audio"),
            Segment(2.25, 3.0, "visual"),
            Segment(2.25, 3.0, "audio"),
        ),
        source_video="train/000001.mp4",
        split="train",
    )
    assert (voice.label, voice.split, voice.source_video) == ("RVFA", "val", "dev/000009.mp4")
    assert (voice.method, voice.segments) == ("sv2tts", (Segment(1.5, 1.75, "audio"),))
    assert (face.label, face.split, face.segments) == ("FVRA", "test", (Segment(0.0, 0.3, "visual"),))


def test_lavdf_prefers_the_long_label_file_and_names_a_bad_object(tmp_path: Path) -> None:
    lavdf(tmp_path)
    (tmp_path / "metadata.json").write_text(json.dumps([*LAVDF_ITEMS, {"file": "train/5.mp4", "split": "train"}]))
    with pytest.raises(ValueError, match=r"metadata\.json, object 4: KeyError 'fake_periods'"):
        read("lavdf", tmp_path)


# -------------------------------------------------------------------------------------------------- AV-Deepfake1M

UTTERANCE = "id00012/21Uxsk56VDQ/00001"


def item(file: str, kind: str, *, visual: list = [], audio: list = [], **more: object) -> dict[str, object]:  # noqa: B006
    return {
        "file": file,
        "original": "VoxCeleb2/dev/mp4/id00012/21Uxsk56VDQ/00001.mp4",
        "modify_type": kind,
        "audio_model": None if kind == "real" else "yourtts",
        "fake_segments": sorted([*visual, *audio]),
        "audio_fake_segments": audio,
        "visual_fake_segments": visual,
        "video_frames": 237,
        "audio_frames": 151680,
    } | more


def avdeepfake1m(root: Path) -> Path:
    train = [
        item(f"{UTTERANCE}/real.mp4", "real"),
        item(f"{UTTERANCE}/fake_video_fake_audio.mp4", "both_modified", visual=[[3.28, 3.46]], audio=[[3.28, 3.5]]),
        # As in the release: the segment of the forged voice is listed under the genuine picture as well.
        item(f"{UTTERANCE}/real_video_fake_audio.mp4", "audio_modified", visual=[[1.0, 1.5]], audio=[[1.0, 1.5]]),
    ]
    val = [item(f"{UTTERANCE}/fake_video_real_audio.mp4", "visual_modified", visual=[[2, 2.5]])]
    files = [f"train/{i['file']}" for i in train] + [f"val/{i['file']}" for i in val]
    texts = {
        "train_metadata.json": json.dumps(train),
        "val_metadata.json": json.dumps(val),
        "test_files.txt": "000001.mp4\n",
    }
    return plant(root, *files, "test/000001.mp4", texts=texts)


def test_avdeepfake1m(tmp_path: Path) -> None:
    real, both, voice, face, test = read("avdeepfake1m", avdeepfake1m(tmp_path))
    original = {"original": "VoxCeleb2/dev/mp4/id00012/21Uxsk56VDQ/00001.mp4"}
    assert real == Sample(
        tmp_path / f"train/{UTTERANCE}/real.mp4",
        f"train/{UTTERANCE}/real.mp4",
        "AV-Deepfake1M",
        False,
        False,
        identity="id00012",
        source_video=UTTERANCE,
        split="train",
        more=original,
    )
    assert (both.label, both.method) == ("FVFA", "yourtts")
    assert both.segments == (Segment(3.28, 3.46, "visual"), Segment(3.28, 3.5, "audio"))
    assert (voice.label, voice.segments) == ("RVFA", (Segment(1.0, 1.5, "audio"),)), "not the copy in the other list"
    assert (face.label, face.split, face.segments) == ("FVRA", "val", (Segment(2.0, 2.5, "visual"),))
    assert test == Sample(tmp_path / "test/000001.mp4", "test/000001.mp4", "AV-Deepfake1M", split="test")
    assert test.label == ""


def test_avdeepfake1m_reads_a_part_of_the_set(tmp_path: Path) -> None:
    avdeepfake1m(tmp_path)
    for gone in ("train_metadata.json", "test_files.txt"):
        (tmp_path / gone).unlink()
    with pytest.raises(FileNotFoundError, match=r"train_metadata\.json.*test_files\.txt.*splits=val"):
        read("avdeepfake1m", tmp_path)
    assert [s.split for s in read("avdeepfake1m", tmp_path, splits="val")] == ["val"]
    with pytest.raises(ValueError, match="unknown split 'valid'"):
        read("avdeepfake1m", tmp_path, splits="valid")


def avdeepfake1m_pp(root: Path) -> Path:
    val = [
        item("vox_celeb_2/id01358/_1nATum8x78/00030/real.mp4", "real", video_model=None),
        item(
            "lrs3/ukgnU2aXM2c/00004/00004_p4.mp4",
            "both_modified",
            visual=[[1, 2]],
            audio=[[1, 2.5]],
            video_model="Talklip",
            original="lrs3/ukgnU2aXM2c/00004/real.mp4",
        ),
        item(
            "silent_videos/subject_7_ab12_vid_3_1/fake.mp4",
            "visual_modified",
            visual=[[0, 1]],
            video_model="diff2lip",
            audio_model=None,
            original=None,
        ),
    ]
    train = [item("vox_celeb_2/id00001/x/00001/real.mp4", "real")]
    # The archive of validation unpacked one level too deep, that of training not.
    files = [f"val/val/{i['file']}" for i in val] + [f"train/{i['file']}" for i in train]
    texts = {
        "train_metadata.json": json.dumps(train),
        "val_metadata.json": json.dumps(val),
        "testA_files.txt": "000001.mp4\n000002.mp4\n",
        "testB_files.txt": "000003.mp4\n",
    }
    return plant(root, *files, "testA/000001.mp4", "testA/000002.mp4", "testB/000003.mp4", texts=texts)


def test_avdeepfake1m_plus_plus(tmp_path: Path) -> None:
    train, real, both, silent, *test = read("avdeepfake1m_pp", avdeepfake1m_pp(tmp_path))
    assert (train.name, train.identity, train.split) == (
        "train/vox_celeb_2/id00001/x/00001/real.mp4",
        "id00001",
        "train",
    )
    assert real.path == tmp_path / "val/val/vox_celeb_2/id01358/_1nATum8x78/00030/real.mp4" and real.path.is_file()
    assert (real.identity, real.source_video) == ("id01358", "vox_celeb_2/id01358/_1nATum8x78/00030")
    assert (both.identity, both.method, both.source_video) == (
        "lrs3/ukgnU2aXM2c",
        "Talklip+yourtts",
        "lrs3/ukgnU2aXM2c/00004",
    )
    assert both.segments == (Segment(1.0, 2.0, "visual"), Segment(1.0, 2.5, "audio"))
    assert (silent.identity, silent.label, silent.method) == ("silent_videos/subject_7", "FVRA", "diff2lip")
    assert [(s.label, s.split, s.more["part"]) for s in test] == [
        ("", "test", "testA"),
        ("", "test", "testA"),
        ("", "test", "testB"),
    ]
    assert {s.source for s in test} == {"AV-Deepfake1M++"}
