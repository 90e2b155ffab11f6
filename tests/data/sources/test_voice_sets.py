"""Sets of sound without picture: generated trees of the published layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdetect.data.sample import Sample
from tests.data.sources.planted import plant, read

PROTOCOLS = "ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm."


def asvspoof2019(root: Path) -> Path:
    files = ("train/flac/LA_T_1138215", "train/flac/LA_T_1004644", "dev/flac/LA_D_1047731", "eval/flac/LA_E_2834763")
    texts = {
        f"{PROTOCOLS}train.trn.txt": "LA_0079 LA_T_1138215 - - bonafide\nLA_0079 LA_T_1004644 - A01 spoof\n",
        f"{PROTOCOLS}dev.trl.txt": "LA_0069 LA_D_1047731 - - bonafide\n",
        f"{PROTOCOLS}eval.trl.txt": "LA_0039 LA_E_2834763 - A11 spoof\n",
    }
    return plant(root, *(f"ASVspoof2019_LA_{f}.flac" for f in files), texts=texts)


@pytest.mark.parametrize("outer", ["", "LA"])
def test_asvspoof2019(tmp_path: Path, outer: str) -> None:
    asvspoof2019(tmp_path / outer)
    real, fake, dev, test = read("asvspoof2019_la", tmp_path)
    name = "ASVspoof2019_LA_train/flac/LA_T_1004644.flac"
    assert (real.label, real.method, real.identity, real.split) == ("RA", "", "LA_0079", "train")
    assert fake == Sample(
        tmp_path / outer / name,
        name,
        "ASVspoof2019-LA",
        None,
        True,
        "A01",
        identity="LA_0079",
        split="train",
        more={"language": "en"},
    )
    assert (dev.split, dev.label) == ("val", "RA")
    assert (test.split, test.method, test.identity) == ("test", "A11", "LA_0039")
    assert all(s.path.is_file() for s in (real, fake, dev, test))


def asvspoof2021(root: Path) -> Path:
    keys = (
        "LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval\n"
        "LA_0010 LA_E_1000003 opus ita_tx bonafide bonafide notrim progress\n"
        "LA_0011 LA_E_1000005 none - - bonafide trim hidden\n"
    )
    files = ("LA_E_9332881", "LA_E_1000003", "LA_E_1000005")
    texts = {"keys/LA/CM/trial_metadata.txt": keys}
    return plant(root, *(f"ASVspoof2021_LA_eval/flac/{f}.flac" for f in files), texts=texts)


def test_asvspoof2021(tmp_path: Path) -> None:
    fake, real, hidden = read("asvspoof2021_la", asvspoof2021(tmp_path))
    name = "ASVspoof2021_LA_eval/flac/LA_E_9332881.flac"
    more = {"codec": "alaw", "transmission": "ita_tx", "trim": "notrim", "phase": "eval", "language": "en"}
    assert fake == Sample(
        tmp_path / name, name, "ASVspoof2021-LA", None, True, "A07", identity="LA_0009", split="test", more=more
    )
    assert (real.label, real.method, real.more["phase"]) == ("RA", "", "progress")
    assert (hidden.label, hidden.method, hidden.more["trim"], hidden.split) == ("RA", "", "trim", "test")


@pytest.mark.parametrize(
    ("name", "make", "file", "line"),
    [
        ("asvspoof2019_la", asvspoof2019, f"{PROTOCOLS}dev.trl.txt", "LA_0069 LA_D_1 - - genuine"),
        ("asvspoof2019_la", asvspoof2019, f"{PROTOCOLS}dev.trl.txt", "LA_D_1 bonafide"),
        # A key file of 2019 in the place of that of 2021.
        ("asvspoof2021_la", asvspoof2021, "keys/LA/CM/trial_metadata.txt", "LA_0039 LA_E_2834763 - A11 spoof"),
    ],
)
def test_a_protocol_of_another_kind_is_refused(tmp_path: Path, name: str, make, file: str, line: str) -> None:
    with (make(tmp_path) / file).open("a") as protocol:
        number = len((tmp_path / file).read_text().splitlines()) + 1
        protocol.write(line + "\n")
    with pytest.raises(ValueError, match=rf"line {number}: expected SPEAKER FILE .*found '{line}'"):
        read(name, tmp_path)


def in_the_wild(root: Path) -> Path:
    meta = "file,speaker,label\n0.wav,Alec Guinness,spoof\n1.wav,Alec Guinness,spoof\n4.wav,Barack Obama,bona-fide\n"
    return plant(root, "0.wav", "1.wav", "4.wav", texts={"meta.csv": meta})


@pytest.mark.parametrize("outer", ["", "release_in_the_wild"])
def test_in_the_wild(tmp_path: Path, outer: str) -> None:
    in_the_wild(tmp_path / outer)
    fake, _, real = read("in_the_wild", tmp_path)
    assert fake == Sample(
        tmp_path / outer / "0.wav",
        "0.wav",
        "In-the-Wild",
        None,
        True,
        "unknown",
        identity="Alec Guinness",
        more={"language": "en"},
    )
    assert (real.label, real.method, real.identity, real.split) == ("RA", "", "Barack Obama", "")


def test_in_the_wild_names_a_row_with_another_label(tmp_path: Path) -> None:
    with (in_the_wild(tmp_path) / "meta.csv").open("a") as table:
        table.write("5.wav,Ronald Reagan,bonafide\n")
    with pytest.raises(ValueError, match=r"meta\.csv, row 4: .*bona-fide, spoof.*'bonafide'"):
        read("in_the_wild", tmp_path)
