"""FakeAVCeleb v1.2 (Khalid et al., NeurIPS 2021 data sets track, arXiv:2108.05080)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_TYPES = {
    "RealVideo-RealAudio": (False, False),
    "FakeVideo-RealAudio": (True, False),
    "RealVideo-FakeAudio": (False, True),
    "FakeVideo-FakeAudio": (True, True),
}
_COLUMNS = ("source", "target1", "target2", "method", "category", "type", "race", "gender", "filename", "folder")
_LAYOUT = (
    "meta_data.csv beside RealVideo-RealAudio/, FakeVideo-RealAudio/, RealVideo-FakeAudio/ and FakeVideo-FakeAudio/, "
    "each with <race>/<gender>/<id>/*.mp4"
)


class FakeAVCeleb:
    """Celebrities of VoxCeleb2 with forged faces (FSGAN, Faceswap, Wav2Lip) and voices (SV2TTS, "rtvc").

    ``meta_data.csv`` has ten cells a row under a header of nine names and a comma: the ninth, "path", is the file name
    and the last, nameless, is the folder, spelt ``FakeAVCeleb/<type>/<race>/<gender>/<id>``. About twenty files are
    listed twice with different methods; they are yielded once with the first, the others in ``more["other_methods"]``.
    The identity is the person on whose recording the file is built (``source``); every file name of the release begins
    with the number of that recording. There is no official split.

    Layout: the release's own table and folders; repository DASH-Lab/FakeAVCeleb and its data set page
    (sites.google.com/view/fakeavcelebdash-lab).

    Args:
        root: the unpacked folder (``FakeAVCeleb_v1.2``).

    Raises:
        FileNotFoundError: the table, a folder or most of the files are missing.
        ValueError: a row of the table cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        check_tree("FakeAVCeleb", self.root, _LAYOUT, files=["meta_data.csv"], folders=list(_TYPES))
        self._samples = list(self._read())
        check_files("FakeAVCeleb", self.root, (s.path for s in self._samples))

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of ``meta_data.csv``."""
        yield from self._samples

    def _read(self) -> Iterator[Sample]:
        rows: dict[str, dict[str, str]] = {}
        methods: dict[str, list[str]] = {}
        table = self.root / "meta_data.csv"
        with table.open(newline="", encoding="utf-8-sig") as file:
            for number, cells in enumerate(csv.reader(file), 1):
                if number == 1 or not any(cells):
                    continue
                row: dict[str, str] = dict(zip(_COLUMNS, (c.strip() for c in cells), strict=False))
                if len(row) < len(_COLUMNS) or row["type"] not in _TYPES:
                    raise ValueError(f"{table}, line {number}: expected {', '.join(_COLUMNS)}; found {cells}")
                name = str(PurePosixPath(row["folder"].removeprefix("FakeAVCeleb/")) / row["filename"])
                rows.setdefault(name, row)
                if row["method"] not in methods.setdefault(name, []):
                    methods[name].append(row["method"])
        for name, row in rows.items():
            visual, audio = _TYPES[row["type"]]
            first, *others = methods[name]
            recording = row["filename"].removesuffix(".mp4").split("_")[0]
            more = {k: row[k] for k in ("target1", "target2", "race", "gender") if row[k] not in ("", "-")}
            if others:
                more["other_methods"] = " ".join(others)
            yield Sample(
                path=self.root / name,
                name=name,
                source="FakeAVCeleb",
                visual_fake=visual,
                audio_fake=audio,
                method="" if first == "real" else first,
                identity=row["source"],
                source_video=f"{row['source']}/{recording}",
                more=more,
            )
