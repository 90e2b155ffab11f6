"""AV-Deepfake1M (Cai et al., ACM MM 2024, arXiv:2311.15308) and AV-Deepfake1M++ (arXiv:2507.20579)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from avdetect.data.sample import Sample
from avdetect.data.sources.json_list import json_objects
from avdetect.data.sources.layout import check_files, check_tree
from avdetect.types import Segment, SegmentKind

_FORGED = {
    "real": (False, False),
    "visual_modified": (True, False),
    "audio_modified": (False, True),
    "both_modified": (True, True),
}


class AVDeepfake1M:
    """Speeches of VoxCeleb2 with words inserted, replaced or deleted by a language model, then voiced and lip-synced.

    ``<split>_metadata.json`` is a list of objects: ``file`` (below ``<split>/``), ``original``, ``modify_type``,
    ``audio_model``, ``fake_segments``, ``audio_fake_segments``, ``visual_fake_segments`` (seconds) and frame counts.
    ``test_files.txt`` names the test files, whose labels are not published. In some thousand objects the segment of the
    forged stream is also listed under the genuine one; only those of streams that ``modify_type`` calls modified are
    read. The identity is the VoxCeleb2 speaker; all variants of an utterance lie in one folder, the ``source_video``.

    Layout: repository ControlNet/AV-Deepfake1M, README ("Metadata Structure", "Usage") and
    ``python/avdeepfake1m/loader.py``.

    Args:
        root: the folder with the label files; an archive unpacked one level too deep (``val/val/``) is accepted.
        splits: which to read, with commas; the whole set is some terabytes.

    Raises:
        FileNotFoundError: a label file, a folder or most of the files are missing.
        ValueError: an unknown split, or an object of a label file cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, splits: str = "train,val,test"):
        self._tree = _Tree(_ONE, Path(root), splits)

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of the label files: train, val, test. They are read again each time, none is kept."""
        return self._tree.samples()


class AVDeepfake1MPlusPlus:
    """AV-Deepfake1M++: two million clips of three corpora, with perturbations of real-world videos.

    As AV-Deepfake1M, but files lie below ``vox_celeb_2/<speaker>/<video>/<utterance>/``, ``lrs3/<talk>/<utterance>/``
    or ``silent_videos/subject_<n>_<hash>_vid_<n>_<n>/``, a copy of the metadata lies beside each of them, and there are
    two unlabelled test sets, ``testA`` and ``testB`` (``more["part"]``). Speakers of VoxCeleb2 keep their ids, those of
    the other corpora are named ``lrs3/<talk>`` and ``silent_videos/subject_<n>``.

    Layout: data set card ControlNet/AV-Deepfake1M-PlusPlus; ``is_plusplus`` in ``loader.py`` of the repository
    ControlNet/AV-Deepfake1M.

    Args:
        root: see `AVDeepfake1M`.
        splits: see `AVDeepfake1M`; ``test`` are both test sets.

    Raises:
        FileNotFoundError, ValueError: see `AVDeepfake1M`.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, splits: str = "train,val,test"):
        self._tree = _Tree(_PLUS_PLUS, Path(root), splits)

    def samples(self) -> Iterator[Sample]:
        """Samples in the order of the label files: train, val, test. They are read again each time, none is kept."""
        return self._tree.samples()


def _speaker(file: str) -> tuple[str, str]:
    """Speaker and utterance of ``id00012/21Uxsk56VDQ/00001/fake_video_fake_audio.mp4``."""
    parts = PurePosixPath(file).parts
    return parts[0] if len(parts) > 1 else "", str(PurePosixPath(*parts[:-1]))


def _speaker_of_corpus(file: str) -> tuple[str, str]:
    """Speaker and utterance of ``lrs3/ukgnU2aXM2c/00004/00004_p4.mp4``."""
    corpus, _, rest = file.partition("/")
    speaker, utterance = _speaker(rest)
    if corpus == "silent_videos":
        speaker = "_".join(speaker.split("_")[:2])
    return speaker if corpus == "vox_celeb_2" else f"{corpus}/{speaker}", f"{corpus}/{utterance}"


@dataclass(frozen=True)
class _Release:
    """What differs between the two: name, parts without labels with their lists, who is in a file."""

    name: str
    test_lists: dict[str, str]
    who: Callable[[str], tuple[str, str]]


_ONE = _Release("AV-Deepfake1M", {"test": "test_files.txt"}, _speaker)
_PLUS_PLUS = _Release("AV-Deepfake1M++", {"testA": "testA_files.txt", "testB": "testB_files.txt"}, _speaker_of_corpus)


class _Tree:
    """Files and labels of one of the two releases."""

    def __init__(self, release: _Release, root: Path, splits: str):
        self._release, self.root = release, root
        known = ("train", "val", "test")
        chosen = [s.strip() for s in splits.split(",")]
        if unknown := [s for s in chosen if s not in known]:
            raise ValueError(f"{release.name}: unknown split {unknown[0]!r}; there are {', '.join(known)}")
        parts = [p for s in chosen for p in (release.test_lists if s == "test" else [s])]
        self._labels = {p: release.test_lists.get(p, f"{p}_metadata.json") for p in parts}
        layout = (
            f"train_metadata.json, val_metadata.json and {', '.join(release.test_lists.values())} beside train/, val/ "
            f"and {'/, '.join(release.test_lists)}/; the option splits=val reads only a part"
        )
        check_tree(release.name, self.root, layout, files=list(self._labels.values()), folders=parts)
        self._folders = {p: f"{p}/{p}" if (self.root / p / p).is_dir() else p for p in parts}
        check_files(release.name, self.root, (s.path for s in self.samples()))

    def samples(self) -> Iterator[Sample]:
        """See the readers."""
        for part, name in self._labels.items():
            if part in self._release.test_lists:
                yield from self._unlabelled(part, self.root / name)
            else:
                yield from self._labelled(part, self.root / name)

    def _unlabelled(self, part: str, names: Path) -> Iterator[Sample]:
        for file in filter(None, (line.strip() for line in names.read_text(encoding="utf-8").split("\n"))):
            yield self._sample(part, file, split="test", more={} if part == "test" else {"part": part})

    def _labelled(self, part: str, labels: Path) -> Iterator[Sample]:
        for number, item in json_objects(labels):
            try:
                file = item["file"]
                visual, audio = _FORGED[str(item["modify_type"]).replace("-", "_")]
                segments = (*_segments(item, "visual", visual), *_segments(item, "audio", audio))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"{labels}, object {number}: {type(error).__name__} {error}; expected file, modify_type (one of "
                    f"{', '.join(_FORGED)}) and fake segments in seconds, found {item}"
                ) from None
            identity, utterance = self._release.who(file)
            # The release names the model of the voice only, in ++ also that of the lips.
            models = [str(m) for m in (item.get("video_model"), item.get("audio_model")) if m]
            yield self._sample(
                part,
                file,
                split=part,
                visual_fake=visual,
                audio_fake=audio,
                method="+".join(models) if visual or audio else "",
                segments=segments,
                identity=identity,
                source_video=utterance,
                more={"original": str(item["original"])} if item.get("original") else {},
            )

    def _sample(self, part: str, file: str, **known: Any) -> Sample:
        folder = self._folders[part]
        return Sample(path=self.root / folder / file, name=f"{folder}/{file}", source=self._release.name, **known)


def _segments(item: dict[str, Any], kind: SegmentKind, forged: bool) -> Iterator[Segment]:
    if not forged:
        return
    spans = item.get(f"{kind}_fake_segments") or item.get("fake_segments") or []
    for start, end in spans:
        yield Segment(float(start), float(end), kind)
