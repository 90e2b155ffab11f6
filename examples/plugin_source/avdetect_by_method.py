"""A reader of films that are sorted into a folder for each method of forgery, as they leave a row of generators."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from avdetect.api import Sample

CHANGES = {"picture": (True, False), "sound": (False, True), "both": (True, True)}
LAYOUT = """
    methods.csv               method,changes     with changes one of picture, sound, both
    genuine/<person>_<take>.mp4
    <method>/<person>_<take>.mp4                 made from the genuine film of that name
"""


class ByMethod:
    """Genuine films and what several methods made of them.

    Raises:
        FileNotFoundError: ``methods.csv`` or a folder is missing, or a folder has no films.
        ValueError: ``methods.csv`` is another table, or a film is not named after person and take.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        table = self.root / "methods.csv"
        if not table.is_file():
            raise FileNotFoundError(f"{table} is missing; the layout is:{LAYOUT}")
        with table.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if not {"method", "changes"} <= set(rows.fieldnames or ()):
                raise ValueError(f"{table} has the columns {rows.fieldnames}; the layout is:{LAYOUT}")
            methods = {row["method"]: row["changes"] for row in rows}
        if wrong := [m for m, changes in methods.items() if changes not in CHANGES]:
            raise ValueError(f"{table}: changes of {wrong[0]!r} is none of {', '.join(CHANGES)}")
        self._samples = list(self._folder("genuine", False, False))
        for method, changes in sorted(methods.items()):
            self._samples += self._folder(method, *CHANGES[changes])

    def samples(self) -> Iterator[Sample]:
        """Genuine films, then those of each method, by name."""
        yield from self._samples

    def _folder(self, folder: str, visual_fake: bool, audio_fake: bool) -> Iterator[Sample]:
        films = sorted((self.root / folder).glob("*.mp4"))  # the order of folders differs between machines
        if not films:
            raise FileNotFoundError(f"{self.root / folder} has no films; was it copied whole? The layout is:{LAYOUT}")
        for path in films:
            person, _, take = path.stem.partition("_")
            if not take:
                raise ValueError(f"{path} is not named <person>_<take>.mp4")
            yield Sample(
                path=path,
                name=f"{folder}/{path.name}",
                source="by method",
                visual_fake=visual_fake,
                audio_fake=audio_fake,
                method="" if folder == "genuine" else folder,
                identity=person,  # all films of a person are on one side of the split,
                source_video=f"genuine/{path.name}",  # and a forged one beside what it was made from
            )
