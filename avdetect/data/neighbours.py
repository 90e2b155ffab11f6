"""Near-duplicates: pairs of clips whose fingerprints differ in few bits.

All pairs are compared, as products of matrices of signs: 100,000 clips take about a minute on two cores.

Distances on real clips (of 256 bits), from which the limits were chosen: between people at least 58 in the picture and
99 in the sound; a clip and its copy at 0.7 of the size, CRF 33 and AAC at 48 kbit/s: 2 to 30 and 5 to 42; a clip and
its lip-sync edit: 6 to 12 in the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from avdetect.data.hashing import BITS

PICTURE_BITS, SOUND_BITS = 15, 48
"""Clips that differ in no more bits than this in either are near-duplicates..."""
BOTH_BITS = (32, 64)
"""... and those that differ in no more than this in picture and sound at once."""
OTHER_SOUND_BITS = 96
"""Four standard deviations fewer than the 128 of two sounds that have nothing to do with each other. Of one scene with
and without noise, up to 87 bits differ."""
_BLOCK = 2048


def near_pairs(pictures: Sequence[str | None], sounds: Sequence[str | None]) -> Iterator[tuple[int, int, str]]:
    """Pairs of clips that are nearly the same, and in what: ``picture``, ``sound`` or ``both``.

    Of clips with the very same fingerprint each is paired with the first only, which is enough to group them.

    Args:
        pictures: fingerprints of `avdetect.data.hashing`, ``None`` where there is none.
        sounds: the same of the sound.

    Raises:
        ValueError: not as many sounds as pictures, or a fingerprint of another length.
    """
    if len(pictures) != len(sounds):
        raise ValueError(f"{len(pictures)} pictures and {len(sounds)} sounds")
    for values, limit, kind in ((pictures, PICTURE_BITS, "picture"), (sounds, SOUND_BITS, "sound")):
        first: dict[str, int] = {}
        for i, value in enumerate(values):
            if value is not None and first.setdefault(value, i) != i:
                yield first[value], i, kind
        rows = list(first.values())
        for i, j in _close([_signs([values[r] for r in rows])], [limit]):
            yield rows[i], rows[j], kind
    both = {(p, s): i for i, (p, s) in reversed(list(enumerate(zip(pictures, sounds, strict=True)))) if p and s}
    rows = sorted(both.values())
    signs = [_signs([values[r] for r in rows]) for values in (pictures, sounds)]
    for i, j in _close(signs, BOTH_BITS):
        yield rows[i], rows[j], "both"


def differing_bits(one: str | None, other: str | None) -> int | None:
    """Bits in which two fingerprints differ; ``None`` where one is missing."""
    return None if one is None or other is None else (int(one, 16) ^ int(other, 16)).bit_count()


def same_recording(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two clips are of the same seconds, so that the sound of either fits the lips of both.

    One may be cleaned, made noisy or coded anew. Pictures that are alike do not suffice where the sounds are plainly
    others: one person sits alike in many clips.

    Args:
        one: row of an index, with ``picture_hash``, ``sound_hash`` and ``copy_of`` (or ``path``) where they are known.
        other: another.
    """
    if film_of(one) is not None and film_of(one) == film_of(other) and (one.get("copy_of") or other.get("copy_of")):
        return True
    picture, sound = (differing_bits(one.get(n), other.get(n)) for n in ("picture_hash", "sound_hash"))
    alike = picture is not None and picture <= PICTURE_BITS
    if sound is None:
        return alike
    nearly = picture is not None and picture <= BOTH_BITS[0] and sound <= BOTH_BITS[1]
    return sound <= SOUND_BITS or nearly or (alike and sound < OTHER_SOUND_BITS)


def film_of(row: Mapping[str, Any]) -> str | None:
    """The file that a clip is of, or the one that this is a copy of; ``None`` where the row names neither."""
    return row.get("copy_of") or row.get("path")


def _signs(values: Sequence[str | None]) -> np.ndarray:
    if any(value is None or len(value) != BITS // 4 for value in values):
        raise ValueError(f"a fingerprint has {BITS // 4} hexadecimal digits; prepare the data again with this version")
    raw = np.frombuffer(bytes.fromhex("".join(map(str, values))), np.uint8).reshape(-1, BITS // 8)
    return np.unpackbits(raw, axis=1).astype(np.float32) * 2 - 1


def _close(signs: Sequence[np.ndarray], limits: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs i < j whose distance is within the limit in each of the matrices."""
    n = len(signs[0])
    for low in range(0, n, _BLOCK):
        for start in range(low, n, _BLOCK):
            near: np.ndarray | None = None
            for matrix, limit in zip(signs, limits, strict=True):
                product = matrix[low : low + _BLOCK] @ matrix[start : start + _BLOCK].T
                within = product >= BITS - 2 * limit
                near = within if near is None else near & within
            assert near is not None
            for i, j in zip(*np.nonzero(near), strict=True):
                if low + i < start + j:
                    yield int(low + i), int(start + j)
