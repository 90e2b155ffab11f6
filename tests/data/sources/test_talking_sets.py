"""Sets of genuine talkers: generated trees of the published layouts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from avdetect.data.sample import Sample
from tests.data.sources.planted import plant, read

# ------------------------------------------------------------------------------------------------------------- GRID

GRID_SPEAKERS = [f"s{n}" for n in range(1, 35) if n != 21]


def grid(root: Path) -> Path:
    films = [f"{s}/video/mpg_6000/{stem}.mpg" for s in GRID_SPEAKERS for stem in ("bbaf2n", "lwws9a")]
    return plant(root, *films, *(f"alignments/{Path(f).parts[0]}/{Path(f).stem}.align" for f in films))


def test_grid(tmp_path: Path) -> None:
    samples = read("grid", grid(tmp_path))
    assert [s.identity for s in samples] == [s for s in GRID_SPEAKERS for _ in range(2)]
    assert samples[2] == Sample(
        path=tmp_path / "s2/video/mpg_6000/bbaf2n.mpg",
        name="s2/video/mpg_6000/bbaf2n.mpg",
        source="GRID",
        visual_fake=False,
        audio_fake=False,
        identity="s2",
        source_video="s2/bbaf2n",
        more={"language": "en", "sentence": "bbaf2n", "align": "alignments/s2/bbaf2n.align"},
    )


def test_grid_reads_chosen_speakers_in_other_folders(tmp_path: Path) -> None:
    plant(tmp_path, "s3/bbaf2n.mpg", "s3/align/bbaf2n.align", "s3/align/lwws9a.align", "s3/mpg_6000/bbaf2n.mpg")
    large, absent = read("grid", tmp_path, speakers="s3")
    assert large.name == "s3/mpg_6000/bbaf2n.mpg", "the larger of two sizes"
    assert (absent.source_video, absent.path.is_file()) == ("s3/lwws9a", False)
    with pytest.raises(FileNotFoundError, match=r"lacks s1/, s2/, s4/"):
        read("grid", tmp_path)
    with pytest.raises(ValueError, match="unknown part 's21'"):
        read("grid", tmp_path, speakers="s21")
    plant(tmp_path, "s4/bbaf2n.mpg")
    with pytest.raises(FileNotFoundError, match=r"lacks alignments/s4/\*\.align \(1 of 2 speakers\)"):
        read("grid", tmp_path, speakers="s3,s4")


# ---------------------------------------------------------------------------------------------------------- CREMA-D

CREMAD_STEMS = ("1001_IEO_HAP_LO", "1001_DFA_ANG_XX", "1002_ITH_SAD_XX")


def cremad(root: Path) -> Path:
    texts = {
        "SentenceFilenames.csv": '"Stimulus_Number","Filename"\n'
        + "".join(f'{i},"{stem}"\n' for i, stem in enumerate(CREMAD_STEMS, 1)),
        "VideoDemographics.csv": '"ActorID","Age","Sex","Race","Ethnicity"\n'
        '1001,51,"Male","Caucasian","Not Hispanic"\n1002,21,"Female","Caucasian","Not Hispanic"\n',
    }
    return plant(root, *(f"VideoFlash/{s}.flv" for s in CREMAD_STEMS), "AudioWAV/1001_IEO_HAP_LO.wav", texts=texts)


def test_cremad(tmp_path: Path) -> None:
    first, second, third = read("cremad", cremad(tmp_path))
    assert first == Sample(
        path=tmp_path / "VideoFlash/1001_IEO_HAP_LO.flv",
        name="VideoFlash/1001_IEO_HAP_LO.flv",
        source="CREMA-D",
        visual_fake=False,
        audio_fake=False,
        identity="1001",
        source_video="1001_IEO_HAP_LO",
        more={
            "sentence": "IEO",
            "emotion": "HAP",
            "strength": "LO",
            "age": "51",
            "sex": "Male",
            "race": "Caucasian",
            "ethnicity": "Not Hispanic",
            "language": "en",
            "wav": "AudioWAV/1001_IEO_HAP_LO.wav",
        },
    )
    assert (second.more["emotion"], "wav" in second.more) == ("ANG", False)
    assert (third.identity, third.more["sex"], third.split) == ("1002", "Female", "")


def test_cremad_refuses_pointers_and_unknown_actors(tmp_path: Path) -> None:
    cremad(tmp_path)
    pointer = tmp_path / "VideoFlash/1001_IEO_HAP_LO.flv"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(FileNotFoundError, match=r"1 of 3 files are git-lfs .*1001_IEO_HAP_LO\.flv; run git lfs pull"):
        read("cremad", tmp_path)
    plant(tmp_path, texts={"SentenceFilenames.csv": "Stimulus_Number,Filename\n1,1003_IEO_HAP_LO\n"})
    with pytest.raises(ValueError, match=r"SentenceFilenames\.csv: .*found '1003_IEO_HAP_LO'"):
        read("cremad", tmp_path)
    plant(tmp_path, texts={"VideoDemographics.csv": "Actor,Age\n"})
    with pytest.raises(ValueError, match=r"VideoDemographics\.csv: lacks column ActorID, Sex, Race"):
        read("cremad", tmp_path)


# ---------------------------------------------------------------------------------------------------------- RAVDESS


def ravdess(root: Path, count: int = 24) -> Path:
    codes = [
        f"{emotion:02d}-{strength:02d}-{statement:02d}-{repetition:02d}"
        for emotion in range(1, 9)
        for strength in ((1,) if emotion == 1 else (1, 2))
        for statement in (1, 2)
        for repetition in (1, 2)
    ]
    actors = [f"{n:02d}" for n in range(1, count + 1)]
    return plant(root, *(f"Video_Speech_Actor_{a}/Actor_{a}/01-01-{code}-{a}.mp4" for a in actors for code in codes))


def test_ravdess(tmp_path: Path) -> None:
    plant(ravdess(tmp_path), "Video_Speech_Actor_01/Actor_01/02-01-01-01-01-01-01.mp4")
    samples = read("ravdess", tmp_path)
    assert len(samples) == 1440 and all(s.path.is_file() for s in samples)
    assert Counter(s.identity for s in samples) == {f"Actor_{n:02d}": 60 for n in range(1, 25)}
    name = "Video_Speech_Actor_02/Actor_02/01-01-01-01-02-01-02.mp4"
    assert samples[62] == Sample(
        path=tmp_path / name,
        name=name,
        source="RAVDESS",
        visual_fake=False,
        audio_fake=False,
        identity="Actor_02",
        source_video="01-01-01-02-01-02",
        more={
            "channel": "speech",
            "emotion": "neutral",
            "strength": "normal",
            "statement": "Dogs are sitting by the door",
            "gender": "female",
            "language": "en",
        },
    )


def test_ravdess_knows_what_was_sung_and_reads_chosen_actors(tmp_path: Path) -> None:
    song = [
        f"Actor_17/01-02-{e:02d}-01-{s}-{r}-17.mp4" for e in range(1, 7) for s in ("01", "02") for r in ("01", "02")
    ]
    plant(tmp_path, *song, "Actor_18/01-01-01-01-01-01-18.mp4")
    samples = read("ravdess", tmp_path, actors="17,18", channels="song")
    assert {s.identity for s in samples} == {"Actor_17"} and len(samples) == 44
    assert sum(s.path.is_file() for s in samples) == 24
    assert {s.more["channel"] for s in samples} == {"song"}
    with pytest.raises(FileNotFoundError, match=r"59 of 60 files are absent .*Actor_18/01-01-01-01-01-02-18\.mp4"):
        read("ravdess", tmp_path, actors="18")
    with pytest.raises(FileNotFoundError, match=r"lacks Actor_01, Actor_02.*; expected"):
        read("ravdess", tmp_path)
    with pytest.raises(ValueError, match="unknown part '25' of actors"):
        read("ravdess", tmp_path, actors="25")


# -------------------------------------------------------------------------------------------------------- VoxCeleb2

VOX_META = "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set\nid00012 ,n000001 ,m ,dev\nid00017 ,n000002 ,f ,test\n"
VOX_FILES = (
    "dev/mp4/id00012/21Uxsk56VDQ/00001.mp4",
    "dev/mp4/id00012/21Uxsk56VDQ/00002.mp4",
    "test/mp4/id00017/01dfn2spqyE/00001.mp4",
    "test/mp4/id00017/utA-v8pPm-4/00391.mp4",
)


def voxceleb2(root: Path) -> Path:
    texts = [f.replace("/mp4/", "/txt/").replace(".mp4", ".txt") for f in VOX_FILES]
    return plant(root, *VOX_FILES, *texts, texts={"vox2_meta.csv": VOX_META})


def test_voxceleb2(tmp_path: Path) -> None:
    first, second, test, other = read("voxceleb2", voxceleb2(tmp_path))
    assert first == Sample(
        path=tmp_path / VOX_FILES[0],
        name=VOX_FILES[0],
        source="VoxCeleb2",
        visual_fake=False,
        audio_fake=False,
        identity="id00012",
        source_video="21Uxsk56VDQ",
        split="train",
        more={"part": "dev", "gender": "m", "vggface2": "n000001"},
    )
    assert second.name == VOX_FILES[1]
    assert (test.identity, test.split, test.more["gender"]) == ("id00017", "test", "f")
    assert (other.identity, other.source_video) == ("id00017", "utA-v8pPm-4")


def test_voxceleb2_counts_the_persons(tmp_path: Path) -> None:
    voxceleb2(tmp_path)
    more = "".join(f"id0{n} ,n0{n} ,m ,test\n" for n in range(5, 8))
    plant(tmp_path, texts={"vox2_meta.csv": VOX_META + more})
    with pytest.raises(FileNotFoundError, match=r"3 of 4 persons are absent below .*test/mp4: id05, id06, id07;"):
        read("voxceleb2", tmp_path)
    assert len(read("voxceleb2", tmp_path, parts="dev")) == 2
    plant(tmp_path, texts={"vox2_meta.csv": VOX_META + "id05 ,n05 ,m ,train\n"})
    with pytest.raises(ValueError, match=r"vox2_meta\.csv, line 4: .*Set dev or test"):
        read("voxceleb2", tmp_path)


# ------------------------------------------------------------------------------------------------------------- HDTF

HDTF_LISTS = {
    "RD": ("Radio11", "XtySvTwIOfw", "00:30-01:00 01:30-02:30"),
    "WDA": ("AmyKlobuchar1", "abc-_123456", "00:35-02:45"),
    "WRA": ("AllenWest", "HAVyoVVjBEE&t=6s", "00:20-04:55 05:10-06:00 "),
}


def hdtf(root: Path) -> Path:
    texts = {}
    for subset, (video, film, spans) in HDTF_LISTS.items():
        texts[f"HDTF_dataset/{subset}_video_url.txt"] = f"{video} https://www.youtube.com/watch?v={film}\n"
        texts[f"HDTF_dataset/{subset}_annotion_time.txt"] = f"{video}.mp4 {spans}\n"
    clips = ("clips/Radio11_0.mp4", "clips/Radio11_1.mp4", "clips/WDA_AmyKlobuchar1_000.mp4", "clips/AllenWest_0.mp4")
    clips += ("clips/AllenWest_1.mp4",)
    return plant(root, *clips, "clips/_videos_raw/WDA_AmyKlobuchar1.mp4", texts=texts)


def test_hdtf(tmp_path: Path) -> None:
    first, second, silent, named, _ = read("hdtf", hdtf(tmp_path))
    assert first == Sample(
        path=tmp_path / "clips/Radio11_0.mp4",
        name="clips/Radio11_0.mp4",
        source="HDTF",
        visual_fake=False,
        audio_fake=False,
        identity="Radio11",
        source_video="XtySvTwIOfw",
        more={"subset": "RD", "time": "00:30-01:00"},
    )
    assert (second.name, second.more["time"]) == ("clips/Radio11_1.mp4", "01:30-02:30")
    assert (silent.name, silent.label) == ("clips/WDA_AmyKlobuchar1_000.mp4", "RV"), "cut without sound"
    assert (silent.identity, silent.source_video) == ("AmyKlobuchar", "abc-_123456")
    assert (named.identity, named.source_video, named.label) == ("AllenWest", "HAVyoVVjBEE", "RVRA")


def test_hdtf_names_a_line_it_cannot_read(tmp_path: Path) -> None:
    plant(hdtf(tmp_path), texts={"HDTF_dataset/RD_annotion_time.txt": "\nRadio11 00:30\n"})
    with pytest.raises(ValueError, match=r"RD_annotion_time\.txt, line 2: expected"):
        read("hdtf", tmp_path)
