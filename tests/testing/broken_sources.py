"""Readers of data sets, each broken in one way; and a sound one that no check may complain of."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree
from avdetect.types import Segment
from tests.data.sources.planted import plant

TAKES = ("true", "true", "dubbed", "swapped")


def tree(root: Path) -> None:
    """Two parts, each of two actors with four takes; a table says what they are."""
    rows = [
        (part, f"{actor}_{i}", kind)
        for part, actors in (("early", "ab"), ("late", "cd"))
        for actor in actors
        for i, kind in enumerate(TAKES)
    ]
    text = "".join(f"{part},{take},{kind}\n" for part, take, kind in rows)
    films = [f"{part}/{take}.mp4" for part, take, _ in rows]
    plant(root, *films, texts={"labels.csv": f"part,take,kind\n{text}"})


class Studio:
    """Nothing is wrong with it."""

    api_version: Any = 1

    def __init__(self, root: Path, /, *, parts: str = "early,late"):
        self.root = Path(root)
        self.parts = parts.split(",")
        self.check()

    def check(self) -> None:
        """Of the tree."""
        check_tree("Studio", self.root, "labels.csv beside early/ and late/", files=["labels.csv"], folders=self.parts)
        check_files("Studio", self.root, (s.path for s in self.read()))

    def samples(self) -> Iterator[Any]:
        """In the order of the table."""
        yield from (self.changed(sample) for sample in self.read())

    def changed(self, sample: Sample) -> Any:
        """What is broken in others."""
        return sample

    def read(self) -> Iterator[Sample]:
        """All of them."""
        with (self.root / "labels.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                name = f"{row['part']}/{row['take']}.mp4"
                swapped, dubbed = row["kind"] == "swapped", row["kind"] == "dubbed"
                yield Sample(
                    path=self.root / name,
                    name=name,
                    source="Studio",
                    visual_fake=swapped,
                    audio_fake=dubbed,
                    method="" if row["kind"] == "true" else row["kind"],
                    segments=(Segment(0.5, 1.0, "visual"),) if swapped else (),
                    identity=row["take"][0],
                    split="train" if row["part"] == "early" else "test",
                )


class OfAnotherVersion(Studio):
    api_version = 2


class OfNoVersion(Studio):
    api_version = None


class NeedsAPart(Studio):
    """An option without a default."""

    def __init__(self, root: Path, /, *, parts: str):
        super().__init__(root, parts=parts)


class TakesAList(Studio):
    """An option that is no text."""

    def __init__(self, root: Path, /, *, parts: tuple[str, ...] = ("early", "late")):
        super().__init__(root, parts=",".join(parts))


def studio(root: Path) -> Studio:
    """A function is no class of readers."""
    return Studio(root)


studio.api_version = 1  # type: ignore[attr-defined]


class Nameless(Studio):
    def changed(self, sample: Sample) -> Any:
        return replace(sample, source="")


class WithPathsAsText(Studio):
    def changed(self, sample: Sample) -> Any:
        return replace(sample, path=str(sample.path))


class OfAnUnknownSplit(Studio):
    def changed(self, sample: Sample) -> Any:
        return replace(sample, split="validation")


class WithNumbers(Studio):
    def changed(self, sample: Sample) -> Any:
        return replace(sample, more={"take": 3})


class Tuples(Studio):
    def changed(self, sample: Sample) -> Any:
        return sample.path, sample.label


class Empty(Studio):
    def samples(self) -> Iterator[Any]:
        yield from ()


class TwiceNamed(Studio):
    """Names without the folder, which is not what files are called."""

    def changed(self, sample: Sample) -> Any:
        return replace(sample, name=sample.name.replace("_1", "_0"))


class WithBackslashes(Studio):
    def changed(self, sample: Sample) -> Any:
        return replace(sample, name=sample.name.replace("/", "\\"))


class Listed(Studio):
    """Yields one film twice."""

    def samples(self) -> Iterator[Any]:
        found = list(self.read())
        yield from [*found, found[0]]


class WithWords(Studio):
    def changed(self, sample: Sample) -> Any:
        return replace(sample, visual_fake="yes" if sample.visual_fake else "no")


class ForgedWithoutLabel(Studio):
    """A genuine film has a method."""

    def changed(self, sample: Sample) -> Any:
        return replace(sample, method=sample.method or "camera")


class ForgedElsewhere(Studio):
    """A forged stretch of the sound, which the label calls genuine."""

    def changed(self, sample: Sample) -> Any:
        return replace(sample, segments=tuple(replace(s, kind="audio") for s in sample.segments))


class InFrames(Studio):
    """A stretch from its end to its start."""

    def changed(self, sample: Sample) -> Any:
        return replace(sample, segments=tuple(Segment(s.end_s, s.start_s, s.kind) for s in sample.segments))


class OfAnotherEnding(Studio):
    """The table has other names than the files."""

    def changed(self, sample: Sample) -> Any:
        name = sample.name.replace(".mp4", ".avi")
        return replace(sample, name=name, path=self.root / name)


class AsListed(Studio):
    """In the order in which the file system lists them."""

    def samples(self) -> Iterator[Any]:
        known = {s.path: s for s in self.read()}
        yield from (known[p] for part in self.parts for p in (self.root / part).iterdir() if p in known)


class Shuffled(Studio):
    def samples(self) -> Iterator[Any]:
        found = list(self.read())
        random.shuffle(found)
        yield from found


class Once(Studio):
    """Can be gone through once only."""

    def samples(self) -> Iterator[Any]:
        self.left = self.__dict__.get("left", iter(list(self.read())))
        return self.left


class Careless(Studio):
    """Lets opening the table fail."""

    def check(self) -> None:
        if not self.root.is_dir():
            raise RuntimeError("no such folder")
        if (self.root / "labels.csv").is_file():
            super().check()


class OfNoPlace(Studio):
    """Does not say where it looked."""

    def check(self) -> None:
        if not (self.root / "labels.csv").is_file():
            raise FileNotFoundError("Studio: labels.csv is missing")
        super().check()


class Trusting(Studio):
    """Does not look whether the films are there."""

    def check(self) -> None:
        check_tree("Studio", self.root, "labels.csv beside early/ and late/", files=["labels.csv"], folders=self.parts)


class OfWhatIsThere(Studio):
    """Passes over folders that are not there."""

    def check(self) -> None:
        check_tree("Studio", self.root, "labels.csv beside early/ and late/", files=["labels.csv"], folders=[])
        here = [s for s in self.read() if s.path.parent.is_dir()]
        check_files("Studio", self.root, (s.path for s in here))

    def samples(self) -> Iterator[Any]:
        yield from (s for s in self.read() if s.path.parent.is_dir())


class TableOptional(Studio):
    """Gives nothing where there is no table, without a word."""

    def check(self) -> None:
        folders = [] if (self.root / "early").is_dir() else self.parts
        check_tree("Studio", self.root, "labels.csv beside early/ and late/", files=[], folders=folders)
        if (self.root / "labels.csv").is_file():
            super().check()

    def read(self) -> Iterator[Sample]:
        return super().read() if (self.root / "labels.csv").is_file() else iter(())


class Pedantic(Studio):
    """Refuses a tree of which one film is absent."""

    def check(self) -> None:
        super().check()
        for sample in self.read():
            if not sample.path.is_file():
                raise FileNotFoundError(f"Studio: {sample.path} is absent")


class Renumbering(Studio):
    """Names films by their number."""

    def samples(self) -> Iterator[Any]:
        there = [s for s in self.read() if s.path.is_file()]
        kept = [s for s in there if len(there) == 16 or s.split == "train"]
        yield from kept


BROKEN: dict[str, list[Any]] = {
    "api_version": [OfAnotherVersion, OfNoVersion],
    "declared": [NeedsAPart, TakesAList, studio],
    "fields": [Nameless, WithPathsAsText, OfAnUnknownSplit, WithNumbers, WithWords, Tuples, Empty],
    "names": [TwiceNamed, WithBackslashes, Listed],
    "labels": [ForgedWithoutLabel, ForgedElsewhere, InFrames],
    "files": [OfAnotherEnding],
    "order": [AsListed, Shuffled, Once],
    "empty": [Careless, OfNoPlace],
    "half_copied": [Trusting],
    "missing_parts": [OfWhatIsThere],
    "missing_labels": [TableOptional],
    "one_absent": [Pedantic, Renumbering],
}
