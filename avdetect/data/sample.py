"""What a data set says of one of its files, in the words that all data sets share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from avdetect.data.manifest import Entry
from avdetect.types import Segment


@dataclass(frozen=True)
class Sample:
    """One media file of a data set with its published label.

    Attributes:
        path: the file.
        name: stable key: path relative to the root of the data set, forward slashes.
        source: name of the data set ("FakeAVCeleb").
        visual_fake, audio_fake: ``None`` where the data set does not say or the file has no such stream.
        method: generator or manipulation as the data set names it; empty for genuine files.
        segments: forged stretches, seconds on the file's timeline; empty = the whole file, if it is forged at all.
        identity: person, where known, unique within the data set.
        source_video: the genuine recording that this was made or cut from, where known.
        split: ``train``, ``val`` or ``test`` as published; empty where there is no official split.
        more: further columns of the index (compression, language, session ...).
    """

    path: Path
    name: str
    source: str
    visual_fake: bool | None = None
    audio_fake: bool | None = None
    method: str = ""
    segments: tuple[Segment, ...] = ()
    identity: str = ""
    source_video: str = ""
    split: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """``RVRA``, ``FVRA``, ``RVFA`` or ``FVFA``; only one half (``FV``, ``RA``) where the other is not known."""
        picture = "" if self.visual_fake is None else "FV" if self.visual_fake else "RV"
        sound = "" if self.audio_fake is None else "FA" if self.audio_fake else "RA"
        return picture + sound

    def entry(self) -> Entry:
        """The same as a row of a manifest."""
        columns: dict[str, Any] = {
            **self.more,
            "label": self.label,
            "visual_fake": _flag(self.visual_fake),
            "audio_fake": _flag(self.audio_fake),
            "generator": self.method,
            "source": self.source,
            "identity": self.identity,
            "source_video": self.source_video,
            "split": self.split,
            "segments": write_segments(self.segments),
        }
        return Entry(self.path, self.name, {k: v for k, v in columns.items() if v != ""})


def _flag(value: bool | None) -> str:
    return "" if value is None else str(int(value))


def write_segments(segments: tuple[Segment, ...]) -> str:
    """Segments as the text of a manifest's or index's ``segments`` column; empty for none."""
    return json.dumps([[round(s.start_s, 4), round(s.end_s, 4), s.kind] for s in segments]) if segments else ""


def read_segments(text: str | None) -> tuple[Segment, ...]:
    """Inverse of :func:`write_segments`.

    Raises:
        ValueError: not a list of ``[start_s, end_s, kind]``.
    """
    if not text:
        return ()
    try:
        return tuple(Segment(float(a), float(b), kind) for a, b, kind in json.loads(text))
    except (TypeError, ValueError) as error:
        raise ValueError(f"segments must be a JSON list of [start_s, end_s, kind], not {text!r} ({error})") from None


class Source(Protocol):
    """Reader of one data set in its published layout: ``Reader(root)`` checks the tree, ``samples()`` walks it.

    Attributes:
        api_version: 1, stated by the class (see `avdetect.api`).
    """

    api_version: int

    def __init__(self, root: Path, /, **options: str) -> None:
        """Check that ``root`` has the layout.

        Raises:
            FileNotFoundError: folders or label files are missing; the message lists them and what the layout is.
        """
        ...

    def samples(self) -> Iterator[Sample]:
        """Samples in a fixed order; a file that a label file names but the tree lacks is yielded too."""
        ...
