"""LAV-DF (Cai et al., DICTA 2022, arXiv:2204.06228; CVIU 2023, arXiv:2305.01979)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from avdetect.data.sample import Sample
from avdetect.data.sources.json_list import json_objects
from avdetect.data.sources.layout import check_files, check_tree
from avdetect.types import Segment, SegmentKind

_SPLITS = {"train": "train", "dev": "val", "test": "test"}
_LAYOUT = "metadata.json or metadata.min.json beside train/, dev/ and test/ with *.mp4"


class LAVDF:
    """Speeches of VoxCeleb2 in which single words were replaced: voice (SV2TTS), lips (Wav2Lip) or both.

    ``metadata.json`` is a list of objects: ``file`` ("train/000001.mp4"), ``n_fakes``, ``fake_periods`` (seconds),
    ``modify_video``, ``modify_audio``, ``original`` (the genuine file, null for genuine ones), ``split``, ``duration``
    and in the long version ``timestamps`` and ``transcript``; ``metadata.min.json`` is the same without those two. The
    period is forged in each modality that was modified. Persons are not published: a genuine file and what was made of
    it share ``source_video``.

    Layout: repository ControlNet/LAV-DF, ``dataset/lavdf.py`` and README.

    Args:
        root: the unpacked folder.

    Raises:
        FileNotFoundError: the label file, a folder or most of the files are missing.
        ValueError: an object of the label file cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        label_files = ("metadata.json", "metadata.min.json")
        self.labels = next((p for name in label_files if (p := self.root / name).is_file()), self.root / label_files[0])
        check_tree("LAV-DF", self.root, _LAYOUT, files=[self.labels.name], folders=list(_SPLITS))
        check_files("LAV-DF", self.root, (s.path for s in self.samples()))

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of the label file, which is read again each time."""
        for number, item in json_objects(self.labels):
            yield self._sample(number, item)

    def _sample(self, number: int, item: dict[str, Any]) -> Sample:
        try:
            name, periods = item["file"], item["fake_periods"]
            kinds: dict[SegmentKind, bool] = {"visual": item["modify_video"], "audio": item["modify_audio"]}
            original = item["original"] or name
            split = _SPLITS[item["split"]]
            segments = tuple(
                Segment(float(a), float(b), kind) for a, b in periods for kind, forged in kinds.items() if forged
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.labels}, object {number}: {type(error).__name__} {error}; expected file, fake_periods, "
                f"modify_video, modify_audio, original and split (one of {', '.join(_SPLITS)}), found {item}"
            ) from None
        if "/" not in original:
            original = str(PurePosixPath(name).parent / original)
        return Sample(
            path=self.root / name,
            name=name,
            source="LAV-DF",
            visual_fake=kinds["visual"],
            audio_fake=kinds["audio"],
            method="+".join(m for m, forged in (("wav2lip", kinds["visual"]), ("sv2tts", kinds["audio"])) if forged),
            segments=segments,
            source_video=original,
            split=split,
        )
