"""A folder of records: complete or untouched."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from avdetect.data.records import SCHEMA, Record, encode
from avdetect.data.store import RecordStore, RecordWriter


def fill(folder: Path, records: list[Record], *, shard_bytes: int = 64 << 20) -> RecordStore:
    with RecordWriter(folder, shard_bytes=shard_bytes) as writer:
        for record in records:
            writer.add(encode(record), record.meta)
    return RecordStore(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((folder / "shards").iterdir())}


def test_what_is_written_is_read(tmp_path: Path, make_record) -> None:
    records = [make_record(i, 3 + i, source="drawn", label=i % 2) for i in range(5)]
    size = len(encode(records[0]))
    store = fill(tmp_path, records, shard_bytes=2 * size)
    assert len(store) == 5 and len({row["shard"] for row in store.index}) > 1, "several shards"
    for i in (4, 0, 2, 3, 1):
        found = store.read(i)
        assert found.key == records[i].key == store.index[i]["key"]
        np.testing.assert_array_equal(found.mouths, records[i].mouths)
    about = json.loads((tmp_path / "shards" / "store.json").read_text())
    assert about["schema"] == SCHEMA and about["records"] == 5
    assert about["shards"] == len(list((tmp_path / "shards").glob("*.array_record")))


def test_equal_records_give_equal_files(tmp_path: Path, make_record) -> None:
    records = [make_record(i) for i in range(3)]
    for name in ("a", "b"):
        fill(tmp_path / name, records)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_failing_writer_leaves_the_old_store(tmp_path: Path, make_record) -> None:
    fill(tmp_path, [make_record(i) for i in range(3)])
    before = content(tmp_path)
    with pytest.raises(RuntimeError, match="disk"), RecordWriter(tmp_path) as writer:
        writer.add(encode(make_record(9)), {"key": "other"})
        raise RuntimeError("disk full")
    assert content(tmp_path) == before and len(RecordStore(tmp_path)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["shards"], "nothing is left lying about"


def test_a_writer_that_fails_while_closing_leaves_the_old_store(
    tmp_path: Path, make_record, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, [make_record(i) for i in range(3)])
    before = content(tmp_path)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("avdetect.data.store.pq.write_table", full)
    with pytest.raises(OSError, match="disk full"):
        fill(tmp_path, [make_record(9)])
    assert content(tmp_path) == before
    monkeypatch.undo()
    assert len(fill(tmp_path, [make_record(9)])) == 1, "what was left behind does not disturb the next"


def test_a_new_store_replaces_the_old_one(tmp_path: Path, make_record) -> None:
    fill(tmp_path, [make_record(i) for i in range(3)])
    store = fill(tmp_path, [make_record(7)])
    assert [row["key"] for row in store.index] == ["clip7#0@0"]


def test_an_empty_store(tmp_path: Path) -> None:
    with RecordWriter(tmp_path) as writer:
        writer.reject("a.mp4", 'no face, "as it were"\nnor sound')
    store = RecordStore(tmp_path)
    assert len(store) == 0 and store.where("split=train") == []
    with (tmp_path / "shards" / "rejected.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"path": "a.mp4", "reason": 'no face, "as it were"\nnor sound'}]


def test_columns_of_mixed_types_become_text_and_missing_ones_none(tmp_path: Path, make_record) -> None:
    rows: list[dict] = [{"label": 1, "score": 1}, {"label": "yes", "score": 2.5}, {"note": "x"}]
    store = fill(tmp_path, [make_record(i, **row) for i, row in enumerate(rows)])
    assert [r["label"] for r in store.index] == ["1", "yes", None]
    assert [r["score"] for r in store.index] == [1.0, 2.5, None]
    assert [r["note"] for r in store.index] == [None, None, "x"]


def test_nothing_prepared_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"tools\.prepare.*--out"):
        RecordStore(tmp_path)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, make_record) -> RecordStore:
    rows: list[dict] = [
        {"split": "train", "source": "A", "fold": 0, "identity": "ann"},
        {"split": "train", "source": "B b", "fold": 1, "identity": "bob"},
        {"split": "val", "source": "A", "fold": 2, "identity": "cy"},
        {"split": "dev", "source": "A2", "fold": 10},
    ]
    return fill(tmp_path_factory.mktemp("people"), [make_record(i, 1, **row) for i, row in enumerate(rows)])


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("", [0, 1, 2, 3]),
        ("split=train", [0, 1]),
        ("split=train,val", [0, 1, 2]),
        ("split=train;source=A", [0]),
        (" split = val | source=B b ", [1, 2]),
        ("source=A*", [0, 2, 3]),
        ("source!=A*", [1]),
        ("source != A", [1, 3]),
        ("fold=1", [1]),
        ("identity=", [3]),
        ("identity!=", [0, 1, 2]),
        ("split=train|split=train", [0, 1]),
        ("split=nothing", []),
    ],
)
def test_conditions(people: RecordStore, condition: str, rows: list[int]) -> None:
    assert people.where(condition) == rows


def test_wrong_conditions(people: RecordStore) -> None:
    with pytest.raises(KeyError, match=r"splat.*split"):
        people.where("split=train;splat=1")
    with pytest.raises(ValueError, match="column=value"):
        people.where("split")
    for condition in ("split=train|", "|split=train", "split=train| ;|split=val", "|"):
        with pytest.raises(ValueError, match=r"nothing on one side of a '\|'"):
            people.where(condition)


def test_a_shard_that_is_damaged_or_missing_is_named(tmp_path: Path, make_record) -> None:
    fill(tmp_path, [make_record(0, 40)])
    shard = tmp_path / "shards" / "00000.array_record"
    whole = bytearray(shard.read_bytes())
    whole[5000] ^= 0xFF
    shard.write_bytes(whole)
    with pytest.raises(ValueError, match=r"00000\.array_record: clip0#0@0 cannot be read .*; prepare again"):
        RecordStore(tmp_path).read(0)
    shard.unlink()
    with pytest.raises(FileNotFoundError, match=r"00000\.array_record, .* clip0#0@0, is missing; prepare"):
        RecordStore(tmp_path).read(0)
