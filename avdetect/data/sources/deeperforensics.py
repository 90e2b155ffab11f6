"""DeeperForensics-1.0 (Jiang et al., CVPR 2020, arXiv:2001.03024)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from avdetect.data.sample import Sample
from avdetect.data.sources.apart import check_apart
from avdetect.data.sources.layout import check_files, check_tree, choose

_SPLITS = ("train", "val", "test")
_VARIANTS = (
    "end_to_end",
    "reenact_postprocess",
    *(f"end_to_end_level_{i}" for i in range(1, 6)),
    "end_to_end_random_level",
    *(f"end_to_end_mix_{j}_distortions" for j in range(2, 5)),
)
_UNDISTORTED = _VARIANTS[:2]
_LISTS, _META = "lists/splits", "lists/manipulated_videos_distortions_meta"
_LAYOUT = (
    f"{_LISTS}/train.txt, val.txt and test.txt, {_META}/manipulated_videos_<variant>_meta.txt for distorted variants, "
    "manipulated_videos/<variant>/*.mp4 and, where asked for, source_videos/<actor>/.../*.mp4"
)


class DeeperForensics:
    """Faces of paid actors on films of FaceForensics++ (DF-VAE), clean and with distortions.

    A forged film is ``<target>_<actor>.mp4``: sequence ``<target>`` of FaceForensics++ with the face of the actor. As
    the authors advise, the actor is the person by which to split; the target is the ``source_video``. The lists of the
    split name the forged films, the same thousand in every variant, so that one that was not copied is yielded too; no
    actor is in two of them (71, 9 and 20 of the hundred).
    Lines of a ``meta`` file are ``<path> <type>:<level> ...`` and go into ``more["distortions"]``.

    Genuine films are the targets, which belong to FaceForensics++ (c23) and are read with its reader. The recordings of
    the actors, which the authors do not count as the genuine part, are read with ``actors=yes``. The set says nothing
    of sound.

    Layout: repository EndlessSora/DeeperForensics-1.0, ``dataset/README.md``.

    Args:
        root: the unpacked folder.
        variants: of the eleven, with commas: ``end_to_end``, ``reenact_postprocess``, ``end_to_end_level_1`` ... 5,
            ``end_to_end_random_level``, ``end_to_end_mix_2_distortions`` ... 4.
        actors: ``yes`` to read ``source_videos`` too.

    Raises:
        FileNotFoundError: a list, a folder or most of the films of a variant are missing.
        ValueError: an unknown variant, an actor in two lists, or a line of a list that cannot be understood.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, variants: str = "end_to_end", actors: str = "no"):
        self.root = Path(root)
        chosen = choose("DeeperForensics", "variants", variants, _VARIANTS)
        with_actors = choose("DeeperForensics", "actors", actors, ("yes", "no")) == ["yes"]
        lists = {split: f"{_LISTS}/{split}.txt" for split in _SPLITS}
        metas = {v: f"{_META}/manipulated_videos_{v}_meta.txt" for v in chosen if v not in _UNDISTORTED}
        folders = [f"manipulated_videos/{v}" for v in chosen] + ["source_videos"] * with_actors
        check_tree("DeeperForensics", self.root, _LAYOUT, files=[*lists.values(), *metas.values()], folders=folders)
        listed = [(_name(line), split) for split, file in lists.items() for line in _lines(self.root / file)]
        actors_of = ((file.removesuffix(".mp4").partition("_")[2], lists[split]) for file, split in listed)
        check_apart("DeeperForensics", "actor", actors_of, promise="the official split")
        splits = dict(listed)
        self._samples = []
        for variant in chosen:
            meta = _lines(self.root / metas[variant]) if variant in metas else []
            distortions = {_name(line): " ".join(line.split()[1:]) for line in meta}
            samples = [self._forged(variant, file, split, distortions) for file, split in sorted(splits.items())]
            check_files(f"DeeperForensics, {variant}", self.root, (s.path for s in samples))
            self._samples += samples
        if with_actors:
            samples = [self._actor(p) for p in sorted((self.root / "source_videos").rglob("*.mp4"))]
            check_files("DeeperForensics, source_videos", self.root, (s.path for s in samples))
            self._samples += samples

    def samples(self) -> Iterator[Sample]:
        """Variants as asked for, each by name, then recordings of the actors."""
        yield from self._samples

    def _forged(self, variant: str, file: str, split: str, distortions: dict[str, str]) -> Sample:
        target, _, actor = file.removesuffix(".mp4").partition("_")
        if not actor:
            raise ValueError(f"{self.root / _LISTS}/{split}.txt: expected <target>_<actor>.mp4, found {file!r}")
        name = f"manipulated_videos/{variant}/{file}"
        more = {"variant": variant, "distortions": distortions.get(file, "")}
        return Sample(
            path=self.root / name,
            name=name,
            source="DeeperForensics-1.0",
            visual_fake=True,
            method="reenact_postprocess" if variant == "reenact_postprocess" else "end_to_end",
            identity=actor,
            source_video=target,
            split=split,
            more={k: v for k, v in more.items() if v},
        )

    def _actor(self, path: Path) -> Sample:
        name = path.relative_to(self.root).as_posix()
        return Sample(
            path=path,
            name=name,
            source="DeeperForensics-1.0",
            visual_fake=False,
            identity=PurePosixPath(name).parts[1],
            source_video=path.stem,
            more={"variant": "source_videos"},
        )


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def _name(line: str) -> str:
    """File name of the first cell, which some lists give with its folder."""
    return PurePosixPath(line.split()[0]).name
