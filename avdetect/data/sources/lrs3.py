"""LRS3-TED (Afouras, Chung, Zisserman 2018, arXiv:1809.00496)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.apart import check_apart
from avdetect.data.sources.layout import check_files, check_tree

_PARTS = {"pretrain": "train", "trainval": "train", "test": "test"}
_LAYOUT = "pretrain/, trainval/ and test/, each with <talk>/<clip>.mp4 and its transcript <clip>.txt"


class LRS3:
    """Clips of TED and TEDx talks, one speaker each; all genuine.

    The folder is the talk (its YouTube id), which stands for the person. Transcripts name the clips, so that a clip
    whose film was not copied is yielded too. ``pretrain`` and ``trainval`` share talks, ``test`` has none of theirs.

    Layout: data set page (robots.ox.ac.uk/~vgg/data/lip_reading/lrs3.html); repository facebookresearch/av_hubert,
    ``avhubert/preparation/README.md`` and ``lrs3_prepare.py``.

    Args:
        root: the folder with the three parts.
        parts: which of them to read, with commas.

    Raises:
        FileNotFoundError: a part or most of its films are missing.
        ValueError: an unknown part, or a talk of test in another part.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, parts: str = "pretrain,trainval,test"):
        self.root = Path(root)
        chosen = [p.strip() for p in parts.split(",")]
        if unknown := [p for p in chosen if p not in _PARTS]:
            raise ValueError(f"LRS3: unknown part {unknown[0]!r}; there are {', '.join(_PARTS)}")
        check_tree("LRS3", self.root, _LAYOUT, files=[], folders=chosen)
        self._samples = [s for part in chosen for s in self._read(part)]
        check_files("LRS3", self.root, (s.path for s in self._samples))
        sides = ((s.identity, "test" if s.split == "test" else "pretrain or trainval") for s in self._samples)
        check_apart("LRS3", "talk", sides, promise="the paper")

    def samples(self) -> Iterator[Sample]:
        """Clips part by part, by talk and number."""
        yield from self._samples

    def _read(self, part: str) -> Iterator[Sample]:
        clips = {p.with_suffix(".mp4") for p in (self.root / part).glob("*/*") if p.suffix in (".mp4", ".txt")}
        for path in sorted(clips):
            talk = path.parent.name
            yield Sample(
                path=path,
                name=path.relative_to(self.root).as_posix(),
                source="LRS3",
                visual_fake=False,
                audio_fake=False,
                identity=talk,
                source_video=talk,
                split=_PARTS[part],
                more={"part": part, "language": "en"},
            )
