"""ASVspoof 2019 and 2021, logical access (Wang et al. 2020, arXiv:1911.01601; Liu et al. 2023, arXiv:2210.02437)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.apart import check_apart
from avdetect.data.sources.layout import check_files, check_tree

_KEYS = {"bonafide": False, "spoof": True}
_PROTOCOLS = "ASVspoof2019_LA_cm_protocols"
_LISTS_2019 = {
    "train": ("train", f"{_PROTOCOLS}/ASVspoof2019.LA.cm.train.trn.txt"),
    "dev": ("val", f"{_PROTOCOLS}/ASVspoof2019.LA.cm.dev.trl.txt"),
    "eval": ("test", f"{_PROTOCOLS}/ASVspoof2019.LA.cm.eval.trl.txt"),
}
_LAYOUT_2019 = (
    f"{_PROTOCOLS}/ASVspoof2019.LA.cm.train.trn.txt, ...dev.trl.txt and ...eval.trl.txt beside ASVspoof2019_LA_train/, "
    "ASVspoof2019_LA_dev/ and ASVspoof2019_LA_eval/, each with flac/*.flac"
)
_LAYOUT_2021 = (
    "ASVspoof2021_LA_eval/flac/*.flac beside keys/LA/CM/trial_metadata.txt (the archive LA-keys-full, which is "
    "downloaded on its own)"
)


class ASVspoof2019LA:
    """Read speech of VCTK, genuine, synthesised and converted; sound only.

    Lines of a protocol are ``SPEAKER FILE - SYSTEM KEY``: the system is A01 ... A19 (``method``) or "-", the key
    "bonafide" or "spoof". Train and development share their systems, evaluation has others; no speaker is in two parts.

    Layout: ``README.LA.txt`` of the release (datashare.ed.ac.uk/handle/10283/3336).

    Args:
        root: the unpacked folder ``LA``, or the one that holds it.

    Raises:
        FileNotFoundError: a protocol, a folder or most of the files are missing.
        ValueError: a line of a protocol cannot be understood, or a speaker is in two.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root) / "LA" if (Path(root) / "LA").is_dir() else Path(root)
        folders = [f"ASVspoof2019_LA_{part}/flac" for part in _LISTS_2019]
        check_tree(
            "ASVspoof 2019 LA", self.root, _LAYOUT_2019, files=[f for _, f in _LISTS_2019.values()], folders=folders
        )
        self._samples = [s for part, (split, file) in _LISTS_2019.items() for s in self._read(part, split, file)]
        speakers = ((s.identity, s.name.partition("/")[0]) for s in self._samples)
        check_apart("ASVspoof 2019 LA", "speaker", speakers, promise="the paper")
        check_files("ASVspoof 2019 LA", self.root, (s.path for s in self._samples))

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of the protocols: train, dev, eval."""
        yield from self._samples

    def _read(self, part: str, split: str, file: str) -> Iterator[Sample]:
        for speaker, stem, _, system, key in _lines(self.root / file, "SPEAKER FILE - SYSTEM KEY", key=4):
            name = f"ASVspoof2019_LA_{part}/flac/{stem}.flac"
            yield Sample(
                path=self.root / name,
                name=name,
                source="ASVspoof2019-LA",
                audio_fake=_KEYS[key],
                method=system if _KEYS[key] else "",
                identity=speaker,
                split=split,
                more={"language": "en"},
            )


class ASVspoof2021LA:
    """The evaluation of 2021: speech made as that of 2019, sent through telephone codecs; sound only.

    Lines of ``trial_metadata.txt`` are ``SPEAKER FILE CODEC TRANSMISSION SYSTEM KEY TRIM PHASE``, as
    ``LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval``. Genuine lines have "bonafide" or "-" for the system.
    Everything is test; ``more["phase"]`` is "progress", "eval" (which results are published on) or "hidden" (where
    pauses were cut away, see ``more["trim"]``).

    Layout: repository asvspoof-challenge/2021, ``eval-package/README.md``.

    Args:
        root: the folder that holds ``ASVspoof2021_LA_eval`` and ``keys``.

    Raises:
        FileNotFoundError: the keys, the folder or most of the files are missing.
        ValueError: a line of the keys cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        keys, folder = "keys/LA/CM/trial_metadata.txt", "ASVspoof2021_LA_eval/flac"
        check_tree("ASVspoof 2021 LA", self.root, _LAYOUT_2021, files=[keys], folders=[folder])
        self._samples = list(self._read(self.root / keys, folder))
        check_files("ASVspoof 2021 LA", self.root, (s.path for s in self._samples))

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of the keys."""
        yield from self._samples

    def _read(self, keys: Path, folder: str) -> Iterator[Sample]:
        columns = "SPEAKER FILE CODEC TRANSMISSION SYSTEM KEY TRIM PHASE"
        for speaker, stem, codec, transmission, system, key, trim, phase in _lines(keys, columns, key=5):
            name = f"{folder}/{stem}.flac"
            yield Sample(
                path=self.root / name,
                name=name,
                source="ASVspoof2021-LA",
                audio_fake=_KEYS[key],
                method=system if _KEYS[key] else "",
                identity=speaker,
                split="test",
                more={"codec": codec, "transmission": transmission, "trim": trim, "phase": phase, "language": "en"},
            )


def _lines(file: Path, columns: str, *, key: int) -> Iterator[list[str]]:
    """Cells of each line of a protocol; ``key`` is the place of "bonafide" or "spoof" among them."""
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != len(columns.split()) or cells[key] not in _KEYS:
            raise ValueError(f"{file}, line {number}: expected {columns}, KEY bonafide or spoof; found {line!r}")
        yield cells
