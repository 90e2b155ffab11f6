"""FaceForensics++ (Rössler et al., ICCV 2019, arXiv:1901.08971) and DeepFakeDetection (Google and Jigsaw 2019)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.apart import check_apart
from avdetect.data.sources.layout import check_files, check_tree, choose

_ACTORS = "DeepFakeDetection"
_METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter", _ACTORS)
_COMPRESSIONS = ("raw", "c23", "c40")
_SPLITS = ("train", "val", "test")
_LAYOUT = (
    "train.json, val.json and test.json (in the folder itself or in splits/) beside "
    "original_sequences/{youtube,actors}/{raw,c23,c40}/videos/*.mp4 and "
    "manipulated_sequences/<method>/{raw,c23,c40}/videos/*.mp4; the options methods and compression choose"
)


class FaceForensics:
    """A thousand sequences of YouTube films, each forged by several methods, without sound.

    Sequences are numbered 000 ... 999; a forged film is ``<target>_<source>.mp4``, pictures of the target with the face
    or the expressions of the source (``more["donor"]``). The lists of the official split hold the pairs, so that a film
    that was not copied is yielded too. Films of DeepFakeDetection are named by actors,
    ``<actor>__<scene>.mp4`` and ``<target actor>_<source actor>__<scene>__<experiment>.mp4``, and have no split.

    The person is the target; his number is that of the sequence or, where ``conversion_dict.json`` lies in the folder,
    the YouTube id of the film, since some films gave two sequences. The films have no sound: ``audio_fake`` is not
    known.

    Layout: repository ondyari/FaceForensics, ``dataset/README.md``, ``dataset/splits`` and
    ``dataset/conversion_dict.json``.

    Args:
        root: the folder that holds ``original_sequences``.
        methods: forgeries to read, with commas: ``Deepfakes``, ``Face2Face``, ``FaceSwap``, ``NeuralTextures``,
            ``FaceShifter``, ``DeepFakeDetection``. The originals that belong to them are read too.
        compression: ``raw``, ``c23``, ``c40`` or several.

    Raises:
        FileNotFoundError: a list, a folder or most of the films of a folder are missing.
        ValueError: an unknown method or compression, a list that cannot be understood, or a sequence in two lists.
    """

    api_version = 1

    def __init__(
        self,
        root: Path,
        /,
        *,
        methods: str = "Deepfakes,Face2Face,FaceSwap,NeuralTextures",
        compression: str = "c23",
    ):
        self.root = Path(root)
        chosen = choose("FaceForensics++", "methods", methods, _METHODS)
        rates = choose("FaceForensics++", "compression", compression, _COMPRESSIONS)
        where = "splits/" if (self.root / "splits").is_dir() else ""
        lists = {split: f"{where}{split}.json" for split in _SPLITS}
        origins = ["youtube"] * any(m != _ACTORS for m in chosen) + ["actors"] * (_ACTORS in chosen)
        folders = [f"original_sequences/{o}/{r}/videos" for o in origins for r in rates]
        folders += [f"manipulated_sequences/{m}/{r}/videos" for m in chosen for r in rates]
        check_tree("FaceForensics++", self.root, _LAYOUT, files=list(lists.values()), folders=folders)
        self._pairs = {split: _pairs(self.root / file) for split, file in lists.items()}
        listed = ((s, lists[split]) for split, pairs in self._pairs.items() for pair in pairs for s in pair)
        check_apart("FaceForensics++", "sequence", listed, promise="the official split")
        self._films = _films(self.root / "conversion_dict.json")
        self._samples = []
        for folder in folders:
            samples = list(self._read(folder))
            # By folder: a method of which nothing was copied would not be noticed among the others.
            check_files(f"FaceForensics++, {folder}", self.root, (s.path for s in samples))
            self._samples += samples

    def samples(self) -> Iterator[Sample]:
        """Originals, then forgeries method by method; within a folder by name."""
        yield from self._samples

    def _read(self, folder: str) -> Iterator[Sample]:
        _, kind, compression, _ = folder.split("/")
        forged = kind in _METHODS
        splits = self._splits(forged)
        if kind in ("actors", _ACTORS):
            splits = {p.stem: "" for p in (self.root / folder).glob("*.mp4")}
        for stem in sorted(splits):
            name = f"{folder}/{stem}.mp4"
            people, _, scene = stem.partition("__")
            target, _, donor = people.partition("_")
            if scene:
                identity, video = f"actor/{target}", f"actor/{target}__{scene.rpartition('__')[0] if forged else scene}"
            else:
                identity, video = self._films.get(target, target), target
            yield Sample(
                path=self.root / name,
                name=name,
                source="FaceForensics++",
                visual_fake=forged,
                method=kind if forged else "",
                identity=identity,
                source_video=video,
                split=splits[stem],
                more={"compression": compression} | ({"donor": donor} if donor else {}),
            )

    def _splits(self, forged: bool) -> dict[str, str]:
        """Split of each sequence, or of each forged film: every pair of a list in both directions."""
        return {
            name: split
            for split, pairs in self._pairs.items()
            for a, b in pairs
            for name in ((f"{a}_{b}", f"{b}_{a}") if forged else (a, b))
        }


def _pairs(file: Path) -> list[tuple[str, str]]:
    try:
        return [(str(a), str(b)) for a, b in json.loads(file.read_text(encoding="utf-8"))]
    except (TypeError, ValueError) as error:
        raise ValueError(f'{file}: expected a list of pairs such as ["071", "054"] ({error})') from None


def _films(file: Path) -> dict[str, str]:
    """YouTube id of each sequence; entries are "<id> <number of the sequence in the film>"."""
    if not file.is_file():
        return {}
    return {sequence: film.split()[0] for sequence, film in json.loads(file.read_text(encoding="utf-8")).items()}
