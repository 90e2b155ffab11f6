"""Fingerprints: alike for copies, unlike for others; the search for pairs finds them all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from avdetect.data import neighbours
from avdetect.data.hashing import file_sha256, picture_hash, sound_hash
from avdetect.data.neighbours import (
    BOTH_BITS,
    PICTURE_BITS,
    SOUND_BITS,
    differing_bits,
    near_pairs,
    same_recording,
)
from avdetect.testing import synthetic_clip


def flipped(value: int, bits: int, rng: np.random.Generator) -> int:
    for bit in rng.choice(256, bits, replace=False):
        value ^= 1 << int(bit)
    return value


def text(value: int) -> str:
    return f"{value:064x}"


@pytest.mark.parametrize("block", [7, 2048])
def test_every_near_pair_is_found_and_no_other(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    rng = np.random.default_rng(0)
    pictures = [int.from_bytes(rng.bytes(32), "big") for _ in range(40)]
    sounds = [int.from_bytes(rng.bytes(32), "big") for _ in range(40)]
    pictures[31], pictures[32] = flipped(pictures[2], PICTURE_BITS, rng), flipped(pictures[3], PICTURE_BITS + 1, rng)
    sounds[33], sounds[34] = flipped(sounds[4], SOUND_BITS, rng), flipped(sounds[5], SOUND_BITS + 1, rng)
    pictures[35], sounds[35] = flipped(pictures[6], BOTH_BITS[0], rng), flipped(sounds[6], BOTH_BITS[1], rng)
    pictures[36], sounds[36] = flipped(pictures[7], BOTH_BITS[0] + 1, rng), flipped(sounds[7], BOTH_BITS[1], rng)
    pictures[37] = pictures[8]
    p: list[str | None] = [text(v) for v in pictures]
    s: list[str | None] = [text(v) for v in sounds]
    p += [None, p[9], None]
    s += [s[10], None, None]
    assert sorted(near_pairs(p, s)) == [
        (2, 31, "picture"),
        (4, 33, "sound"),
        (6, 35, "both"),
        (8, 37, "picture"),
        (9, 41, "picture"),
        (10, 40, "sound"),
    ]


def test_many_copies_cost_little() -> None:
    assert len(list(near_pairs(["0" * 64] * 5000, [None] * 5000))) == 4999


def test_wrong_fingerprints_are_refused() -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        list(near_pairs(["abc"], [None]))
    with pytest.raises(ValueError, match="1 pictures and 2 sounds"):
        list(near_pairs(["0" * 64], [None, None]))


def test_a_compressed_and_dimmed_face_is_near_and_another_texture_is_far() -> None:
    rng = np.random.default_rng(3)

    def faces(seed: int) -> np.ndarray:
        made = np.random.default_rng(seed)
        still = cv2.resize(made.uniform(40, 215, (12, 12, 3)).astype(np.float32), (160, 160))
        return np.clip(still + made.normal(0, 4, (20, 160, 160, 3)), 0, 255).astype(np.uint8)

    seen = np.ones(20, bool)
    one, other = faces(1), faces(2)
    copy = []
    for face in one:
        small = cv2.resize(face, (100, 100))
        _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])
        copy.append(cv2.resize(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)), (160, 160)) * 0.8)
    near = differing_bits(picture_hash(one, seen), picture_hash(np.array(copy).astype(np.uint8), seen))
    far = differing_bits(picture_hash(one, seen), picture_hash(other, seen))
    assert near is not None and far is not None and near <= PICTURE_BITS < BOTH_BITS[0] < far
    hidden = seen & (rng.random(20) < 2)
    hidden[3:] = False
    assert picture_hash(one, hidden) is None


def test_sound_that_is_quieter_noisy_and_late_is_near_and_another_voice_is_far() -> None:
    one, other = synthetic_clip(1, 100, face=False), synthetic_clip(2, 100, face=False)
    assert one.audio is not None and other.audio is not None
    noise = np.random.default_rng(0).normal(0, 0.003, len(one.audio)).astype(np.float32)
    copy = np.round(np.roll(one.audio * 0.5 + noise, 480) * 127) / 127  # 30 ms late, 8 bits
    near = differing_bits(sound_hash(one.audio, one.audio_valid), sound_hash(copy.astype(np.float32), one.audio_valid))
    far = differing_bits(sound_hash(one.audio, one.audio_valid), sound_hash(other.audio, other.audio_valid))
    assert near is not None and far is not None and near <= SOUND_BITS and far > BOTH_BITS[1]


def test_silence_and_snippets_have_no_fingerprint() -> None:
    assert sound_hash(np.zeros(64_000, np.float32), np.ones(100, bool)) is None
    voice = synthetic_clip(1, 100, face=False).audio
    assert voice is not None
    assert sound_hash(voice, np.arange(100) < 15) is None and sound_hash(voice, np.zeros(100, bool)) is None


def test_digest_of_a_file(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    (tmp_path / "f").write_bytes(data)
    assert file_sha256(tmp_path / "f") == hashlib.sha256(data).hexdigest()
    assert differing_bits(None, "0") is None and differing_bits("f", "1") == 3


def with_other_bits(print_: str, bits: int) -> str:
    return f"{int(print_, 16) ^ ((1 << bits) - 1):064x}"


@pytest.mark.parametrize(
    ("picture", "sound", "expected"),
    [
        (0, 87, True),  # one scene with and without noise
        (8, 10, True),  # coded anew
        (100, 20, True),  # the same sound under another picture
        (25, 60, True),  # much compressed
        (6, 120, False),  # one person who sits alike in two clips
        (100, 90, False),
        (40, 60, False),
    ],
)
def test_versions_of_one_recording(picture: int, sound: int, expected: bool) -> None:
    one: dict[str, str | None] = {"picture_hash": "5a" * 32, "sound_hash": "3c" * 32}
    other: dict[str, str | None] = {
        "picture_hash": with_other_bits("5a" * 32, picture),
        "sound_hash": with_other_bits("3c" * 32, sound),
    }
    assert same_recording(one, other) is expected and same_recording(other, one) is expected


def test_without_sound_the_picture_decides() -> None:
    one = {"picture_hash": "5a" * 32, "sound_hash": None}
    assert same_recording(one, {"picture_hash": with_other_bits("5a" * 32, 9), "sound_hash": "3c" * 32})
    assert not same_recording(one, {"picture_hash": with_other_bits("5a" * 32, 30), "sound_hash": "3c" * 32})
    assert not same_recording({}, {})


def test_a_copy_is_of_the_same_recording_however_it_was_coded() -> None:
    hashes = {"picture_hash": "5a" * 32, "sound_hash": "3c" * 32}
    film = {"path": "a.mp4", **{name: value[::-1] for name, value in hashes.items()}}
    copy = {"path": "a.mp4.small.mp4", "copy_of": "a.mp4", **hashes}
    assert same_recording(film, copy) and same_recording(copy, film)
    assert same_recording(copy, {"path": "a.mp4.tiny.mp4", "copy_of": "a.mp4"})
    assert not same_recording(copy, {"path": "b.mp4.small.mp4", "copy_of": "b.mp4"})
    assert not same_recording(film, {"path": "a.mp4"}), "two tracks of one film are not said to be the same seconds"
