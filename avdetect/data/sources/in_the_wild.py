"""In-the-Wild (Müller et al., "Does audio deepfake detection generalize?", Interspeech 2022, arXiv:2203.16263)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_LABELS = {"bona-fide": False, "spoof": True}
_LAYOUT = "release_in_the_wild/ with meta.csv (file, speaker, label) and 0.wav, 1.wav ..."


class InTheWild:
    """Genuine and forged speech of 58 English-speaking celebrities and politicians from online films; sound only.

    ``meta.csv`` has the columns ``file`` ("0.wav"), ``speaker`` ("Alec Guinness") and ``label`` ("bona-fide" or
    "spoof"). What made a forgery is not known, and there is no official split: it is meant as a test set.

    Layout: data set page deepfake-total.com/in_the_wild; data set card mueller91/In-The-Wild.

    Args:
        root: the unpacked folder ``release_in_the_wild``, or the one that holds it.

    Raises:
        FileNotFoundError: ``meta.csv`` or most of the files are missing.
        ValueError: a row of ``meta.csv`` cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        inner = Path(root) / "release_in_the_wild"
        self.root = inner if inner.is_dir() else Path(root)
        check_tree("In-the-Wild", self.root, _LAYOUT, files=["meta.csv"], folders=[])
        self._samples = list(self._read(self.root / "meta.csv"))
        check_files("In-the-Wild", self.root, (s.path for s in self._samples))

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of ``meta.csv``."""
        yield from self._samples

    def _read(self, table: Path) -> Iterator[Sample]:
        with table.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), 1):
                if not row.get("file") or row.get("label") not in _LABELS:
                    raise ValueError(
                        f"{table}, row {number}: expected file, speaker and label (one of {', '.join(_LABELS)}); "
                        f"found {row}"
                    )
                fake = _LABELS[row["label"]]
                yield Sample(
                    path=self.root / row["file"],
                    name=row["file"],
                    source="In-the-Wild",
                    audio_fake=fake,
                    method="unknown" if fake else "",
                    identity=row.get("speaker") or "",
                    more={"language": "en"},
                )
