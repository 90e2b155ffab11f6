"""From what the user typed to files: folders are searched, globs expanded, nothing is found twice."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset(
    # films
    ".mp4 .m4v .mov .qt .3gp .3gpp .3g2 .f4v .mj2 .mkv .mk3d .webm .avi .divx .mpg .mpeg .mpe .m1v .m2v .mpv .vob .ts "
    ".m2t .m2ts .mts .trp .mxf .flv .wmv .asf .ogv .ogm .dv .dif .nut .rm .rmvb .wtv .nsv .ivf .obu .y4m .h264 .264 "
    ".avc .h26l .hevc .h265 .265 .vc1 .h263 .h261 .mjpeg .mjpg "
    # sound
    ".wav .w64 .mp3 .mp2 .m2a .mpa .m4a .m4b .m4r .mka .aac .flac .ogg .oga .opus .spx .wma .ac3 .eac3 .ec3 .aif .aiff "
    ".aifc .au .snd .caf .amr .awb .ape .wv .tta .dts .dtshd .thd .mlp .voc .g722 .722 .tak "
    # pictures
    ".jpg .jpeg .jpe .jfif .mpo .jxl .png .apng .gif .webp .bmp .tif .tiff .ppm .pgm".split()
)
"""Endings that a folder is searched for, of what ``avdetect.media`` reads; a file that is named may have any."""


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


def expand(paths: Sequence[str], *, tell: Callable[[str], None] = lambda line: None) -> list[Input]:
    """The files meant by ``paths``, in the order given, folders in the order of their names.

    Something that is not there or cannot be read, or a folder or glob without media files, stays in the list with its
    error, so that it shows up in the results. A file that is named keeps its line, also where it was found under
    another name (a link); what folders and globs find is taken once.

    Args:
        paths: as the user typed them.
        tell: gets a line about what was found and left out.
    """
    found: dict[str, Input] = {}
    names: dict[str, str] = {}
    for text in paths:
        inputs, searched = _meant_by(text, tell)
        for item in inputs:
            real = item.path if item.error else os.path.realpath(item.path)
            name = item.path if item.error else os.path.abspath(item.path)
            if name in found:
                continue
            if searched and not item.error and real in names:
                tell(f"{item.path} is left out: it is {names[real]} under another name")
                continue
            found[name] = item
            names.setdefault(real, item.path)
    return list(found.values())


def _meant_by(text: str, tell: Callable[[str], None]) -> tuple[list[Input], bool]:
    """The files, and whether they were searched for rather than named."""
    path = Path(text)
    try:
        path.stat()
    except ValueError:  # a NUL in it
        return [Input(text, Path("name"), f"{text}: there is no such file")], False
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            return [Input(text, _name(path), f"{text}: the link leads nowhere")], False
        if glob.has_magic(text):
            names = sorted(name for name in glob.glob(text, recursive=True) if os.path.isfile(name))
            missing = Input(text, Path("glob"), f"no file matches {text}")
            return [Input(name, Path(Path(name).name)) for name in names] or [missing], True
        return [Input(text, _name(path), f"{text}: there is no such file")], False
    except OSError as error:
        return [Input(text, _name(path), f"{text}: {error.strerror}")], False
    if path.is_dir():
        return _in_folder(path, text, tell), True
    return [Input(text, _name(path))], False


def _name(path: Path) -> Path:
    return Path(path.name or "folder")  # "." and "/" have none


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long or with a NUL cannot be there
        return False


def _in_folder(folder: Path, text: str, tell: Callable[[str], None]) -> list[Input]:
    """Media files below a folder; hidden files and folders are left alone, links to folders not followed."""
    found: list[Input] = []
    unreadable: list[Input] = []
    others = 0

    def note(error: OSError) -> None:
        place = Path(error.filename or folder)
        why = f"{text if place == folder else place}: the folder cannot be read: {error.strerror}"
        unreadable.append(Input(str(place), _below(folder, place), why))

    for top, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith("."):
                continue
            if Path(name).suffix.lower() in SUFFIXES:
                path = Path(top) / name
                found.append(Input(str(path), path.relative_to(folder)))
            else:
                others += 1
    if others:
        tell(f"{text}: {others} {'file' if others == 1 else 'files'} of other kinds {'was' if others == 1 else 'were'} "
             "left alone; name a file to have it read")  # fmt: skip
    if not found and not unreadable:
        return [Input(text, _name(folder), f"there are no media files in the folder {text}")]
    return found + unreadable


def _below(folder: Path, place: Path) -> Path:
    """Where the report of a folder that cannot be read goes."""
    return _name(folder) if place == folder else place.relative_to(folder)


def is_single_file(paths: Sequence[str]) -> bool:
    """Whether the user named exactly one thing and it is no folder and no glob: then JSON is one object, no list."""
    if len(paths) != 1:
        return False
    path = Path(paths[0])
    return (_exists(path) and not path.is_dir()) or not (_exists(path) or glob.has_magic(paths[0]))
