"""CREMA-D (Cao et al., IEEE Transactions on Affective Computing 5 (4), 2014, doi:10.1109/TAFFC.2014.2336244)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_ACTORS, _NAMES = "VideoDemographics.csv", "SentenceFilenames.csv"
_LAYOUT = f"{_NAMES} and {_ACTORS} beside VideoFlash/*.flv and, if copied, AudioWAV/*.wav"
_POINTER = b"version https://git-lfs"


class CREMAD:
    """Twelve sentences in six emotions by 91 actors; all genuine.

    ``SentenceFilenames.csv`` names every film: actor, sentence, emotion (ANG, DIS, FEA, HAP, NEU, SAD) and its strength
    (LO, MD, HI, XX = not said), as ``1001_IEO_HAP_LO``. ``VideoDemographics.csv`` has ActorID, Age, Sex, Race and
    Ethnicity. ``more["wav"]`` is the sound in its own file, where that was copied.

    Layout: repository CheyneyComputerScience/CREMA-D, README and the two tables.

    Args:
        root: the cloned repository; its films are stored with git-lfs.

    Raises:
        FileNotFoundError: a table, the folder or most of the films are missing, or git-lfs has not fetched them.
        ValueError: a row of a table cannot be understood.
    """

    def __init__(self, root: Path, /):
        self.root = Path(root)
        check_tree("CREMA-D", self.root, _LAYOUT, files=[_NAMES, _ACTORS], folders=["VideoFlash"])
        self._samples = list(self._read())
        check_files("CREMA-D", self.root, (s.path for s in self._samples))
        first = next(s.path for s in self._samples if s.path.is_file())
        with first.open("rb") as file:
            if file.read(len(_POINTER)) == _POINTER:
                raise FileNotFoundError(f"CREMA-D: {first} is a git-lfs pointer, not a film; run git lfs pull")

    def samples(self) -> Iterator[Sample]:
        """Films in the order of ``SentenceFilenames.csv``."""
        yield from self._samples

    def _read(self) -> Iterator[Sample]:
        actors = {row["ActorID"]: row for row in _rows(self.root / _ACTORS, ("ActorID", "Age", "Sex", "Race"))}
        for row in _rows(self.root / _NAMES, ("Filename",)):
            stem = row["Filename"]
            actor, *code = stem.split("_")
            if len(code) != 3 or actor not in actors:
                raise ValueError(
                    f"{self.root / _NAMES}: expected <actor>_<sentence>_<emotion>_<strength>, the actor one of "
                    f"{_ACTORS}; found {stem!r}"
                )
            person = actors[actor]
            wav = f"AudioWAV/{stem}.wav"
            yield Sample(
                path=self.root / f"VideoFlash/{stem}.flv",
                name=f"VideoFlash/{stem}.flv",
                source="CREMA-D",
                visual_fake=False,
                audio_fake=False,
                identity=actor,
                source_video=stem,
                more={
                    **dict(zip(("sentence", "emotion", "strength"), code, strict=True)),
                    **{k.lower(): person[k] for k in ("Age", "Sex", "Race", "Ethnicity") if person.get(k)},
                    "language": "en",
                    **({"wav": wav} if (self.root / wav).is_file() else {}),
                },
            )


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        if missing := [c for c in columns if c not in (rows.fieldnames or ())]:
            raise ValueError(f"{file}: lacks column {', '.join(missing)}; found {rows.fieldnames}")
        yield from rows
