"""Faces drawn once and kept for every training that comes: their measures, or the pictures themselves.

Every draw depends on the clip and its number alone, so that trainings of other seeds, and those that leave something
out, share the draws of the rest; where a forgery takes faces of others, trainings share draws of the very same clips
only. Of a genuine clip a draw is a pair, as it is and forged, degraded alike; of a recorded
forgery it is that clip, degraded.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from jaxtyping import Float16, Shaped, UInt8
from rich.progress import track

from avdetect.config import Config
from avdetect.data.clip_draw import ClipDraw
from avdetect.data.clip_examples import Arrays
from avdetect.data.mixture import parse_weights
from avdetect.data.store import RecordStore
from avdetect.forge import FORGERIES
from avdetect.forge.films import key_rng
from avdetect.forge.upscaling import networks

MOST, RECORDED = 0.3, 0.2
"""Draws of one genuine clip, and of a recorded forgery, as shares of ``data.draws``."""
SEED = 3
"""Of all draws: a bank serves trainings of any seed."""
AT_ONCE = 8
"""Faces measured together: a clip of which there is one draw has two, genuine and forged."""
_VERSION = 1
"""Part of a bank's name: raised when what is kept changes, so that old banks are not taken for new ones."""
QUALITY = 95
"""Of JPEG. Genuine and forged pictures go through it alike."""
_SHARED = ("records", "ticks", "faces", "forgeries")
"""Fields of the data's configuration that a draw depends on."""

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
Stored = dict[str, np.ndarray]


class Keep(Protocol):
    """What is kept of a face.

    Attributes:
        name: part of a bank's name; empty = of measures.
    """

    name: str

    def of(self, drawn: Sequence[Arrays]) -> np.ndarray:
        """``[k n ...]`` of ``k`` examples of ``n`` faces."""
        ...

    def pack(self, values: np.ndarray) -> Stored:
        """Arrays for a file."""
        ...

    def unpack(self, stored: Stored) -> np.ndarray:
        """What they were, or nearly."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Draws of one clip.

    Attributes:
        row: of the index.
        genuine: what is kept of the faces of each draw as they are; ``None`` of a recorded forgery.
        forged: of the same faces forged, or of the recorded forgery.
    """

    row: int
    genuine: Shaped[np.ndarray, "k n ..."] | None
    forged: Shaped[np.ndarray, "k n ..."]


class Measures:
    """Measures of faces. ``measure`` is ``faces (n h w 3), mouths (n 3 m m 3) -> (n f)``."""

    name = ""

    def __init__(self, measure: Measure):
        self._measure = measure

    def of(self, drawn: Sequence[Arrays]) -> Float16[np.ndarray, "k n f"]:
        """See `Keep`."""
        faces, mouths = (np.concatenate([a[name] for a in drawn]) for name in ("faces", "face_mouths"))
        out = []
        for start in range(0, len(faces), AT_ONCE):
            parts = [x[start : start + AT_ONCE] for x in (faces, mouths)]
            n = len(parts[0])
            full = [np.concatenate([p, np.repeat(p[:1], AT_ONCE - n, axis=0)]) for p in parts]  # one shape for all
            out.append(np.asarray(self._measure(*full))[:n])
        return np.concatenate(out).reshape(len(drawn), -1, out[0].shape[-1]).astype(np.float16)

    def pack(self, values: np.ndarray) -> Stored:
        """See `Keep`."""
        return {"": values}

    def unpack(self, stored: Stored) -> np.ndarray:
        """See `Keep`."""
        return stored[""]


class Pictures:
    """The face crops themselves, as JPEG."""

    name = f"pictures {QUALITY}"

    def of(self, drawn: Sequence[Arrays]) -> UInt8[np.ndarray, "k n h w 3"]:
        """See `Keep`."""
        return np.stack([a["faces"] for a in drawn])

    def pack(self, values: np.ndarray) -> Stored:
        """See `Keep`."""
        quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        coded = [cv2.imencode(".jpg", np.ascontiguousarray(x[..., ::-1]), quality)[1] for draw in values for x in draw]
        sizes = np.array([len(x) for x in coded], np.int32).reshape(values.shape[:2])
        return {"": np.concatenate(coded) if coded else np.zeros(0, np.uint8), "_sizes": sizes}

    def unpack(self, stored: Stored) -> np.ndarray:
        """See `Keep`."""
        sizes = stored["_sizes"]
        parts = np.split(stored[""], np.cumsum(sizes.reshape(-1))[:-1]) if sizes.size else []
        faces = [np.asarray(cv2.imdecode(x, cv2.IMREAD_COLOR))[..., ::-1] for x in parts]
        return np.stack(faces).reshape(*sizes.shape, *faces[0].shape) if faces else np.zeros((0, 0), np.uint8)


def drawn_clips(store: RecordStore, rows: Sequence[int], config: Config, keep: Keep) -> list[Drawn]:
    """Draws of the clips that are drawn at all, from the bank or made now.

    Args:
        store: the records of ``config.data``.
        rows: clips whose picture is known to be genuine or forged.
        config: ``data`` and ``augment`` say how draws are made, ``data.bank`` where they are kept.
        keep: what of a face.
    """
    draw = ClipDraw(config.data, config.augment, rows)
    counts = Counter(str(r.get("source")) for r in store.index if str(r.get("visual_fake") or "") == "0")
    folder = _folder(config, keep, (store.index[row] for row in rows))
    made: list[Drawn] = []
    wanted = [(row, _draws(store.index[row], counts, config.data.draws)) for row in rows]
    wanted = [(row, n) for row, n in wanted if n]
    missing = [(row, n) for row, n in wanted if folder is None or not _file(folder, store.index[row]).is_file()]
    fresh: dict[int, Stored] = {}
    threads = ThreadPoolExecutor(config.data.threads)
    try:
        jobs = threads.map(lambda job: _arrays(draw, store.index[job[0]], *job), missing)
        shown = track(zip(missing, jobs, strict=True), total=len(missing), description="faces", disable=not missing)
        for (row, _), arrays in shown:
            stored = _stored(arrays, keep, recorded=_recorded(store.index[row]))
            if folder is None:
                fresh[row] = stored
            else:
                _write(_file(folder, store.index[row]), stored)
    finally:
        threads.shutdown(cancel_futures=True)
    for row, _ in wanted:
        stored = fresh[row] if folder is None else _read(_file(folder, store.index[row]))
        sides = {s: {k.removeprefix(s): v for k, v in stored.items() if k.startswith(s)} for s in ("genuine", "forged")}
        forged = keep.unpack(sides["forged"])
        genuine = keep.unpack(sides["genuine"])
        if len(forged):
            made.append(Drawn(row, genuine if genuine.size else None, forged))
    return made


def _recorded(columns: dict) -> bool:
    return str(columns.get("visual_fake") or "") == "1"


def _draws(columns: dict, counts: Counter[str], draws: float) -> int:
    """How often a clip is drawn; where a source has many clips, some are not."""
    if _recorded(columns):
        return round(RECORDED * draws)
    share = draws / np.sqrt(counts[str(columns.get("source"))])
    if share >= 1:
        return min(round(MOST * draws), round(share))
    return int(key_rng("drawn", columns["key"]).random() < share)


def _arrays(draw: ClipDraw, columns: dict, row: int, count: int) -> list[list[Arrays]]:
    rngs = [key_rng("draw", SEED, columns["key"], n) for n in range(count)]
    return [[draw.one(row, rng)] if _recorded(columns) else draw.pair(row, rng) for rng in rngs]


def _stored(drawn: list[list[Arrays]], keep: Keep, *, recorded: bool) -> Stored:
    """Draws without a face, and those of genuine clips that could not be forged, are left out."""
    kept = [d for d in drawn if all(a["faces"].any() for a in d) and (d[-1]["face_fake"] == 1).all()]
    sides = dict.fromkeys(("genuine", "forged"), keep.pack(np.zeros((0, 0, 0), np.float16)))
    if kept:
        values = np.split(keep.of([a for side in zip(*kept, strict=True) for a in side]), len(kept[0]))
        sides["forged"] = keep.pack(values[-1])
        if not recorded:
            sides["genuine"] = keep.pack(values[0])
    return {f"{side}{name}": x for side, arrays in sides.items() for name, x in arrays.items()}


def _folder(config: Config, keep: Keep, rows: Iterable[dict]) -> Path | None:
    """Of the bank, by what its draws depend on; ``rows`` of the index that are drawn from."""
    if not config.data.bank:
        return None
    data = {name: getattr(config.data, name) for name in _SHARED}
    draws = config.data.draws
    about: list[Any] = [
        data,
        asdict(config.augment),
        [_VERSION, SEED, draws, round(MOST * draws), round(RECORDED * draws)],
    ]
    if "upscaling" in parse_weights(config.data.forgeries):
        about.append(networks())
    about += [keep.name] if keep.name else []
    about += [] if config.data.mouths else ["no mouths"]
    if any(FORGERIES.get(name).needs_others for name in parse_weights(config.data.forgeries)):
        # Any of the clips may be in a face that was forged of another.
        about.append(hashlib.sha256("\n".join(sorted(map(_name, rows))).encode()).hexdigest())
    told = json.dumps(about, sort_keys=True)
    folder = Path(config.data.bank) / hashlib.sha256(told.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "about.json").write_text(told + "\n")
    return folder


def _name(columns: dict) -> str:
    """Of a clip as it looks: records that were prepared anew are drawn anew."""
    return f"{columns['key']} {columns.get('picture_hash')}"


def _file(folder: Path, columns: dict) -> Path:
    return folder / f"{hashlib.sha256(_name(columns).encode()).hexdigest()[:24]}.npz"


def _write(path: Path, stored: Stored) -> None:
    # Of this process: another training may fill the same bank.
    temporary = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(temporary, allow_pickle=False, **stored)
    temporary.replace(path)


def _read(path: Path) -> Stored:
    with np.load(path) as stored:
        return dict(stored)
