"""AVLips v1.0 (Liu et al., "Lips Are Lying", NeurIPS 2024, arXiv:2401.15668)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_FOLDERS = {"0_real": False, "1_fake": True}
_LAYOUT = "0_real/*.mp4 and 1_fake/*.mp4 beside wav/0_real/*.wav and wav/1_fake/*.wav"


class AVLips:
    """Lips driven by genuine speech with MakeItTalk, Wav2Lip, TalkLip or SadTalker, and genuine films.

    The folder is the label; which generator made a file is not published, nor are persons, source films or splits.
    ``more["wav"]`` is the denoised sound in its own file, which may stand without its film in a half-copied tree: such
    a film is yielded too. The voice is genuine in both classes.

    Layout: repository AaronComo/LipFD, README ("Dataset Preprocess") and ``preprocess.py``.

    Args:
        root: the unpacked folder ``AVLips``.

    Raises:
        FileNotFoundError: a folder or most of the films are missing.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        check_tree("AVLips", self.root, _LAYOUT, files=[], folders=[*_FOLDERS, *(f"wav/{f}" for f in _FOLDERS)])
        self._samples = list(self._read())
        check_files("AVLips", self.root, (s.path for s in self._samples))

    def samples(self) -> Iterator[Sample]:
        """Genuine films first, each class in the order of its numbers."""
        yield from self._samples

    def _read(self) -> Iterator[Sample]:
        for folder, fake in _FOLDERS.items():
            films = {p.stem for p in (self.root / folder).glob("*.mp4")}
            sounds = {p.stem for p in (self.root / "wav" / folder).glob("*.wav")}
            for stem in sorted(films | sounds, key=lambda s: (len(s), s)):
                name = f"{folder}/{stem}.mp4"
                yield Sample(
                    path=self.root / name,
                    name=name,
                    source="AVLips",
                    visual_fake=fake,
                    audio_fake=False,
                    method="lip-sync" if fake else "",
                    more={"wav": f"wav/{folder}/{stem}.wav"} if stem in sounds else {},
                )
