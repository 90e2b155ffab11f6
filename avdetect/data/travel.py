"""Records made small enough to be carried to another machine: all that lips-and-sound and voice networks train on.

A folder of three files: ``sound.flac`` (or ``sound.ogg``, coded as Opus), ``mouths.mp4`` (grey, H.264, all clips one
after another) and ``clips.msgpack.xz`` (rows of the index, masks, speech, and the mesh points of the lips rounded to a
4096th of the face crop). Face crops, colour and the other mesh points stay at home.
"""

from __future__ import annotations

import contextlib
import dataclasses
import lzma
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import msgpack
import numpy as np
import soundfile

from avdetect.data.records import Record, encode
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.models.sync import LIP_POINTS
from avdetect.types import MOUTH_SIZE, SAMPLE_RATE, SAMPLES_PER_TICK, TICK_RATE

SCHEMA = "avdetect.travel/1"
STEP = 4096
"""Steps of a mesh point's coordinate along the side of the face crop."""
POINTS = 468
LOSSLESS, CODED = "sound.flac", "sound.ogg"


def pack(
    store: RecordStore, rows: Iterable[int], out: Path, *, pictures: bool, crf: int, ticks: int, coded: bool
) -> int:
    """Write the folder; returns its bytes.

    Args:
        store: the records.
        rows: of its index.
        out: a new folder.
        pictures: mouths and mesh points as well as sound.
        crf: quality of the mouths, 0 to 51 (worst).
        ticks: longer clips are cut there.
        coded: sound as Opus, a third of the size; for spectrograms, not for what tells voices apart.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (LOSSLESS, CODED, "mouths.mp4"):  # of an earlier, other copy
        (out / name).unlink(missing_ok=True)
    records = (_cut(store.read(i, pictures=("mouths",) if pictures else ()), ticks) for i in rows)
    clips, sounds = [], []
    with _film(out / "mouths.mp4", crf) if pictures else contextlib.nullcontext() as film:
        for record in records:
            if record.audio is not None:
                sounds.append(record.audio)
            clips.append(_clip(record, pictures=pictures))
            if film is not None and record.mouths is not None:
                for mouth in record.mouths:
                    film(cv2.cvtColor(mouth, cv2.COLOR_RGB2GRAY))
    sound = np.concatenate(sounds or [np.zeros(1, np.int16)])
    if coded:
        with soundfile.SoundFile(out / CODED, "w", SAMPLE_RATE, 1, "OPUS", format="OGG", compression_level=0.8) as file:
            for start in range(0, len(sound), 1 << 20):
                file.write(sound[start : start + (1 << 20)])
    else:
        soundfile.write(out / LOSSLESS, sound, SAMPLE_RATE)
    packed = msgpack.packb({"schema": SCHEMA, "pictures": pictures, "clips": clips})
    (out / "clips.msgpack.xz").write_bytes(lzma.compress(packed, preset=6))  # type: ignore[arg-type]
    return sum(p.stat().st_size for p in out.iterdir())


def unpack(folder: Path, out: Path) -> int:
    """Records of a folder that :func:`pack` wrote, as a store; returns how many.

    Raises:
        ValueError: it is no such folder.
    """
    stored = msgpack.unpackb(lzma.decompress((folder / "clips.msgpack.xz").read_bytes()))
    if stored.get("schema") != SCHEMA:
        raise ValueError(f"{folder} was not written by this version of pack ({stored.get('schema')!r}, not {SCHEMA!r})")
    whole = next((folder / name for name in (LOSSLESS, CODED) if (folder / name).is_file()), folder / LOSSLESS)
    sound, _ = soundfile.read(whole, dtype="int16")
    frames = _frames(folder / "mouths.mp4") if stored["pictures"] else iter(())
    heard = 0
    with RecordWriter(out) as writer:
        for clip in stored["clips"]:
            samples = clip["n_ticks"] * SAMPLES_PER_TICK if clip["sound"] else 0
            record = _record(clip, sound[heard : heard + samples] if clip["sound"] else None, frames)
            heard += samples
            row = {k: v for k, v in record.meta.items() if k not in ("shard", "row")}
            writer.add(encode(record), row)
    return len(stored["clips"])


def _cut(record: Record, ticks: int) -> Record:
    if record.n_ticks <= ticks:
        return record

    def short(x: Any, n: int) -> Any:
        return None if x is None else x[:n]

    names = ("landmarks", "visible", "mouths", "audio_valid", "speech", "quality", "matrices", "mouth_centres")
    return dataclasses.replace(
        record,
        **{name: short(getattr(record, name), ticks) for name in names},
        audio=short(record.audio, ticks * SAMPLES_PER_TICK),
        faces=None,
    )


def _clip(record: Record, *, pictures: bool) -> dict[str, Any]:
    points = None
    if pictures and record.landmarks is not None:
        steps = np.round(np.nan_to_num(record.landmarks[:, LIP_POINTS].astype(np.float32)) * STEP)
        steps = np.clip(steps, -32768, 32767).astype(np.int32)
        # Changes from tick to tick, high and low bytes apart: what an entropy coder does best with.
        change = np.diff(steps, axis=0, prepend=0).astype(np.int16).transpose(1, 2, 0)
        points = [((change >> 8) & 255).astype(np.uint8).tobytes(), (change & 255).astype(np.uint8).tobytes()]
    return {
        "key": record.key,
        "meta": record.meta,
        "n_ticks": record.n_ticks,
        "sound": record.audio is not None,
        "mouths": pictures and record.mouths is not None,
        "points": points,
        "visible": None if record.visible is None else record.visible.tobytes(),
        "audio_valid": record.audio_valid.tobytes(),
        "speech": None if record.speech is None else record.speech.tobytes(),
    }


def _record(clip: dict[str, Any], sound: np.ndarray | None, frames: Iterator[np.ndarray]) -> Record:
    t = clip["n_ticks"]
    landmarks = mouths = None
    if clip["points"] is not None:
        high, low = (np.frombuffer(x, np.uint8).astype(np.uint16) for x in clip["points"])
        change = ((high << 8) | low).astype(np.int16).reshape(len(LIP_POINTS), 3, t).transpose(2, 0, 1)
        landmarks = np.zeros((t, POINTS, 3), np.float16)
        landmarks[:, LIP_POINTS] = (np.cumsum(change.astype(np.int64), axis=0) / STEP).astype(np.float16)
    if clip["mouths"]:
        mouths = np.stack([np.repeat(next(frames)[..., None], 3, axis=-1) for _ in range(t)])
    return Record(
        key=clip["key"],
        meta=clip["meta"],
        landmarks=landmarks,
        visible=None if clip["visible"] is None else np.frombuffer(clip["visible"], bool),
        mouths=mouths,
        faces=None,
        audio=sound,
        audio_valid=np.frombuffer(clip["audio_valid"], bool),
        speech=None if clip["speech"] is None else np.frombuffer(clip["speech"], np.uint8),
        quality=None,
    )


def _frames(path: Path) -> Iterator[np.ndarray]:
    film = cv2.VideoCapture(str(path))
    while True:
        good, frame = film.read()
        if not good:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)


@contextlib.contextmanager
def _film(path: Path, crf: int) -> Iterator[Callable[[np.ndarray], None]]:
    """Grey pictures of ``MOUTH_SIZE`` into one H.264 film: the function that adds one."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=TICK_RATE, options={"crf": str(crf), "preset": "fast"})
        stream.width = stream.height = MOUTH_SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1  # pictures so small are only held up by more

        def add(picture: np.ndarray) -> None:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")))

        yield add
        file.mux(stream.encode())
