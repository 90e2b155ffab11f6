"""Long JSON lists, object by object."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.data.sources.json_list import json_objects

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(st.none() | st.booleans() | st.integers() | texts, st.lists, max_leaves=4)


@given(
    st.lists(st.dictionaries(texts, values, max_size=3)),
    st.sampled_from([None, 1]),
)
@settings(max_examples=60, deadline=None)
def test_it_reads_what_json_reads(items: list[dict], indent: int | None) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.json"
        file.write_text(json.dumps(items, indent=indent, ensure_ascii=False), encoding="utf-8")
        assert list(json_objects(file)) == list(enumerate(items))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"file": 1}', r"expected \[ at character 0, found '\{"),
        ("", r"expected \[ at character 0, found the end"),
        ('[{"a": 1}, {"b": ', "object 1: not JSON .*copied whole"),
        ('[{"a": 1}, ', r"expected \{ at character 11, found the end: was it copied whole"),
        ('[{"a": 1} {"b": 1}]', r"expected , or \] at character 10"),
        ('["a"]', r"expected \{ at character 1"),
    ],
)
def test_what_is_no_list_of_objects_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(ValueError, match=message) as raised:
        list(json_objects(tmp_path / "labels.json"))
    assert "labels.json" in str(raised.value)
