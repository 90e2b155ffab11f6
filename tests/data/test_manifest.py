"""Folders and manifests of media."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdetect.data.manifest import read_entries


def test_a_folder_is_searched_by_suffix_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b/two.MP4", "a.wav", "b/notes.txt", "c.mkv", "b/a/one.webm"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    entries = read_entries(tmp_path)
    assert [e.name for e in entries] == ["a.wav", "b/a/one.webm", "b/two.MP4", "c.mkv"]
    assert all(e.path.is_file() and e.columns == {} for e in entries)


def test_a_table_keeps_its_columns_and_order(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_bytes("\ufeffpath,identity,split\nz/1.mp4,ann,train\n../2.mp4,bob,\n".encode())
    first, second = read_entries(manifest)
    assert (first.name, first.columns) == ("z/1.mp4", {"identity": "ann", "split": "train"})
    assert first.path == tmp_path / "z/1.mp4" and second.path == tmp_path.parent / "2.mp4"


def test_lines_of_json(tmp_path: Path) -> None:
    manifest = tmp_path / "list.jsonl"
    manifest.write_text('{"path": "1.mp4", "visual_fake": 1}\n\n{"path": "2.mp4"}\n')
    entries = read_entries(manifest)
    assert [(e.name, e.columns) for e in entries] == [("1.mp4", {"visual_fake": 1}), ("2.mp4", {})]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "file,split\n1.mp4,train\n", r"row 1: no 'path'.*file, split"),
        ("a.csv", "path,split\n1.mp4,a\n,b\n", "row 2: no 'path'"),
        ("a.csv", "path\n1.mp4\n2.mp4\n1.mp4\n", r"row 3: 1\.mp4 is named twice"),
        ("a.jsonl", '{"path": "1.mp4"}\n{"path": \n', "line 2: not JSON"),
        ("a.jsonl", '["1.mp4"]\n', "line 1: expected an object, got list"),
        ("a.txt", "1.mp4\n", r"\.csv or \.jsonl"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    manifest = tmp_path / name
    manifest.write_text(text)
    with pytest.raises(ValueError, match=message) as raised:
        read_entries(manifest)
    assert name in str(raised.value)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_manifest_that_is_not_utf8_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("path,identity\n1.mp4,José\n".encode("latin-1"))
    with pytest.raises(ValueError, match=rf"{name}: byte \d+ is not UTF-8; save it as UTF-8"):
        read_entries(tmp_path / name)


def test_a_cell_may_have_several_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes('\ufeffpath,note\r\n1.mp4,"a\r\nb"\r\n2.mp4,\r\n'.encode())
    assert [(e.name, e.columns) for e in read_entries(tmp_path / "a.csv")] == [
        ("1.mp4", {"note": "a\r\nb"}),
        ("2.mp4", {"note": ""}),
    ]


def test_neither_folder_nor_manifest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither"):
        read_entries(tmp_path / "nowhere")
