"""One clip = one record: a msgpack map of codes that lose nothing of what the networks are given.

Pictures are PNG (lossless: forgery traces must survive), the sound is 16-bit PCM, landmarks are float16 in units of the
face crop (a step of 1/2048 at the far end, a twelfth of a pixel). Face crops, the largest part, are kept for every
``FACE_STRIDE``-th tick only; mouth crops, landmarks and sound for every tick.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import cv2
import msgpack
import numpy as np
from jaxtyping import Bool, Float16, Float32, Int16, UInt8

from avdetect.types import FACE_SIZE, MOUTH_SIZE, SAMPLES_PER_TICK, Clip, FaceTrack, Quality

SCHEMA = "avdetect.record/2"
FACE_STRIDE = 5
"""A face crop is kept for ticks 0, 5, 10 ... of the clip (five a second)."""


@dataclass(frozen=True)
class Record:
    """A clip as stored.

    Attributes:
        key: name of the record, unique in its folder.
        meta: the row of the index (see ``docs/data.md``).
        landmarks: mesh points, units of the face crop.
        visible: ticks where the face was found.
        mouths: aligned RGB mouth crops.
        faces: aligned RGB face crops of every fifth tick.
        audio: 16 kHz mono, or ``None``.
        audio_valid: ticks covered by sound.
        speech: probability of speech per tick, 0 ... 255, or ``None`` where it was not measured.
        quality: measures per tick, float16, columns in the order of `avdetect.types.Quality`.
        matrices: see `avdetect.types.FaceTrack`.
        mouth_centres: see `avdetect.types.FaceTrack`.
    """

    key: str
    meta: dict[str, Any]
    landmarks: Float16[np.ndarray, "t 468 3"] | None
    visible: Bool[np.ndarray, " t"] | None
    mouths: UInt8[np.ndarray, "t h w 3"] | None
    faces: UInt8[np.ndarray, "n h w 3"] | None
    audio: Int16[np.ndarray, " s"] | None
    audio_valid: Bool[np.ndarray, " t"]
    speech: UInt8[np.ndarray, " t"] | None
    quality: Float16[np.ndarray, "t q"] | None
    matrices: Float32[np.ndarray, "t 2 3"] | None = None
    mouth_centres: Float32[np.ndarray, "t 2"] | None = None

    @property
    def n_ticks(self) -> int:
        """Number of ticks."""
        return len(self.audio_valid)


def record_of(clip: Clip, key: str, meta: dict[str, Any], *, speech: np.ndarray | None = None) -> Record:
    """The record of a clip. ``speech`` is a probability per tick in [0, 1]."""
    track = clip.track
    audio = None if clip.audio is None else np.round(np.clip(clip.audio, -1, 1) * 32767).astype(np.int16)
    quality = None
    if track is not None:
        columns = [getattr(track.quality, f.name) for f in dataclasses.fields(Quality)]
        quality = np.clip(np.stack(columns, axis=1), -6e4, 6e4).astype(np.float16)
    return Record(
        key=key,
        meta=meta,
        landmarks=None if track is None else track.landmarks.astype(np.float16),
        visible=None if track is None else track.visible,
        mouths=None if track is None else track.mouths,
        faces=None if track is None else track.faces[::FACE_STRIDE],
        audio=audio,
        audio_valid=clip.audio_valid,
        speech=None if speech is None else np.round(speech * 255).astype(np.uint8),
        quality=quality,
        matrices=None if track is None else track.matrices,
        mouth_centres=None if track is None else track.mouth_centres,
    )


def encode(record: Record) -> bytes:
    """A record as bytes; equal records give equal bytes."""
    return msgpack.packb(  # type: ignore[return-value]
        {
            "schema": SCHEMA,
            "key": record.key,
            "meta": dict(sorted(record.meta.items())),
            "n_ticks": record.n_ticks,
            "landmarks": _raw(record.landmarks),
            "visible": _bits(record.visible),
            "mouths": _pictures(record.mouths),
            "faces": _pictures(record.faces),
            "audio": _raw(record.audio),
            "audio_valid": _bits(record.audio_valid),
            "speech": _raw(record.speech),
            "quality": _raw(record.quality),
            "matrices": _raw(record.matrices),
            "mouth_centres": _raw(record.mouth_centres),
        }
    )


def decode(data: bytes, *, pictures: tuple[str, ...] = ("mouths", "faces")) -> Record:
    """Inverse of :func:`encode`; pictures not named are left out (``None``), which saves most of the time.

    Raises:
        ValueError: not a record, or of another schema.
    """
    raw = msgpack.unpackb(data)
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
        raise ValueError(f"not an {SCHEMA} record (found {found!r}); prepare the data again with this version")
    t = raw["n_ticks"]

    def array(name: str, dtype: type, shape: tuple[int, ...]) -> Any:
        return None if raw[name] is None else np.frombuffer(raw[name], dtype).reshape(shape)

    def bits(name: str) -> Any:
        return None if raw[name] is None else np.unpackbits(np.frombuffer(raw[name], np.uint8), count=t).astype(bool)

    return Record(
        key=raw["key"],
        meta=raw["meta"],
        landmarks=array("landmarks", np.float16, (t, -1, 3)),
        visible=bits("visible"),
        mouths=_decode_pictures(raw["mouths"]) if "mouths" in pictures else None,
        faces=_decode_pictures(raw["faces"]) if "faces" in pictures else None,
        audio=array("audio", np.int16, (t * SAMPLES_PER_TICK,)),
        audio_valid=bits("audio_valid"),
        speech=array("speech", np.uint8, (t,)),
        quality=array("quality", np.float16, (t, -1)),
        matrices=array("matrices", np.float32, (t, 2, 3)),
        mouth_centres=array("mouth_centres", np.float32, (t, 2)),
    )


def with_meta(data: bytes, meta: dict[str, Any]) -> bytes:
    """An encoded record with another ``meta``; nothing else of it is decoded."""
    return msgpack.packb({**msgpack.unpackb(data), "meta": dict(sorted(meta.items()))})  # type: ignore[return-value]


def _raw(array: np.ndarray | None) -> bytes | None:
    return None if array is None else np.ascontiguousarray(array).tobytes()


def _bits(mask: np.ndarray | None) -> bytes | None:
    return None if mask is None else np.packbits(mask).tobytes()


def _pictures(pictures: np.ndarray | None) -> dict[str, Any] | None:
    """All pictures below each other as one PNG."""
    if pictures is None or len(pictures) == 0:
        return None
    n, h, w, c = pictures.shape
    good, png = cv2.imencode(".png", cv2.cvtColor(pictures.reshape(n * h, w, c), cv2.COLOR_RGB2BGR))
    if not good:
        raise ValueError(f"OpenCV could not encode {n} pictures of {w} x {h}")
    return {"height": h, "png": png.tobytes()}


def _decode_pictures(stored: dict[str, Any] | None) -> np.ndarray | None:
    if stored is None:
        return None
    strip = cv2.imdecode(np.frombuffer(stored["png"], np.uint8), cv2.IMREAD_COLOR)
    if strip is None:
        raise ValueError("a record holds a picture that cannot be decoded: the shard is damaged")
    return cv2.cvtColor(strip, cv2.COLOR_BGR2RGB).reshape(-1, stored["height"], strip.shape[1], 3)


def clip_of_record(record: Record) -> Clip:
    """The clip that a record was made of; face crops that were not kept are black (no detector looks at them)."""
    t = record.n_ticks
    track = None
    if record.landmarks is not None and record.visible is not None and record.quality is not None:
        faces = np.zeros((t, FACE_SIZE, FACE_SIZE, 3), np.uint8)
        if record.faces is not None:
            faces[::FACE_STRIDE] = record.faces
        mouths = record.mouths if record.mouths is not None else np.zeros((t, MOUTH_SIZE, MOUTH_SIZE, 3), np.uint8)
        names = [f.name for f in dataclasses.fields(Quality)]
        quality = Quality(**{n: record.quality[:, i].astype(np.float32) for i, n in enumerate(names)})
        track = FaceTrack(
            track_id=int(record.meta["track_id"]),
            start_tick=int(record.meta["start_tick"]),
            faces=faces,
            mouths=mouths,
            landmarks=record.landmarks.astype(np.float32),
            visible=record.visible,
            boxes=np.zeros((t, 4), np.float32),
            quality=quality,
            matrices=record.matrices,
            mouth_centres=record.mouth_centres,
        )
    audio = None if record.audio is None else record.audio.astype(np.float32) / 32767
    return Clip(track=track, audio=audio, audio_valid=record.audio_valid)
