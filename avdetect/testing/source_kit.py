"""Does a reader of a data set do what `avdetect.data.sample.Source` says?"""

from __future__ import annotations

import inspect
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from avdetect.data.sample import Sample, read_segments
from avdetect.data.sources import SOURCES
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import (
    Broken,
    DoesNotApply,
    Kit,
    global_chance,
    require,
    require_kind,
    require_version,
)
from avdetect.testing.source_trees import Tree, listed_backwards, planted
from avdetect.types import Segment, SegmentKind

SPLITS = ("", "train", "val", "test")
_TEXTS = ("name", "source", "method", "identity", "source_video", "split")
_LEAST = 2
"""Files in a folder, so that one of them may be absent."""
_FOLDERS = 8
"""Folders that are taken away one after the other."""


@dataclass(frozen=True)
class Subject:
    """A reader, and a small tree for it."""

    reader: type
    tree: Tree
    options: Mapping[str, str] = field(default_factory=dict)

    def read(self, root: Path) -> list[Sample]:
        """All samples below a folder."""
        return list(self.reader(root, **self.options).samples())

    def whole(self) -> list[Sample]:
        """All samples of the whole tree; their files are gone afterwards."""
        with planted(self.tree) as root:
            return self.read(root)


def _opened(plugin: Any, tree: Tree, *, options: Mapping[str, str] | None = None) -> Subject:
    return Subject(SOURCES.get(plugin) if isinstance(plugin, str) else plugin, tree, options or {})


def _api_version(s: Subject) -> None:
    """The class states the API version."""
    require_version(s.reader)


def _declared(s: Subject) -> None:
    """It is a class made from a folder; further options are named, and texts."""
    require_kind("avdetect.sources", s.reader)
    first, *others = inspect.signature(s.reader).parameters.values()
    require(
        first.kind in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD),
        f"its first argument, {first.name}, cannot be given by position",
    )
    for p in others:
        require(
            p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD), f"its option {p.name} can be given by position; put it after a *"
        )
        required = p.default is p.empty and p.kind is p.KEYWORD_ONLY and p.name not in s.options
        require(not required, f"its option {p.name} has no default")
        require(
            p.default is p.empty or isinstance(p.default, str),
            f"its option {p.name} is {p.default!r} by default; options are texts, as from a command line",
        )


def _fields(s: Subject) -> None:
    """Every sample has its fields, of their types, and can be a row of a manifest."""
    samples = s.whole()
    require(samples, "there is no sample in the tree that was given")
    for sample in samples:
        require(isinstance(sample, Sample), f"samples() gives a {type(sample).__name__}, not a Sample")
        where = f"the sample {sample.name!r}"
        for name in _TEXTS:
            value = getattr(sample, name)
            require(isinstance(value, str), f"{name} of {where} is {value!r}; it must be a text, empty where not known")
        for name in ("visual_fake", "audio_fake"):
            value = getattr(sample, name)
            require(
                value is None or isinstance(value, bool),
                f"{name} of {where} is {value!r}; it must be True, False or None",
            )
        require(isinstance(sample.path, Path), f"path of {where} is a {type(sample.path).__name__}, not a Path")
        require(sample.source, f"{where} does not say which data set it is of")
        require(sample.split in SPLITS, f"split of {where} is {sample.split!r}; it must be train, val, test or empty")
        more: Any = sample.more
        require(
            isinstance(more, Mapping) and all(isinstance(x, str) for pair in more.items() for x in pair),
            f"more of {where} is {more!r}; it must be texts by name",
        )
        json.dumps(dict(sample.entry().columns))


def _names(s: Subject) -> None:
    """Names are unique, and paths below the root with forward slashes, so that records keep their key."""
    with planted(s.tree) as root:
        samples = s.read(root)
        for sample in samples:
            parts = sample.name.split("/")
            require(
                sample.name and "\\" not in sample.name and "" not in parts and ".." not in parts,
                f"the name {sample.name!r} is no path below the root with forward slashes",
            )
            require(
                sample.path.as_posix().endswith("/" + sample.name),
                f"the sample {sample.name!r} is the file {sample.path.relative_to(root)}; its name must be its path",
            )
    twice = [name for name, count in Counter(x.name for x in samples).items() if count > 1]
    require(not twice, f"{len(twice)} names are there more than once: {', '.join(twice[:3])}")


def _labels(s: Subject) -> None:
    """Labels do not contradict themselves."""
    for sample in s.whole():
        where = f"of {sample.name!r}"
        forged = bool(sample.visual_fake or sample.audio_fake)
        known = sample.label != ""
        require(
            forged or not known or not sample.method,
            f"the method {where} is {sample.method!r}, and nothing is labelled as forged",
        )
        require(
            isinstance(sample.segments, tuple) and all(isinstance(x, Segment) for x in sample.segments),
            f"segments {where} are {sample.segments!r}; they must be a tuple of Segment",
        )
        for x in sample.segments:
            require(x.kind in get_args(SegmentKind), f"a segment {where} is of the kind {x.kind!r}")
            require(0 <= x.start_s < x.end_s < math.inf, f"a segment {where} goes from {x.start_s} to {x.end_s} s")
            flag = {"visual": sample.visual_fake, "audio": sample.audio_fake, "sync": None}[x.kind]
            require(
                flag is not False, f"there is a forged stretch of the kind {x.kind!r} {where}, which is genuine in that"
            )
        text = sample.entry().columns.get("segments", "")
        require(len(read_segments(text)) == len(sample.segments), f"segments {where} do not come back from a manifest")


def _files(s: Subject) -> None:
    """The files of a whole tree are there, below its root."""
    with planted(s.tree) as root:
        for sample in s.read(root):
            require(sample.path.is_relative_to(root), f"{sample.path} is not below the root {root}")
            require(sample.path.is_file(), f"the sample {sample.name!r} is a file that is not there: {sample.path}")


def _order(s: Subject) -> None:
    """The order is fixed: from reading to reading, and from machine to machine."""
    with planted(s.tree) as root:
        reader = s.reader(root, **s.options)
        first = list(reader.samples())
        require(not (d := difference(first, list(reader.samples()))), f"samples() of one reader, twice: {d}")
        with global_chance(1):
            require(not (d := difference(first, s.read(root))), f"of two readers: {d}")
        with listed_backwards():
            d = difference([x.name for x in first], [x.name for x in s.read(root)], at="names")
            require(not d, f"where folders are listed in another order: {d}; sort, or go by the label file")


def _empty(s: Subject) -> None:
    """A folder that is empty, or not there, is a FileNotFoundError that names it."""
    with planted(lambda root: None) as root:
        for what, folder in (("an empty folder", root), ("a folder that is not there", root / "nowhere")):
            try:
                s.read(folder)
            except FileNotFoundError as error:
                require(str(folder) in str(error), f"{what}: the error does not name the folder: {error}")
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
                raise Broken(f"{what}: it raised {told}; a FileNotFoundError is wanted") from error
            else:
                require(False, f"{what}: it raised nothing")


def _half_copied(s: Subject) -> None:
    """A tree most of whose files are absent is a FileNotFoundError that says what is missing."""
    with planted(s.tree) as root:
        samples = s.read(root)
        if len(samples) < 3:
            raise DoesNotApply(f"the tree has {len(samples)} files; give one of at least 3")
        for sample in samples[1:]:
            sample.path.unlink(missing_ok=True)
        _refused(s, root, f"all but one of {len(samples)} files are absent")


def _missing_parts(s: Subject) -> None:
    """A folder of the tree that was not copied is a FileNotFoundError that names it; or all its files are yielded."""
    with planted(s.tree) as root:
        samples = s.read(root)
        places = [x.path.relative_to(root).parts for x in samples]
        used = sorted({parts[0] for parts in places if len(parts) > 1})
    if not used:
        raise DoesNotApply("the files lie in no folders")
    for name in used[:: -(-len(used) // _FOLDERS)]:
        with planted(s.tree) as root:
            shutil.rmtree(root / name)
            _refused(s, root, f"the folder {name} is absent", name, unless=[x.name for x in samples])


def _refused(s: Subject, root: Path, what: str, *names: str, unless: list[str] | None = None) -> None:
    try:
        found = s.read(root)
    except FileNotFoundError as error:
        told = str(error)
        require(
            str(root) in told or any(name in told for name in names),
            f"{what}, and the error does not say where: {told}",
        )
        return
    except Exception as error:
        raise Broken(
            f"{what}, and it raised {type(error).__name__}: {error}; a FileNotFoundError that says so is wanted"
        ) from error
    require([x.name for x in found] == unless, f"{what}, and it gives {len(found)} samples without a word")


def _missing_labels(s: Subject) -> None:
    """Of label files that were not copied it says so; or it can do without, and then gives the same files."""
    with planted(s.tree) as root:
        samples = s.read(root)
        media = {x.path for x in samples}
        others = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file() and p not in media)
        whole = [x.name for x in samples]
    labels = [p for p in others if not _beside(p, others)]
    if not labels:
        raise DoesNotApply("the tree has no label files")
    for path in labels:
        with planted(s.tree) as root:
            (root / path).unlink()
            try:
                names = [x.name for x in s.read(root)]
            except FileNotFoundError as error:
                told = str(error)
                require(str(root) in told or path.name in told, f"{path} is absent; the error does not say so: {told}")
                continue
            except Exception as error:
                raise Broken(
                    f"{path} is absent, and it raised {type(error).__name__}: {error}; a FileNotFoundError is wanted"
                ) from error
            require(names == whole, f"{path} is absent: {len(names)} of {len(whole)} samples are left, without a word")


def _beside(path: Path, others: list[Path]) -> bool:
    """Whether a file is one of many of its kind (transcripts, one for each film) rather than a label file."""
    return sum(p.suffix == path.suffix for p in others) > 12


def _one_absent(s: Subject) -> None:
    """A single file that is absent fails nothing; where the labels name it, it is yielded all the same."""
    with planted(s.tree) as root:
        samples = s.read(root)
        folders = [x.path.parent for x in samples]
        chosen = next((x for x in reversed(samples) if folders.count(x.path.parent) >= _LEAST), None)
        if chosen is None:
            raise DoesNotApply(f"no folder of the tree has {_LEAST} files")
        chosen.path.unlink()
        try:
            names = [x.name for x in s.read(root)]
        except Exception as error:
            raise Broken(
                f"one of {folders.count(chosen.path.parent)} files of a folder is absent ({chosen.name}), "
                f"and it raised {type(error).__name__}: {error}"
            ) from error
        kept = [x.name for x in samples if x is not chosen]
        require(
            names in (kept, [x.name for x in samples]),
            f"{chosen.name} is absent, and other samples are given than before",
        )


KIT = Kit(
    "source",
    _opened,
    (
        _api_version,
        _declared,
        _fields,
        _names,
        _labels,
        _files,
        _order,
        _empty,
        _half_copied,
        _missing_parts,
        _missing_labels,
        _one_absent,
    ),
)


def check_source(plugin: Any, tree: Tree, *, options: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make all checks of a reader.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, or the class.
        tree: a function that writes a small data set in the published layout into an empty folder (files of films may
            be empty: no reader opens them); or the folder of one that exists, to whose files links are made. To be
            checked whole it has label files, several folders, and several films in one of them.
        options: of the reader.

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin, tree, options=options)


def source_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_source` takes."""
    return KIT.pairs()
