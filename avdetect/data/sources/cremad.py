"""CREMA-D (Cao et al., IEEE Transactions on Affective Computing 5 (4), 2014, doi:10.1109/TAFFC.2014.2336244)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_ACTORS, _NAMES = "VideoDemographics.csv", "SentenceFilenames.csv"
_LAYOUT = f"{_NAMES} and {_ACTORS} beside VideoFlash/*.flv and, if copied, AudioWAV/*.wav"
_POINTER, _POINTER_BYTES = b"version https://git-lfs", 200


class CREMAD:
    """Twelve sentences in six emotions by 91 actors; all genuine.

    ``SentenceFilenames.csv`` names every film: actor, sentence, emotion (ANG, DIS, FEA, HAP, NEU, SAD) and its strength
    (LO, MD, HI, XX = not said), as ``1001_IEO_HAP_LO``. ``VideoDemographics.csv`` has ActorID, Age, Sex, Race and
    Ethnicity. ``more["wav"]`` is the sound in its own file, where that was copied.

    Layout: repository CheyneyComputerScience/CREMA-D, README and the two tables.

    Args:
        root: the cloned repository; its films are stored with git-lfs.

    Raises:
        FileNotFoundError: a table, the folder or most of the films are missing, or git-lfs has not fetched all.
        ValueError: a row of a table cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        check_tree("CREMA-D", self.root, _LAYOUT, files=[_NAMES, _ACTORS], folders=["VideoFlash"])
        self._samples = list(self._read())
        check_files("CREMA-D", self.root, (s.path for s in self._samples))
        if pointers := [s.path for s in self._samples if _is_pointer(s.path)]:
            raise FileNotFoundError(
                f"CREMA-D: {len(pointers)} of {len(self._samples)} files are git-lfs pointers, not films, the first is "
                f"{pointers[0]}; run git lfs pull"
            )

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


def _is_pointer(path: Path) -> bool:
    """Whether git-lfs left its pointer in the place of a film; only files of a pointer's size are opened."""
    if not path.is_file() or path.stat().st_size >= _POINTER_BYTES:
        return False
    return path.read_bytes().startswith(_POINTER)


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        if missing := [c for c in columns if c not in (rows.fieldnames or ())]:
            raise ValueError(f"{file}: lacks column {', '.join(missing)}; found {rows.fieldnames}")
        yield from rows
