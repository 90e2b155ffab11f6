"""Examples for the voice network: genuine voices, their copy-synthesis, and synthetic voices from the records.

Genuine and false sound of the same words go through the same random channel, so that level, colour, bandwidth and
noise cannot give the class away; windows have random lengths, so that neither can duration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from avdetect.augment import channel
from avdetect.data.store import RecordStore
from avdetect.data.sync_examples import stack
from avdetect.forge.copy_synthesis import griffin_lim
from avdetect.types import SAMPLES_PER_TICK

MIN_TICKS = 20
NOISE_SHARE = 0.06


@dataclass(frozen=True)
class Voice:
    """Sound of one clip; ``speech`` is NaN where it was not measured; ``system`` names what made a false voice."""

    key: str
    identity: str
    system: str
    fake: bool
    audio: Float32[np.ndarray, " s"]
    valid: Bool[np.ndarray, " t"]
    speech: Float32[np.ndarray, " t"]

    @property
    def n_ticks(self) -> int:
        """Number of ticks."""
        return len(self.valid)


def load_voices(store: RecordStore, rows: Sequence[int]) -> list[Voice]:
    """The sound of the clips whose voice is known to be genuine or false; each source file is taken once."""
    voices, seen = [], set()
    for i in rows:
        row = store.index[i]
        place = (row["path"], row["start_tick"])
        if str(row.get("audio_fake") or "") not in ("0", "1") or place in seen:
            continue
        record = store.read(i, pictures=())
        if record.audio is None or not record.audio_valid.any():
            continue
        seen.add(place)
        fake = str(row["audio_fake"]) == "1"
        speech = np.full(record.n_ticks, np.nan) if record.speech is None else record.speech / 255
        voices.append(
            Voice(
                key=row["key"],
                identity=str(row.get("identity") or row["path"]),
                system=str(row.get("generator") or "unknown") if fake else "",
                fake=fake,
                audio=record.audio.astype(np.float32) / 32767,
                valid=record.audio_valid,
                speech=speech.astype(np.float32),
            )
        )
    return voices


def copies(voices: Sequence[Voice], *, count: int, seed: int) -> list[Voice]:
    """Copy-synthesis of ``count`` of the genuine voices."""
    rng = np.random.default_rng((seed, 77))
    genuine = [v for v in voices if not v.fake]
    chosen = rng.choice(len(genuine), min(count, len(genuine)), replace=False)
    made = []
    for i in chosen:
        v = genuine[i]
        audio = griffin_lim(v.audio, rng)
        made.append(Voice(v.key, v.identity, "griffin-lim", True, audio, v.valid, v.speech))
    return made


class AudioBatches:
    """Batches by step number: half genuine, half false, false systems equally often."""

    def __init__(self, voices: list[Voice], *, ticks: int, batch: int, seed: int):
        self._genuine = _by(lambda v: v.key.split("/")[0], [v for v in voices if not v.fake])
        self._false = _by(lambda v: v.system, [v for v in voices if v.fake])
        if not self._genuine or not self._false:
            raise ValueError("training needs genuine and false voices; check data.train_where")
        self._ticks, self._batch, self._seed = ticks, batch, seed

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``audio``, ``valid``, ``fake`` and ``speech`` of one step."""
        rng = np.random.default_rng((self._seed, step))
        return stack([self._example(rng, false=i % 2 == 1) for i in range(self._batch)])

    def _example(self, rng: np.random.Generator, *, false: bool) -> dict[str, np.ndarray]:
        groups = self._false if false else self._genuine
        group = groups[rng.integers(len(groups))]
        voice = group[rng.integers(len(group))]
        most = min(self._ticks, voice.n_ticks)
        n = int(rng.integers(min(MIN_TICKS, most), most + 1))
        start = int(rng.integers(0, voice.n_ticks - n + 1))
        audio = voice.audio[start * SAMPLES_PER_TICK : (start + n) * SAMPLES_PER_TICK]
        speech = voice.speech[start : start + n]
        silent = rng.random() < NOISE_SHARE
        if silent:  # nobody speaks: says nothing of the class, but teaches the speech head
            audio = channel.colour(rng.standard_normal(len(audio)).astype(np.float32), rng)
            audio = audio * (10 ** rng.uniform(-3, -1) / (np.abs(audio).max() + 1e-9))
            speech = np.zeros(n, np.float32)
        out = {
            "audio": np.zeros(self._ticks * SAMPLES_PER_TICK, np.float32),
            "valid": np.zeros(self._ticks, bool),
            "fake": np.float32(voice.fake),
            "known": np.bool_(not silent),
            "speech": np.full(self._ticks, np.nan, np.float32),
        }
        out["audio"][: len(audio)] = channel.sound(audio, rng)
        out["valid"][:n] = voice.valid[start : start + n]
        out["speech"][:n] = speech
        return out


def _by(key: object, voices: list[Voice]) -> list[list[Voice]]:
    groups: dict[str, list[Voice]] = {}
    for v in voices:
        groups.setdefault(key(v), []).append(v)  # type: ignore[operator]
    return list(groups.values())
