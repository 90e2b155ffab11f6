"""A record keeps everything that the networks are given."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.data.records import FACE_STRIDE, SCHEMA, Record, clip_of_record, decode, encode, record_of
from avdetect.testing import synthetic_clip
from avdetect.types import Quality


def same(a: Record, b: Record) -> None:
    for field in dataclasses.fields(Record):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert isinstance(y, np.ndarray) and x.dtype == y.dtype, field.name
            np.testing.assert_array_equal(x, y, err_msg=field.name)
        else:
            assert x == y, field.name


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    ticks=st.integers(1, 12),
    face=st.booleans(),
    sound=st.booleans(),
    speech=st.booleans(),
    meta=st.dictionaries(
        st.text(min_size=1, max_size=5).map(lambda s: f"x{s}"),
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=9),
        max_size=4,
    ),
)
def test_round_trip(make_record, seed: int, ticks: int, face: bool, sound: bool, speech: bool, meta: dict) -> None:
    record = make_record(seed, ticks, face=face, sound=sound, speech=speech, **meta)
    data = encode(record)
    same(decode(data), record)
    assert decode(data).n_ticks == ticks
    turned = dataclasses.replace(record, meta=dict(reversed(record.meta.items())))
    assert encode(turned) == data, "equal records give equal bytes"


def test_other_records_give_other_bytes(make_record) -> None:
    record = make_record(0)
    changed = record.mouths.copy()
    changed[-1, -1, -1, -1] ^= 1
    assert encode(dataclasses.replace(record, mouths=changed)) != encode(record)


def test_pictures_can_be_left_out(make_record) -> None:
    data = encode(make_record(1))
    bare = decode(data, pictures=())
    assert bare.mouths is None and bare.faces is None and bare.landmarks is not None
    faces = decode(data, pictures=("faces",))
    assert faces.mouths is None and faces.faces is not None


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (msgpack.packb({"schema": "avdetect.record/99"}), "record/99"),
        (msgpack.packb({}), "None"),
        (msgpack.packb([1, 2]), "list"),
    ],
)
def test_what_is_no_record_is_refused(data: bytes, found: str) -> None:
    with pytest.raises(ValueError, match=found) as raised:
        decode(data)
    assert SCHEMA in str(raised.value)


def test_cut_bytes_are_refused(make_record) -> None:
    data = encode(make_record(0))
    for size in (0, 10, len(data) - 1):
        with pytest.raises(ValueError):
            decode(data[:size])


def test_a_damaged_picture_is_named(make_record) -> None:
    raw = msgpack.unpackb(encode(make_record(0)))
    raw["mouths"]["png"] = raw["mouths"]["png"][:50]
    packed: Any = msgpack.packb(raw)
    with pytest.raises(ValueError, match="damaged"):
        decode(packed)


def test_a_clip_comes_back_as_the_networks_see_it() -> None:
    clip = synthetic_clip(4, 13, start_tick=30, track_id=2)
    assert clip.track is not None and clip.audio is not None
    speech = np.linspace(0, 1, 13)
    record = decode(encode(record_of(clip, "k", {"track_id": 2, "start_tick": 30}, speech=speech)))
    back = clip_of_record(record)
    assert back.track is not None and back.audio is not None
    assert (back.track.track_id, back.track.start_tick) == (2, 30)
    np.testing.assert_array_equal(back.track.mouths, clip.track.mouths)
    np.testing.assert_array_equal(back.track.faces[::FACE_STRIDE], clip.track.faces[::FACE_STRIDE])
    np.testing.assert_array_equal(back.track.visible, clip.track.visible)
    np.testing.assert_array_equal(back.audio_valid, clip.audio_valid)
    np.testing.assert_allclose(back.audio, clip.audio, atol=0.6 / 32767)
    np.testing.assert_allclose(back.track.landmarks, clip.track.landmarks, atol=1 / 2048)
    for field in dataclasses.fields(Quality):
        np.testing.assert_allclose(getattr(back.track.quality, field.name), getattr(clip.track.quality, field.name),
                                   rtol=2e-3)  # fmt: skip
    assert record.speech is not None
    np.testing.assert_allclose(record.speech / 255, speech, atol=0.5 / 255 + 1e-9)
    again = record_of(back, "k", {"track_id": 2, "start_tick": 30}, speech=record.speech / 255)
    same(decode(encode(again)), record)


def test_sound_alone_and_a_face_alone() -> None:
    voice = clip_of_record(decode(encode(record_of(synthetic_clip(1, 5, face=False), "k", {}))))
    assert voice.track is None and voice.audio is not None and voice.n_ticks == 5
    face = clip_of_record(
        decode(encode(record_of(synthetic_clip(1, 5, sound=False), "k", {"track_id": 0, "start_tick": 0})))
    )
    assert face.audio is None and face.track is not None and not face.audio_valid.any()


def test_measures_that_are_missing_or_huge_are_kept_as_well_as_half_precision_can() -> None:
    clip = synthetic_clip(1, 3)
    assert clip.track is not None
    quality = dataclasses.replace(clip.track.quality, sharpness=np.array([np.nan, 1e9, -1.0], np.float32))
    record = record_of(dataclasses.replace(clip, track=dataclasses.replace(clip.track, quality=quality)), "k", {})
    assert record.quality is not None
    column = record.quality[:, [f.name for f in dataclasses.fields(Quality)].index("sharpness")]
    assert np.isnan(column[0]) and np.isfinite(column[1]) and column[2] == -1
