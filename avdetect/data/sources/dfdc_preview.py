"""Preview of the Deepfake Detection Challenge (Dolhansky et al. 2019, arXiv:1910.08854)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_FOLDERS = ("original_videos", "method_A", "method_B")
_LAYOUT = "dataset.json beside original_videos/, method_A/ and method_B/, each with <person>/.../*.mp4"


class DFDCPreview:
    """Five thousand films of paid actors, their faces swapped by two methods that are not named.

    ``dataset.json`` maps a path such as ``method_B/1260311/1260311_C/1255229_1260311_C_001.mp4`` to ``label`` ("real",
    "fake"), ``set`` ("train", "test"), ``target_id``, ``swapped_id`` (null for genuine ones) and ``augmentations``. The
    person is ``target_id``; the recording is the number and letter in the path ("1260311_C"), which genuine films
    (``original_videos/1260311/1260311_C_001.mp4``) and forged ones share. Of the sound of forged films the set says
    nothing.

    Layout: data set page (ai.meta.com/datasets/dfdc); repository SCLBD/DeepfakeBench, ``preprocessing/rearrange.py``.

    Args:
        root: the unpacked folder ``dfdc_preview_set``.

    Raises:
        FileNotFoundError: the label file, a folder or most of the films of one are missing.
        ValueError: an entry of the label file cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        check_tree("DFDC preview", self.root, _LAYOUT, files=["dataset.json"], folders=_FOLDERS)
        labels = json.loads((self.root / "dataset.json").read_text(encoding="utf-8"))
        self._samples = [self._sample(name, item) for name, item in labels.items()]
        if not self._samples:
            check_files("DFDC preview", self.root, [])
        # By folder: a method of which nothing was copied would not be noticed among the others.
        for folder in sorted({PurePosixPath(s.name).parts[0] for s in self._samples}):
            films = (s.path for s in self._samples if s.name.startswith(f"{folder}/"))
            check_files(f"DFDC preview, {folder}", self.root, films)

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of the label file."""
        yield from self._samples

    def _sample(self, name: str, item: dict[str, Any]) -> Sample:
        try:
            forged = {"real": False, "fake": True}[item["label"]]
            split = {"train": "train", "test": "test"}[item["set"]]
            target, swapped, changes = item["target_id"], item["swapped_id"], item["augmentations"]
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{self.root / 'dataset.json'}, {name}: {type(error).__name__} {error}; expected label (real, fake), "
                f"set (train, test), target_id, swapped_id and augmentations, found {item}"
            ) from None
        path = PurePosixPath(name)
        more = {"donor": str(swapped or ""), "augmentations": " ".join(map(str, changes))}
        return Sample(
            path=self.root / name,
            name=name,
            source="DFDC-preview",
            visual_fake=forged,
            audio_fake=None if forged else False,
            method=path.parts[0] if forged else "",
            identity=str(target),
            source_video=path.parent.name if forged else path.stem.rpartition("_")[0],
            split=split,
            more={k: v for k, v in more.items() if v},
        )
