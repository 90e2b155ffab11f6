"""Whether a data set lies where its reader expects it: one clear error that names what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

SHOWN = 3
"""Absent files that an error names."""


def check_tree(name: str, root: Path, layout: str, *, files: Sequence[str], folders: Sequence[str]) -> None:
    """Check that label files and folders of a data set are there.

    Args:
        name: of the data set, for the message.
        root: folder that a user gave.
        layout: what is expected below it, in words.
        files: label files, relative to ``root``.
        folders: the same for folders.

    Raises:
        FileNotFoundError: some are missing; the message names all of them, counts several, and says the layout.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{name}: {root} is not a folder; expected {layout}")
    missing = [f for f in files if not (root / f).is_file()] + [f"{f}/" for f in folders if not (root / f).is_dir()]
    if missing:
        count = f" ({len(missing)} of {len(files) + len(folders)} files and folders)" * (len(missing) > 1)
        raise FileNotFoundError(f"{name}: {root} lacks {', '.join(missing)}{count}; expected {layout}")


def check_files(name: str, root: Path, paths: Iterable[Path]) -> None:
    """Check that at least half of the files that the labels name are there; single ones may be absent.

    Raises:
        FileNotFoundError: there are none, or most are absent; the message counts them and names the first.
    """
    total, absent, shown = 0, 0, []
    for path in paths:
        total += 1
        if not path.is_file():
            absent += 1
            if len(shown) < SHOWN:
                shown.append(path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path))
    if not total:
        raise FileNotFoundError(f"{name}: {root} has no files, or its labels name none; was it copied whole?")
    if 2 * absent > total:
        names = ", ".join(shown) + (" ..." if absent > len(shown) else "")
        raise FileNotFoundError(
            f"{name}: {absent} of {total} files are absent below {root}: {names}; was it copied whole?"
        )


def choose(name: str, option: str, text: str, known: Collection[str]) -> list[str]:
    """Parts of an option that is a list with commas.

    Raises:
        ValueError: a part is not among ``known``; the message names the data set, the option and what there is.
    """
    chosen = [part.strip() for part in text.split(",")]
    if unknown := [part for part in chosen if part not in known]:
        raise ValueError(f"{name}: unknown part {unknown[0]!r} of {option}={text!r}; there are {', '.join(known)}")
    return chosen
