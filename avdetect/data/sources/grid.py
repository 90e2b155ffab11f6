"""GRID (Cooke, Barker, Cunningham, Shao, JASA 120 (5), 2006, doi:10.1121/1.2229005)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree, choose

_NO_FILMS = 21
"""The speaker of whom only sound was published."""
_SPEAKERS = [f"s{n}" for n in range(1, 35) if n != _NO_FILMS]
_SENTENCE = re.compile(r"[bpls][bgrw][abiw][a-z][1-9zns][anps]")
_LAYOUT = (
    "a folder for each speaker s1 ... s34 (but s21) with *.mpg, video/*.mpg or video/mpg_6000/*.mpg, beside "
    "alignments/<speaker>/*.align (or align/ in each speaker's folder); the option speakers=s1,s2 reads only those"
)


class GRID:
    """Sentences of six words by 34 speakers, filmed from the front; all genuine.

    Names are the sentence: ``bbaf2n`` is "bin blue at F two now". Word alignments name every sentence, so that one
    whose film was not copied is yielded too; a film in both sizes is read in the larger (``mpg_6000``).

    Layout: data set page (spandh.dcs.shef.ac.uk/gridcorpus; zenodo.org/records/3625687).

    Args:
        root: the folder with the speakers' folders.
        speakers: whom to read, with commas; all of them where empty.

    Raises:
        FileNotFoundError: a speaker, the alignments or most of the films are missing.
        ValueError: an unknown speaker.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, speakers: str = ""):
        self.root = Path(root)
        chosen = choose("GRID", "speakers", speakers, _SPEAKERS) if speakers else _SPEAKERS
        check_tree("GRID", self.root, _LAYOUT, files=[], folders=chosen)
        aligned = {s: self._alignments(s) for s in chosen}
        if missing := [s for s in chosen if not aligned[s]]:
            raise FileNotFoundError(
                f"GRID: {self.root} lacks alignments/{missing[0]}/*.align ({len(missing)} of {len(chosen)} speakers); "
                f"expected {_LAYOUT}"
            )
        self._samples = []
        for speaker in chosen:
            samples = list(self._read(speaker, aligned[speaker]))
            check_files(f"GRID, {speaker}", self.root, (s.path for s in samples))
            self._samples += samples

    def samples(self) -> Iterator[Sample]:
        """Speakers by number, sentences by name."""
        yield from self._samples

    def _alignments(self, speaker: str) -> dict[str, Path]:
        folders = (f"alignments/{speaker}", f"align/{speaker}", f"{speaker}/align")
        return {p.stem: p for f in folders for p in sorted((self.root / f).glob("*.align"))}

    def _read(self, speaker: str, aligned: dict[str, Path]) -> Iterator[Sample]:
        found = sorted((self.root / speaker).rglob("*.mpg"), key=lambda p: ("mpg_6000" in p.parts, p))
        films = {p.stem: p for p in found}
        for stem in sorted(films.keys() | aligned.keys()):
            path = films.get(stem) or (found[0].parent if found else self.root / speaker) / f"{stem}.mpg"
            more = {"language": "en", "sentence": stem if _SENTENCE.fullmatch(stem) else ""}
            more["align"] = aligned[stem].relative_to(self.root).as_posix() if stem in aligned else ""
            yield Sample(
                path=path,
                name=path.relative_to(self.root).as_posix(),
                source="GRID",
                visual_fake=False,
                audio_fake=False,
                identity=speaker,
                source_video=f"{speaker}/{stem}",
                more={k: v for k, v in more.items() if v},
            )
