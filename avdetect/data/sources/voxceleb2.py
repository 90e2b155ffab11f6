"""VoxCeleb2 (Chung, Nagrani, Zisserman, Interspeech 2018, arXiv:1806.05622)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.apart import check_apart
from avdetect.data.sources.layout import check_files, check_tree, choose

_PARTS = {"dev": "train", "test": "test"}
_META = "vox2_meta.csv"
_COLUMNS = ("VoxCeleb2 ID", "VGGFace2 ID", "Gender", "Set")
_LAYOUT = (
    f"{_META} beside dev/mp4 and test/mp4, each with <person>/<film>/<utterance>.mp4 (and, if copied, dev/txt and "
    "test/txt); the option parts=test reads only those that are named"
)


class VoxCeleb2:
    """Utterances of celebrities cut from YouTube films; all genuine.

    ``vox2_meta.csv`` has VoxCeleb2 ID, VGGFace2 ID, Gender and Set ("dev", "test"), with blanks before the commas. The
    film is its YouTube id. Where the folder ``txt`` was copied it names every utterance, so that one whose film was not
    is yielded too. Nobody is in both parts. The development part has a million files: they are listed anew each time,
    not held.

    Layout: data set page (robots.ox.ac.uk/~vgg/data/voxceleb/vox2.html; mm.kaist.ac.kr/datasets/voxceleb); repository
    facebookresearch/av_hubert, ``avhubert/preparation/README.md``.

    Args:
        root: the folder that holds ``dev`` and ``test``.
        parts: ``dev``, ``test`` or both, with a comma.

    Raises:
        FileNotFoundError: the table, a part, most of its persons or most of its films are missing.
        ValueError: an unknown part, a person in both, or a row of the table that cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, parts: str = "dev,test"):
        self.root = Path(root)
        self._parts = choose("VoxCeleb2", "parts", parts, _PARTS)
        folders = [f"{p}/mp4" for p in self._parts]
        check_tree("VoxCeleb2", self.root, _LAYOUT, files=[_META], folders=folders)
        self._people: dict[str, dict[str, dict[str, str]]] = {p: {} for p in _PARTS}
        for person, row in _people(self.root / _META):
            self._people[row["Set"]][person] = row
        known = [(person, part) for part, people in self._people.items() for person in people]
        lie = [(p.name, f) for f in folders for p in sorted((self.root / f).iterdir()) if p.is_dir()]
        names = {person for person, _ in known}
        told = [*known, *((person, folder.partition("/")[0]) for person, folder in lie if person in names)]
        check_apart("VoxCeleb2", "person", told, promise="the paper")
        for part in self._parts:
            people = self._people[part]
            absent = [p for p in people if not (self.root / part / "mp4" / p).is_dir()]
            if 2 * len(absent) > len(people):
                raise FileNotFoundError(
                    f"VoxCeleb2: {len(absent)} of {len(people)} persons are absent below {self.root / part / 'mp4'}: "
                    f"{', '.join(absent[:3])}{' ...' * (len(absent) > 3)}; was it copied whole?"
                )
            check_files(f"VoxCeleb2, {part}", self.root, (s.path for s in self._read(part)))

    def samples(self) -> Iterator[Sample]:
        """Part by part, by person, film and utterance."""
        for part in self._parts:
            yield from self._read(part)

    def _read(self, part: str) -> Iterator[Sample]:
        for person, row in sorted(self._people[part].items()):
            folders = {"mp4": ".mp4", "txt": ".txt"}
            utterances = {
                f"{p.parent.name}/{p.stem}"
                for folder, ending in folders.items()
                for p in (self.root / part / folder / person).glob(f"*/*{ending}")
            }
            for utterance in sorted(utterances):
                name = f"{part}/mp4/{person}/{utterance}.mp4"
                yield Sample(
                    path=self.root / name,
                    name=name,
                    source="VoxCeleb2",
                    visual_fake=False,
                    audio_fake=False,
                    identity=person,
                    source_video=utterance.partition("/")[0],
                    split=_PARTS[part],
                    more={"part": part, "gender": row["Gender"], "vggface2": row["VGGFace2 ID"]},
                )


def _people(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        for number, cells in enumerate(csv.reader(lines), 1):
            cells = [c.strip() for c in cells]
            if not any(cells) or cells[0] == _COLUMNS[0]:
                continue
            row: dict[str, str] = dict(zip(_COLUMNS, cells, strict=False))
            if row.get("Set") not in _PARTS:
                raise ValueError(
                    f"{file}, line {number}: expected {', '.join(_COLUMNS)}, Set dev or test; found {cells}"
                )
            yield cells[0], row
