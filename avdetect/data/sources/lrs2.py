"""LRS2-BBC (Afouras et al., "Deep audio-visual speech recognition", TPAMI 2018, arXiv:1809.02108)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_LISTS = {"pretrain": ("pretrain",), "main": ("train", "val", "test")}
_LAYOUT = (
    "train.txt, val.txt, test.txt and pretrain.txt (in the folder itself or in filelists/) beside mvlrs_v1/main and "
    "mvlrs_v1/pretrain, each with <programme>/<clip>.mp4; the option parts=main reads only main"
)


class LRS2:
    """Sentences from BBC television; all genuine. Persons are not published; the programme is the ``source_video``.

    Each line of a list is ``<programme>/<clip>``, in ``test.txt`` followed by a mark ("NF"), which goes into
    ``more["mark"]``. Programmes recur between ``pretrain`` and ``main``.

    Layout: data set page (robots.ox.ac.uk/~vgg/data/lip_reading/lrs2.html); repository Rudrabha/Wav2Lip, README
    ("LRS2 dataset folder structure").

    Args:
        root: the folder that holds ``mvlrs_v1``.
        parts: ``pretrain,main`` or one of the two.

    Raises:
        FileNotFoundError: a list, a folder or most of the clips are missing.
        ValueError: an unknown part.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, parts: str = "pretrain,main"):
        self.root = Path(root)
        chosen = [p.strip() for p in parts.split(",")]
        if unknown := [p for p in chosen if p not in _LISTS]:
            raise ValueError(f"LRS2: unknown part {unknown[0]!r}; there are {', '.join(_LISTS)}")
        where = "filelists/" if (self.root / "filelists").is_dir() else ""
        lists = {f"{where}{name}.txt": (part, name) for part in chosen for name in _LISTS[part]}
        check_tree("LRS2", self.root, _LAYOUT, files=list(lists), folders=[f"mvlrs_v1/{p}" for p in chosen])
        self._samples = [s for file, (part, name) in lists.items() for s in self._read(self.root / file, part, name)]
        check_files("LRS2", self.root, (s.path for s in self._samples))

    def samples(self) -> Iterator[Sample]:
        """Clips in the order of the lists."""
        yield from self._samples

    def _read(self, file: Path, part: str, name: str) -> Iterator[Sample]:
        for line in file.read_text(encoding="utf-8").split("\n"):
            if not line.strip():
                continue
            clip, *mark = line.split()
            clip = clip.removesuffix(".mp4")
            path = self.root / "mvlrs_v1" / part / f"{clip}.mp4"
            yield Sample(
                path=path,
                name=path.relative_to(self.root).as_posix(),
                source="LRS2",
                visual_fake=False,
                audio_fake=False,
                source_video=clip.split("/")[0],
                split="train" if name == "pretrain" else name,
                more={"part": name, "language": "en"} | ({"mark": " ".join(mark)} if mark else {}),
            )
