"""From what the user typed to files: folders are searched, globs expanded, nothing is named twice."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset(
    ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .m2ts .mts .mxf .flv .wmv .3gp .ogv .wav .mp3 .m4a .aac .flac "
    ".ogg .opus .wma .jpg .jpeg .png .webp .bmp .tif .tiff".split()
)
"""Endings that a folder is searched for. A file that is named is read whatever its ending."""


@dataclass(frozen=True)
class Input:
    """One file to work on.

    Attributes:
        path: as reports name it.
        relative: where its report goes inside an output folder.
        error: why it cannot even be tried; empty for a file.
    """

    path: str
    relative: Path
    error: str = ""


def expand(paths: Sequence[str]) -> list[Input]:
    """The files meant by ``paths``, in the order given, folders in the order of their names.

    Something that is not there, or a folder or glob without media files, stays in the list with its error, so that
    it shows up in the results.
    """
    found: dict[str, Input] = {}
    for text in paths:
        path = Path(text)
        if _exists(path) and path.is_dir():
            some = _in_folder(path)
            inputs = some or [Input(text, Path(path.name), f"there are no media files in the folder {text}")]
        elif not _exists(path) and glob.has_magic(text):
            names = sorted(name for name in glob.glob(text, recursive=True) if os.path.isfile(name))
            inputs = [Input(name, Path(Path(name).name)) for name in names] or [
                Input(text, Path("glob"), f"no file matches {text}")
            ]
        elif not _exists(path):
            inputs = [Input(text, Path(path.name), f"{text}: there is no such file")]
        else:
            inputs = [Input(text, Path(path.name))]
        for item in inputs:
            found.setdefault(item.path if item.error else os.path.realpath(item.path), item)
    return list(found.values())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long or with a NUL cannot be there
        return False


def _in_folder(folder: Path) -> list[Input]:
    """Media files below a folder; hidden files and folders are left alone, links to folders not followed."""
    found = []
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                path = Path(top) / name
                found.append(Input(str(path), path.relative_to(folder)))
    return found


def is_single_file(paths: Sequence[str]) -> bool:
    """Whether the user named exactly one thing and it is no folder and no glob: then JSON is one object, no list."""
    if len(paths) != 1:
        return False
    path = Path(paths[0])
    return (_exists(path) and not path.is_dir()) or not (_exists(path) or glob.has_magic(paths[0]))
