"""Official splits that promise to keep people or recordings apart: a tree in which they are not is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.sources import test_face_sets as face
from tests.data.sources import test_lip_sets as lip
from tests.data.sources import test_talking_sets as talk
from tests.data.sources import test_voice_sets as voice
from tests.data.sources.planted import plant, read

PROMISED: dict[str, Callable[[Path], Path]] = {
    "faceforensics": face.faceforensics,
    "deeperforensics": face.deeperforensics,
    "voxceleb2": talk.voxceleb2,
    "lrs3": lip.lrs3,
    "asvspoof2019_la": voice.asvspoof2019,
}


def people(name: str, root: Path) -> dict[str, set[str]]:
    """Identities of each split that a reader gives."""
    found: dict[str, set[str]] = {}
    for sample in read(name, root):
        found.setdefault(sample.split, set()).add(sample.identity)
    return found


@pytest.mark.parametrize("name", PROMISED)
def test_nobody_is_in_two_splits_of_a_good_tree(tmp_path: Path, name: str) -> None:
    splits = people(name, PROMISED[name](tmp_path))
    assert len(splits) > 1
    assert sum(map(len, splits.values())) == len(set().union(*splits.values()))


@pytest.mark.parametrize("other", ["val", "test"])
def test_faceforensics_names_a_sequence_in_two_lists(tmp_path: Path, other: str) -> None:
    face.faceforensics(tmp_path)
    pairs = [*face.FFPP_SPLITS[other], ["071", "999"]]
    plant(tmp_path, texts={f"splits/{other}.json": json.dumps(pairs)})
    with pytest.raises(ValueError, match=rf"1 of 7 sequences .*: 071 in splits/train\.json and splits/{other}\.json;"):
        read("faceforensics", tmp_path)


@pytest.mark.parametrize("film", ["003_M101.mp4", "000_M101.mp4"])
def test_deeperforensics_names_an_actor_in_two_lists(tmp_path: Path, film: str) -> None:
    face.deeperforensics(tmp_path)
    plant(tmp_path, texts={"lists/splits/test.txt": f"003_W005.mp4\n{film}\n"})
    with pytest.raises(
        ValueError, match=r"1 of 4 actors .*: M101 in lists/splits/train\.txt and lists/splits/test\.txt"
    ):
        read("deeperforensics", tmp_path)


def test_voxceleb2_names_a_person_in_both_sets_of_the_table(tmp_path: Path) -> None:
    plant(talk.voxceleb2(tmp_path), texts={"vox2_meta.csv": talk.VOX_META + "id00012 ,n000001 ,m ,test\n"})
    with pytest.raises(ValueError, match=r"1 of 2 persons .*: id00012 in dev and test;"):
        read("voxceleb2", tmp_path)


def test_voxceleb2_names_a_person_in_the_folder_of_the_other_set(tmp_path: Path) -> None:
    plant(talk.voxceleb2(tmp_path), "dev/mp4/id00017/01dfn2spqyE/00001.mp4", "dev/mp4/notes/a.txt", "test/mp4/notes/a")
    with pytest.raises(ValueError, match=r"1 of 2 persons .*: id00017 in test and dev;"):
        read("voxceleb2", tmp_path)


@pytest.mark.parametrize("part", ["pretrain", "trainval"])
def test_lrs3_names_a_talk_of_test_in_another_part(tmp_path: Path, part: str) -> None:
    plant(lip.lrs3(tmp_path), f"{part}/0ZfSOArXbGQ/00009.mp4", "pretrain/0Fi83BHQsMA/00001.mp4")
    with pytest.raises(ValueError, match=r"LRS3: 1 of 3 talks .*: 0ZfSOArXbGQ in pretrain or trainval and test;"):
        read("lrs3", tmp_path)
    assert len(read("lrs3", tmp_path, parts="test")) == 2


def test_lrs3_lets_pretrain_and_trainval_share_talks(tmp_path: Path) -> None:
    plant(lip.lrs3(tmp_path), "pretrain/0Fi83BHQsMA/00001.mp4")
    assert len(read("lrs3", tmp_path)) == 6


@pytest.mark.parametrize(("part", "file"), [("dev", "dev.trl.txt"), ("eval", "eval.trl.txt")])
def test_asvspoof2019_names_a_speaker_in_two_protocols(tmp_path: Path, part: str, file: str) -> None:
    with (voice.asvspoof2019(tmp_path) / f"{voice.PROTOCOLS}{file}").open("a") as protocol:
        protocol.write("LA_0079 LA_X_1 - - bonafide\n")
    with pytest.raises(ValueError, match=rf"1 of 3 speakers .*: LA_0079 in ASVspoof2019_LA_train and .*_LA_{part};"):
        read("asvspoof2019_la", tmp_path)
