"""Deepfake Detection Challenge (Dolhansky et al. 2020, arXiv:2006.07397)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree, choose

_PARTS = {"train": "train", "validation": "val", "test": "test"}
_LAYOUT = (
    "dfdc_train_part_<n>/ (in the folder itself or in train/), each with *.mp4 and metadata.json, beside validation/ "
    "and test/ with *.mp4 and labels.csv; the option parts=train reads only those that are named"
)


class DFDC:
    """Paid actors; faces, and in some films voices, were swapped.

    ``metadata.json`` of a training part maps a file name to ``label`` ("REAL", "FAKE"), ``split`` and, for forged ones,
    ``original``. ``labels.csv`` of validation and test has ``filename,label``, 1 = forged. The label does not say which
    of the two was swapped: a forged film counts as forged to the eye, as in every published comparison, and of its
    sound nothing is known. (The challenge's page says "either a face or voice swap (or both)": the faces of some may be
    untouched, and which is not published.) Neither are persons and methods; a genuine film and what was made of it
    share ``source_video``.

    Layout: data set page (ai.meta.com/datasets/dfdc; kaggle.com/c/deepfake-detection-challenge/data); repository
    SCLBD/DeepfakeBench, ``preprocessing/rearrange.py``.

    Args:
        root: the folder that holds the parts; some of the fifty are enough.
        parts: ``train``, ``validation``, ``test`` or several, with commas.

    Raises:
        FileNotFoundError: a part, its labels or most of its films are missing.
        ValueError: an unknown part, or labels that cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, parts: str = "train,validation,test"):
        self.root = Path(root)
        chosen = choose("DFDC", "parts", parts, _PARTS)
        held_out = [p for p in chosen if p != "train"]
        folders = []
        if "train" in chosen:
            where = "train/" if (self.root / "train").is_dir() else ""
            found = [p for p in (self.root / where).glob("dfdc_train_part_*") if p.is_dir()]
            folders = [where + p.name for p in sorted(found, key=lambda p: (len(p.name), p.name))]
            folders = folders or [f"{where}dfdc_train_part_0"]
        files = [f"{f}/metadata.json" for f in folders] + [f"{p}/labels.csv" for p in held_out]
        check_tree("DFDC", self.root, _LAYOUT, files=files, folders=folders + held_out)
        self._samples = []
        for folder in folders + held_out:
            samples = list(self._held_out(folder) if folder in held_out else self._train(folder))
            check_files(f"DFDC, {folder}", self.root, (s.path for s in samples))
            self._samples += samples

    def samples(self) -> Iterator[Sample]:
        """Training parts by number, then validation, then test, each in the order of its labels."""
        yield from self._samples

    def _train(self, folder: str) -> Iterator[Sample]:
        file = self.root / folder / "metadata.json"
        for name, item in json.loads(file.read_text(encoding="utf-8")).items():
            label = item.get("label") if isinstance(item, dict) else None
            if label not in ("REAL", "FAKE"):
                raise ValueError(f"{file}: expected label REAL or FAKE for {name}, found {item!r}")
            yield self._sample(folder, name, label == "FAKE", item.get("original") or "", "train")

    def _held_out(self, folder: str) -> Iterator[Sample]:
        file = self.root / folder / "labels.csv"
        with file.open(newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                if not row.get("filename") or row.get("label") not in ("0", "1"):
                    raise ValueError(f"{file}: expected filename,label with label 0 or 1, found {row}")
                yield self._sample(folder, row["filename"], row["label"] == "1", "", _PARTS[folder])

    def _sample(self, folder: str, file: str, forged: bool, original: str, split: str) -> Sample:
        name = f"{folder}/{file}"
        return Sample(
            path=self.root / name,
            name=name,
            source="DFDC",
            visual_fake=forged,
            audio_fake=None if forged else False,
            source_video=original or ("" if forged else file),
            split=split,
            more={"part": folder.rpartition("/")[2]},
        )
