"""Records of false voices made of the genuine voices of other records."""

from __future__ import annotations

from typing import Any

import numpy as np

from avdetect.data.records import Record
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.films import key_rng
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE, Clip, Label


def copied(record: Record, family: Family, *, name: str, seconds: float, seed: int) -> Record:
    """The voice of a record, from its start on, made anew by a forgery; pictures are left out.

    Raises:
        CannotForge: it has no voice, or the forgery cannot be made or leaves the voice genuine.
    """
    n = min(record.n_ticks, round(seconds * TICK_RATE))
    audio = None if record.audio is None else record.audio[: n * SAMPLES_PER_TICK].astype(np.float32) / 32767
    clip = Clip(track=None, audio=audio, audio_valid=record.audio_valid[:n], label=Label(audio_fake=False))
    forged = family.forge(clip, key_rng(record.key, name, seed), ())
    made = forged.audio
    if not forged.label.audio_fake or made is None:
        raise CannotForge(f"{name} makes no false voice")
    return Record(
        key=f"{record.key}@{name}",
        meta=_meta(record.meta, name, n),
        landmarks=None,
        visible=None,
        mouths=None,
        faces=None,
        audio=np.round(np.clip(made, -1, 1) * 32767).astype(np.int16),
        audio_valid=record.audio_valid[:n],
        speech=None if record.speech is None else record.speech[:n],
        quality=None,
    )


def _meta(meta: dict[str, Any], name: str, ticks: int) -> dict[str, Any]:
    kept = {k: v for k, v in meta.items() if k not in ("shard", "row")}
    label = "FA" if meta.get("label") == "RA" else "RVFA"
    new = {"key": f"{meta['key']}@{name}", "path": f"{meta['path']}@{name}", "label": label, "audio_fake": 1}
    return {
        **kept,
        **new,
        "visual_fake": None,
        "generator": name,
        "pair": meta["path"],
        "ticks": ticks,
        "duration_s": ticks / TICK_RATE,
    }
