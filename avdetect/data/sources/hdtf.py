"""HDTF, high-definition talking faces (Zhang et al., CVPR 2021, "Flow-guided one-shot talking face generation")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_SUBSETS = ("RD", "WDA", "WRA")
_LISTS = "HDTF_dataset"
_UNCUT = "_videos_raw"
_LAYOUT = (
    f"{_LISTS}/<subset>_video_url.txt and <subset>_annotion_time.txt for subset RD, WDA and WRA, and the clips that "
    "were cut by them anywhere below it: <video>_<clip>.mp4, or <subset>_<video>_<clip>.mp4 as download.py writes them"
)


class HDTF:
    """Speakers from YouTube in high definition; all genuine. The set is lists; films are downloaded and cut by them.

    A line of ``annotion_time`` is ``<video>.mp4 <start>-<end> ...``, minutes and seconds, clips numbered from 0. Clips
    are found by name: ``Radio11_0.mp4`` as the authors advise, or ``RD_Radio11_000.mp4`` as their ``download.py`` names
    them. That script leaves the sound out, so that of such clips ``audio_fake`` is not known. The source film is its
    YouTube id. Videos of WDA and WRA are named after the speaker with a number behind ("AmyKlobuchar1"), who is the
    person; those of RD are numbered and each stands for a person of its own.

    Layout: repository MRzzm/HDTF, README, ``HDTF_dataset`` and ``download.py``.

    Args:
        root: the folder that holds ``HDTF_dataset`` and the clips.

    Raises:
        FileNotFoundError: a list or most of the clips of a subset are missing.
        ValueError: a line of a list cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        files = [f"{_LISTS}/{s}_{kind}.txt" for s in _SUBSETS for kind in ("video_url", "annotion_time")]
        check_tree("HDTF", self.root, _LAYOUT, files=files, folders=[])
        self._clips = {p.name: p for p in sorted(self.root.rglob("*.mp4")) if _UNCUT not in p.parts}
        self._folder = next((p.parent for p in self._clips.values()), self.root)
        self._samples = []
        for subset in _SUBSETS:
            samples = list(self._read(subset))
            check_files(f"HDTF, {subset}", self.root, (s.path for s in samples))
            self._samples += samples

    def samples(self) -> Iterator[Sample]:
        """Clips in the order of the lists: RD, WDA, WRA."""
        yield from self._samples

    def _read(self, subset: str) -> Iterator[Sample]:
        films = {cells[0].removesuffix(".mp4"): cells[1:] for _, cells in _lines(self._list(subset, "video_url"))}
        times = self._list(subset, "annotion_time")
        for number, (file, *spans) in _lines(times):
            if not file.endswith(".mp4") or not all("-" in s for s in spans):
                raise ValueError(
                    f"{times}, line {number}: expected <video>.mp4 <start>-<end> ..., found {file} {spans}"
                )
            video = file.removesuffix(".mp4")
            film = parse_qs(urlparse(" ".join(films.get(video, ()))).query).get("v", [video])[0]
            for clip, span in enumerate(spans):
                cut = self._clips.get(f"{video}_{clip}.mp4")
                silent = None if cut else self._clips.get(f"{subset}_{video}_{clip:03d}.mp4")
                path = cut or silent or self._folder / f"{video}_{clip}.mp4"
                yield Sample(
                    path=path,
                    name=path.relative_to(self.root).as_posix(),
                    source="HDTF",
                    visual_fake=False,
                    audio_fake=None if silent else False,
                    identity=video if subset == "RD" else video.rstrip("0123456789"),
                    source_video=film,
                    more={"subset": subset, "time": span},
                )

    def _list(self, subset: str, kind: str) -> Path:
        return self.root / _LISTS / f"{subset}_{kind}.txt"


def _lines(file: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
        if line.strip():
            yield number, line.split()
