"""Faces measured once, for networks that learn from measures and not from pictures.

Every draw depends on the clip and its number alone, so that trainings of other seeds, and those that leave something
out, share the draws of the rest. Of a genuine clip a draw is a pair, as it is and forged, degraded alike; of a recorded
forgery it is that clip, degraded.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float16
from rich.progress import track

from avdetect.config import Config
from avdetect.data.clip_draw import ClipDraw
from avdetect.data.clip_examples import Arrays
from avdetect.data.mixture import parse_weights
from avdetect.data.store import RecordStore
from avdetect.forge.films import key_rng
from avdetect.forge.upscaling import networks

DRAWS = 40.0
"""Draws of a source are this times the root of its number of genuine clips, so that no source is nearly all."""
MOST = 12
"""Draws of one clip."""
RECORDED_DRAWS = 8
SEED = 3
"""Of all draws: a bank serves trainings of any seed."""
AT_ONCE = 8
"""Faces measured together: a clip of which there is one draw has two, genuine and forged."""
_VERSION = 1
"""Part of a bank's name: raised when what is measured changes, so that old measures are not taken for new ones."""
_SHARED = ("records", "ticks", "faces", "forgeries")
"""Fields of the data's configuration that a draw depends on."""

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Measured:
    """Draws of one clip.

    Attributes:
        row: of the index.
        genuine: measures of the faces of each draw as they are; ``None`` of a recorded forgery.
        forged: of the same faces forged, or of the recorded forgery.
    """

    row: int
    genuine: Float16[np.ndarray, "k n f"] | None
    forged: Float16[np.ndarray, "k n f"]


def measured_clips(store: RecordStore, rows: Sequence[int], config: Config, measure: Measure) -> list[Measured]:
    """Draws of the clips that are drawn at all, from the bank or made now.

    Args:
        store: the records of ``config.data``.
        rows: clips whose picture is known to be genuine or forged.
        config: ``data`` and ``augment`` say how draws are made, ``data.bank`` where they are kept.
        measure: ``faces (n h w 3), mouths (n 3 m m 3) -> (n f)``.
    """
    draw = ClipDraw(config.data, config.augment, rows)
    counts = Counter(str(r.get("source")) for r in store.index if str(r.get("visual_fake") or "") == "0")
    folder = _folder(config)
    made: list[Measured] = []
    wanted = [(row, _draws(store.index[row], counts)) for row in rows]
    wanted = [(row, n) for row, n in wanted if n]
    missing = [(row, n) for row, n in wanted if folder is None or not _file(folder, store.index[row]).is_file()]
    fresh: dict[int, Measured] = {}
    with ThreadPoolExecutor(config.data.threads) as threads:
        jobs = threads.map(lambda job: _arrays(draw, store.index[job[0]], *job), missing)
        shown = track(zip(missing, jobs, strict=True), total=len(missing), description="faces", disable=not missing)
        for (row, _), arrays in shown:
            clip = _measured(row, arrays, measure, recorded=_recorded(store.index[row]))
            if folder is None:
                fresh[row] = clip
            else:
                _write(_file(folder, store.index[row]), clip)
    for row, _ in wanted:
        clip = fresh[row] if folder is None else _read(_file(folder, store.index[row]), row)
        if len(clip.forged):
            made.append(clip)
    return made


def _recorded(columns: dict) -> bool:
    return str(columns.get("visual_fake") or "") == "1"


def _draws(columns: dict, counts: Counter[str]) -> int:
    """How often a clip is drawn; where a source has many clips, some are not."""
    if _recorded(columns):
        return RECORDED_DRAWS
    share = DRAWS / np.sqrt(counts[str(columns.get("source"))])
    if share >= 1:
        return min(MOST, round(share))
    return int(key_rng("drawn", columns["key"]).random() < share)


def _arrays(draw: ClipDraw, columns: dict, row: int, count: int) -> list[list[Arrays]]:
    rngs = [key_rng("draw", SEED, columns["key"], n) for n in range(count)]
    return [[draw.one(row, rng)] if _recorded(columns) else draw.pair(row, rng) for rng in rngs]


def _measured(row: int, drawn: list[list[Arrays]], measure: Measure, *, recorded: bool) -> Measured:
    """Draws without a face, and those of genuine clips that could not be forged, are left out."""
    kept = [d for d in drawn if all(a["faces"].any() for a in d) and (d[-1]["face_fake"] == 1).all()]
    if not kept:
        return Measured(row, None, np.zeros((0, 0, 0), np.float16))
    arrays = np.split(_measure([a for side in zip(*kept, strict=True) for a in side], measure), len(kept[0]))
    return Measured(row, None if recorded else arrays[0], arrays[-1])


def _measure(side: Sequence[Arrays], measure: Measure) -> Float16[np.ndarray, "k n f"]:
    faces, mouths = (np.concatenate([a[name] for a in side]) for name in ("faces", "face_mouths"))
    out = []
    for start in range(0, len(faces), AT_ONCE):
        parts = [x[start : start + AT_ONCE] for x in (faces, mouths)]
        n = len(parts[0])
        full = [np.concatenate([p, np.repeat(p[:1], AT_ONCE - n, axis=0)]) for p in parts]  # one shape for all
        out.append(np.asarray(measure(*full))[:n])
    return np.concatenate(out).reshape(len(side), -1, out[0].shape[-1]).astype(np.float16)


def _folder(config: Config) -> Path | None:
    if not config.data.bank:
        return None
    data = {name: getattr(config.data, name) for name in _SHARED}
    counts = [_VERSION, SEED, DRAWS, MOST, RECORDED_DRAWS]
    about = [data, asdict(config.augment), counts]
    if "upscaling" in parse_weights(config.data.forgeries):
        about.append(networks())
    told = json.dumps(about, sort_keys=True)
    folder = Path(config.data.bank) / hashlib.sha256(told.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "about.json").write_text(told + "\n")
    return folder


def _file(folder: Path, columns: dict) -> Path:
    """Of a clip as it looks: records that were prepared anew are measured anew."""
    name = f"{columns['key']} {columns.get('picture_hash')}"
    return folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.npz"


def _write(path: Path, clip: Measured) -> None:
    temporary = path.with_suffix(".tmp.npz")
    none = np.zeros(0, np.float16)
    np.savez(temporary, genuine=none if clip.genuine is None else clip.genuine, forged=clip.forged)
    temporary.replace(path)


def _read(path: Path, row: int) -> Measured:
    with np.load(path) as stored:
        genuine, forged = stored["genuine"], stored["forged"]
    return Measured(row, genuine if genuine.size else None, forged)
