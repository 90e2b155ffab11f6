"""KoDF, Korean deepfake detection data set (Kwon et al., ICCV 2021, arXiv:2103.10094)."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree, choose

_SPLITS = {"training": "train", "validation": "val", "test": "test"}
_TABLES = {"원본영상": False, "변조영상": True}
_COLUMNS = {
    False: ("영상ID", "UUID", "인물성별", "촬영장소"),
    True: ("영상ID", "타겟영상", "타겟UUID", "소스UUID", "변조모델", "인물성별"),
}
_LAYOUT = (
    "원본영상_<split>_메타데이터.csv and 변조영상_<split>_메타데이터.csv for split training and validation, "
    "and the unpacked archives of films, anywhere below it; the option splits=training reads only those that are named"
)


class KoDF:
    """Korean speakers; faces swapped (dfl, dffs, fsgan), animated (fo) and driven by speech (audio-driven).

    Two tables a split: of genuine films 영상ID (file), UUID (person), 인물성별 (sex), 촬영장소 (place); of forged films
    영상ID, 타겟영상 (genuine film), 타겟UUID and 소스UUID (persons), 변조모델 (method), 인물성별. Archives have
    folders of their own, so that films are found by their names, wherever below the folder they were unpacked; one that
    was not is yielded as if it lay in the folder itself. The person is that of the target film, the donor
    ``more["donor"]``. The set does not say where the sound of forged films is from.

    Layout: aihub.or.kr, data set 55; repository HanMoonSub/DeepGuard, ``preprocess/kodf/README.md`` and
    ``split_data.py``.

    Args:
        root: the folder that everything was unpacked in.
        splits: ``training``, ``validation``, ``test`` or several, with commas.

    Raises:
        FileNotFoundError: a table or most of its films are missing.
        ValueError: an unknown split, or a table without a column.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, splits: str = "training,validation"):
        self.root = Path(root)
        chosen = choose("KoDF", "splits", splits, _SPLITS)
        check_tree("KoDF", self.root, _LAYOUT, files=[], folders=[])
        found = {_key(p): p for p in sorted(self.root.rglob("*.csv"))}
        wanted = [(s, f"{table}_{s}_메타데이터.csv", forged) for s in chosen for table, forged in _TABLES.items()]
        if missing := [file for _, file, _ in wanted if _key(file) not in found]:
            raise FileNotFoundError(f"KoDF: {self.root} lacks {', '.join(missing)}; expected {_LAYOUT}")
        self._films = {_key(p): p for p in sorted(self.root.rglob("*.mp4"))}
        self._samples = []
        for split, file, forged in wanted:
            samples = list(self._read(found[_key(file)], split, forged))
            check_files(f"KoDF, {file}", self.root, (s.path for s in samples))
            self._samples += samples

    def samples(self) -> Iterator[Sample]:
        """Splits as asked for; genuine films, then forged ones, in the order of the tables."""
        yield from self._samples

    def _read(self, table: Path, split: str, forged: bool) -> Iterator[Sample]:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            if missing := [c for c in _COLUMNS[forged] if c not in (rows.fieldnames or ())]:
                raise ValueError(f"{table}: lacks column {', '.join(missing)}; found {rows.fieldnames}")
            for row in rows:
                path = self._films.get(_key(row["영상ID"] + ".mp4"), self.root / f"{_stem(row['영상ID'])}.mp4")
                extra = {"gender": row["인물성별"], "language": "ko"}
                extra |= {"donor": row["소스UUID"]} if forged else {"place": row["촬영장소"]}
                yield Sample(
                    path=path,
                    name=path.relative_to(self.root).as_posix(),
                    source="KoDF",
                    visual_fake=forged,
                    audio_fake=None if forged else False,
                    method=row["변조모델"] if forged else "",
                    identity=row["타겟UUID" if forged else "UUID"],
                    source_video=_stem(row["타겟영상" if forged else "영상ID"]),
                    split=_SPLITS[split],
                    more={k: v for k, v in extra.items() if v},
                )


def _stem(name: str) -> str:
    return name.strip().removesuffix(".mp4")


def _key(file: Path | str) -> str:
    """A name to look up by; some systems store Korean names decomposed, and tables write some names without ending."""
    name = unicodedata.normalize("NFC", file if isinstance(file, str) else file.name).strip()
    return name.removesuffix(".mp4").removesuffix(".mp4")
