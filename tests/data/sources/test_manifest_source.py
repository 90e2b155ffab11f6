"""The manifest source: three formats, one meaning; contradictions are found row by row."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.data.manifest import read_entries
from avdetect.data.sample import Sample, read_segments, write_segments
from avdetect.data.sources.manifest import LABELS, Manifest
from avdetect.types import Segment, SegmentKind

KINDS: tuple[SegmentKind, ...] = ("visual", "audio", "sync")
FORMATS = ("csv", "jsonl", "parquet")


def write_table(file: Path, rows: list[dict[str, Any]]) -> Path:
    if file.suffix == ".csv":
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, list(dict.fromkeys(k for row in rows for k in row)))
            writer.writeheader()
            writer.writerows(rows)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=_schema(rows)), file)
    return file


def _schema(rows: list[dict[str, Any]]) -> pyarrow.Schema | None:
    names = dict.fromkeys(k for row in rows for k in row)  # from_pylist() would take those of the first row only
    columns = {name: pyarrow.array([row.get(name) for row in rows]) for name in names}
    return pyarrow.schema([(name, column.type) for name, column in columns.items()])


def read_rows(tmp_path: Path, rows: list[dict[str, Any]], form: str = "jsonl") -> list[Sample]:
    return list(Manifest(write_table(tmp_path / f"manifest.{form}", rows), paths="any").samples())


# ------------------------------------------------------------------------------------------------------ round trips

times = st.integers(0, 10**7).map(lambda n: n / 1e4)
segments = st.lists(
    st.tuples(times, times, st.sampled_from(KINDS)).map(lambda t: Segment(min(t[0], t[1]), max(t[0], t[1]), t[2])),
    max_size=4,
).map(tuple)
# All of Unicode but lone surrogates (no text file can hold them) and NUL; nothing that is blank.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(segments)
def test_segments_survive_their_text(made: tuple[Segment, ...]) -> None:
    assert read_segments(write_segments(made)) == made


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    visual, audio = draw(st.sampled_from([*LABELS.values(), (None, None)]))
    allowed = {"sync"} | ({"visual"} if visual is not False else set()) | ({"audio"} if audio is not False else set())
    return Sample(
        Path(),
        "",
        visual_fake=visual,
        audio_fake=audio,
        segments=tuple(s for s in draw(segments) if s.kind in allowed),
        more=draw(st.dictionaries(st.sampled_from(["race", "größe", "licence, note"]), texts.filter(bool))),
        **{name: draw(texts) for name in ("source", "method", "identity", "source_video", "split")},
    )


@pytest.mark.parametrize("form", FORMATS)
@given(made=st.lists(samples(), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_samples_survive_a_manifest(form: str, made: list[Sample]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        rows = [{"path": f"a/{i}.mp4", **sample.entry().columns} for i, sample in enumerate(made)]
        back = read_rows(root, rows, form)
        named = [vars(s) | {"path": root / f"a/{i}.mp4", "name": f"a/{i}.mp4"} for i, s in enumerate(made)]
    assert [vars(s) for s in back] == named


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_typed_columns_mean_the_same_in_every_format(tmp_path: Path, form: str) -> None:
    rows = [
        {"path": "1.mp4", "visual_fake": True, "audio_fake": 0.0, "take": 3, "snr": 1.5},
        {"path": "2.mp4", "visual_fake": None, "audio_fake": math.nan, "take": None, "snr": None},
    ]
    first, second = read_rows(tmp_path, rows, form)
    assert (first.label, first.more) == ("FVRA", {"take": "3", "snr": "1.5"})
    assert (second.label, second.more) == ("", {})


def test_a_parquet_file_leaves_nulls_out_and_must_be_one(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "list.parquet", [{"path": "a/1.mp4", "identity": None}, {"path": "2.mp4", "identity": "ann"}]
    )
    assert [(e.name, e.columns) for e in read_entries(table)] == [("a/1.mp4", {}), ("2.mp4", {"identity": "ann"})]
    assert read_entries(table)[0].path == tmp_path / "a/1.mp4"
    table.write_text("path\n1.mp4\n")
    with pytest.raises(ValueError, match=r"list\.parquet: not a Parquet file"):
        read_entries(table)


def test_a_folder_called_like_a_column_adds_none(tmp_path: Path) -> None:
    (tmp_path / "split=train").mkdir()
    table = write_table(tmp_path / "split=train" / "list.parquet", [{"path": "1.mp4"}])
    assert read_entries(table)[0].columns == {}


def test_a_row_with_too_many_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,note\n1.mp4,fine,\n2.mp4,one,two\n")
    with pytest.raises(ValueError, match=r"row 2: more cells .*'two'"):
        read_entries(tmp_path / "a.csv")


# -------------------------------------------------------------------------------------------- what a row may say


def test_what_a_row_says(tmp_path: Path) -> None:
    rows = [
        {
            "path": "a/1.mp4",
            "label": "FVRA",
            "visual_fake": "1",
            "generator": "wav2lip",
            "method": "v2",
            "segments": [[0, 1.5, "visual"]],
            "identity": "ann",
            "source": "mine",
            "source_video": "tape 1",
            "split": "dev",
            "licence": "CC0",
            "empty": "",
        },
        {"path": "2.wav", "label": "FA", "method": "tts", "segments": '[[0.5, 1, "audio"]]'},
        {"path": "3.mp4", "visual_fake": 0, "audio_fake": "true"},
        {"path": "4.mp4"},
    ]
    one, two, three, four = read_rows(tmp_path, rows)
    assert one == Sample(
        tmp_path / "a/1.mp4",
        "a/1.mp4",
        "mine",
        True,
        False,
        "wav2lip",
        (Segment(0.0, 1.5, "visual"),),
        "ann",
        "tape 1",
        "dev",
        {"method": "v2", "licence": "CC0"},
    )
    assert (two.visual_fake, two.audio_fake, two.method, two.segments) == (
        None,
        True,
        "tts",
        (Segment(0.5, 1.0, "audio"),),
    )
    assert (three.label, four.label, four.source) == ("RVFA", "", "")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label": "FVRA", "visual_fake": 0}, "label FVRA contradicts visual_fake = 0"),
        ({"label": "RA", "audio_fake": "true"}, "label RA contradicts audio_fake = true"),
        ({"label": "fake"}, "label 'fake' is none of RVRA, FVRA"),
        ({"visual_fake": "maybe"}, "visual_fake is 'maybe'"),
        ({"label": "RVRA", "segments": [[0, 1, "audio"]]}, "a forged audio segment in a file whose audio is genuine"),
        ({"segments": [[0, 1, "video"]]}, "segment kind 'video' is none of visual, audio, sync"),
        ({"segments": [[2, 1, "audio"]]}, "2 to 1 s does not run forwards"),
        ({"segments": [[-1, 1, "audio"]]}, "does not run forwards from 0 s"),
        ({"segments": '[[0, NaN, "audio"]]'}, "does not run forwards"),
        ({"segments": "0-1"}, "JSON list of"),
        ({"segments": 3}, "JSON list of"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        read_rows(tmp_path, [{"path": "1.mp4"}, {"path": "b.mp4", **row}])
    assert "manifest.jsonl, row 2 (b.mp4): " in str(raised.value)


def test_where_the_table_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"has none; expected a manifest"):
        Manifest(tmp_path)
    (tmp_path / "1.mp4").touch()
    table = write_table(tmp_path / "manifest.csv", [{"path": "1.mp4", "label": "RV"}])
    assert list(Manifest(tmp_path).samples()) == list(Manifest(table).samples())
    write_table(tmp_path / "manifest.jsonl", [{"path": "1.mp4"}])
    with pytest.raises(FileNotFoundError, match=r"has 2: manifest\.csv, manifest\.jsonl"):
        Manifest(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"other\.csv does not exist"):
        Manifest(tmp_path / "other.csv")


def test_files_that_are_absent(tmp_path: Path) -> None:
    for name in ("1.mp4", "2.mp4"):
        (tmp_path / name).touch()
    rows = [{"path": f"{i}.mp4"} for i in range(1, 5)]
    table = write_table(tmp_path / "half.csv", rows)
    assert [s.path.is_file() for s in Manifest(table).samples()] == [True, True, False, False]
    write_table(table, [*rows, {"path": "5.mp4"}])
    with pytest.raises(FileNotFoundError, match=r"3 of 5.*3\.mp4"):
        Manifest(table)
    assert len(list(Manifest(table, paths="any").samples())) == 5
    with pytest.raises(ValueError, match="paths must be 'present' or 'any'"):
        Manifest(table, paths="all")


def test_the_index_of_real_clips_is_one(shared_data: Path) -> None:
    samples = list(Manifest(shared_data / "INDEX.csv").samples())
    assert len(samples) > 2000 and {"RVRA", "FVRA", "RVFA", "FV"} <= {s.label for s in samples} <= {*LABELS}
    assert all(s.path.is_file() and s.source for s in samples)
