"""Celeb-DF v1 and v2 (Li et al., CVPR 2020, arXiv:1909.12962)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree

_LIST = "List_of_testing_videos.txt"
_FOLDERS = {"Celeb-real": False, "YouTube-real": False, "Celeb-synthesis": True}
_FORGED = {"1": False, "0": True}
_PARTS = {"Celeb-real": 2, "YouTube-real": 1, "Celeb-synthesis": 3}
_LAYOUT = f"{_LIST} beside Celeb-real/, YouTube-real/ and Celeb-synthesis/, each with *.mp4"


class CelebDFv1:
    """Celebrities of YouTube, 795 films with swapped faces; without use of the sound.

    Films of ``Celeb-synthesis`` are ``<target>_<donor>_<number>.mp4``: film ``<target>_<number>.mp4`` of ``Celeb-real``
    with the face of the donor (``more["donor"]``). The person is the target; those of ``YouTube-real`` are not
    published. Lines of ``List_of_testing_videos.txt`` are ``<1 genuine, 0 forged> <folder>/<file>``: the official test
    part, everything else is training; a listed film that was not copied is yielded too. The label is the folder. Of
    sound the set says nothing.

    Layout: repository yuezunli/celeb-deepfakeforensics, ``Celeb-DF-v1/README.md`` and ``Celeb-DF-v2/README.md``; names
    of files also in SCLBD/DeepfakeBench, ``preprocessing/rearrange.py``.

    Args:
        root: the unpacked folder.

    Raises:
        FileNotFoundError: the list, a folder, its films or most of the listed films are missing.
        ValueError: a line of the list contradicts its folder, or it or a file name cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        self._samples = _read(self.root, "v1")

    def samples(self) -> Iterator[Sample]:
        """Folder by folder, genuine ones first, by name."""
        yield from self._samples


class CelebDFv2:
    """Larger successor of :class:`CelebDFv1` with 5639 forged films; the layout, names and errors are the same."""

    api_version = 1

    def __init__(self, root: Path, /):
        self.root = Path(root)
        self._samples = _read(self.root, "v2")

    def samples(self) -> Iterator[Sample]:
        """Folder by folder, genuine ones first, by name."""
        yield from self._samples


def _read(root: Path, version: str) -> list[Sample]:
    title = f"Celeb-DF {version}"
    check_tree(title, root, _LAYOUT, files=[_LIST], folders=list(_FOLDERS))
    listed = set(_listed(root / _LIST))
    check_files(title, root, (root / name for name in sorted(listed)))
    names = set(listed)
    for folder in _FOLDERS:
        films = {f"{folder}/{p.name}" for p in (root / folder).glob("*.mp4")}
        if not films:
            raise FileNotFoundError(f"{title}: {root / folder} has no *.mp4; was it copied whole?")
        names |= films
    order = list(_FOLDERS)
    ordered = sorted(names, key=lambda name: (order.index(name.partition("/")[0]), name))
    return [_sample(root, name, version, "test" if name in listed else "train") for name in ordered]


def _sample(root: Path, name: str, version: str, split: str) -> Sample:
    folder, _, file = name.partition("/")
    forged = _FOLDERS[folder]
    parts = file.removesuffix(".mp4").split("_")
    if len(parts) != _PARTS[folder]:
        raise ValueError(
            f"{root / name}: expected Celeb-real/id0_0000.mp4, YouTube-real/00000.mp4 or "
            "Celeb-synthesis/id0_id1_0000.mp4"
        )
    return Sample(
        path=root / name,
        name=name,
        source=f"Celeb-DF-{version}",
        visual_fake=forged,
        method="celeb-synthesis" if forged else "",
        identity=parts[0] if len(parts) > 1 else "",
        source_video=f"{parts[0]}_{parts[-1]}" if len(parts) > 1 else f"YouTube-real/{parts[0]}",
        split=split,
        more={"donor": parts[1]} if forged else {},
    )


def _listed(file: Path) -> Iterator[str]:
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        cells = line.split()
        if not cells:
            continue
        folder = cells[-1].partition("/")[0]
        if len(cells) != 2 or cells[0] not in _FORGED or folder not in _FOLDERS:
            raise ValueError(f"{file}, line {number}: expected 0 or 1 and <folder>/<file>.mp4, found {line!r}")
        if _FORGED[cells[0]] is not _FOLDERS[folder]:
            says, holds = (("forged" if f else "genuine") for f in (_FORGED[cells[0]], _FOLDERS[folder]))
            raise ValueError(f"{file}, line {number}: {line!r} says {says}, but {folder} holds {holds} films")
        yield cells[1]
