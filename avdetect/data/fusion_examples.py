"""Examples for the fusion head, made of what the frozen parts say of genuine clips.

Mismatch: the lips of a clip against its own sound at a random lag, against the sound of another clip of the same
source, or one after the other. Four-way: mean logits of the branches, drawn apart for genuine and forged pictures and
voices and combined at random, with branches dropped at random, since a file may lack any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from avdetect.data.columns import flag, in_sync
from avdetect.data.neighbours import same_recording
from avdetect.data.records import clip_of_record
from avdetect.data.store import RecordStore
from avdetect.data.sync_examples import stack
from avdetect.detector import Detector
from avdetect.sound_stream import SoundStream, voice
from avdetect.streams import Arrays
from avdetect.track_stream import TrackStream, similarity_matrix
from avdetect.types import LAGS, MAX_LAG

MIN_TICKS = 20
SHIFTED = 0.3
"""Share of clips whose own sound is moved by up to nine ticks: out of time is no mismatch."""


@dataclass(frozen=True)
class Heard:
    """A clip as the frozen parts see and hear it.

    Attributes:
        lips: embeddings and ``known`` per tick.
        sound: embeddings, ``sync_known`` and speech logits per tick.
        visual: mean logit of the face, or NaN.
        audio: mean logit of the voice, or NaN.
        visual_fake, audio_fake: labels, ``None`` where unknown.
        prints: what tells its recording: fingerprints and names, by their columns.
        in_sync: nothing says that its sound was moved or is another's.
    """

    key: str
    source: str
    identity: str
    lips: Arrays
    sound: Arrays
    visual: float
    audio: float
    visual_fake: bool | None
    audio_fake: bool | None
    prints: Mapping[str, str | None]
    in_sync: bool = True

    @property
    def n_ticks(self) -> int:
        """Number of ticks."""
        return len(self.lips["known"])

    @property
    def speech(self) -> np.ndarray:
        """Probability of speech per tick."""
        return np.nan_to_num(voice(self.sound)[1])


def listen(detector: Detector, store: RecordStore, rows: Sequence[int]) -> list[Heard]:
    """Run the frozen parts over records that have a face and sound."""
    heard = []
    for i in rows:
        row = store.index[i]
        clip = clip_of_record(store.read(i))
        if clip.track is None or clip.audio is None:
            continue
        sound = SoundStream(detector)
        sound.push(clip.audio, clip.audio_valid)
        sound.finish()
        stream = TrackStream(detector, sound)
        stream.push(clip.track, start_tick=0)
        evidence = stream.evidence()
        heard.append(
            Heard(
                key=row["key"],
                source=str(row.get("source") or ""),
                identity=str(row.get("identity") or row["path"]),
                lips=stream.lips(),
                sound=sound.take(0, clip.n_ticks),
                visual=_mean(evidence.visual),
                audio=_mean(evidence.audio),
                visual_fake=flag(row.get("visual_fake")),
                audio_fake=flag(row.get("audio_fake")),
                prints={name: row.get(name) for name in ("picture_hash", "sound_hash", "path", "copy_of")},
                in_sync=in_sync(row),
            )
        )
    return heard


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def shifted(sound: Arrays, start: int, ticks: int) -> Arrays:
    """``ticks`` ticks of the sound from ``start`` with ``MAX_LAG`` more on either side, not known outside."""
    total = len(sound["known"])
    low, high = start - MAX_LAG, start + ticks + MAX_LAG
    a, b = min(max(low, 0), total), min(max(high, 0), total)
    out = {}
    for name, array in sound.items():
        out[name] = np.zeros((high - low, *array.shape[1:]), array.dtype)
        out[name][a - low : b - low] = array[a:b]
    return out


def _speech(clip: Heard, start: int, ticks: int) -> np.ndarray:
    """Probability of speech in ``ticks`` ticks of the clip's sound from ``start``, 0 outside."""
    heard = shifted({"known": clip.sound["known"], "speech": clip.speech}, start, ticks)["speech"]
    return heard[MAX_LAG : MAX_LAG + ticks]


class FusionBatches:
    """Batches by step number, for both heads."""

    def __init__(self, clips: list[Heard], pairs: list[str], *, ticks: int, batch: int, seed: int):
        self._all, self._pairs, self._ticks, self._batch, self._seed = clips, pairs, ticks, batch, seed
        self._genuine = [c for c in clips if c.visual_fake is False and c.audio_fake is False and c.in_sync]
        if len(self._genuine) < 4:
            raise ValueError(
                "the fusion head needs at least four genuine clips in sync; check data.train_where and val_where"
            )
        # Another version of the same recording has the right sound.
        self._mates = [
            [m for m in self._genuine if m.source == c.source and m is not c and not same_recording(c.prints, m.prints)]
            for c in self._genuine
        ]
        self._pools = {
            ("visual", flag): np.array([c.visual for c in clips if c.visual_fake is flag and np.isfinite(c.visual)])
            for flag in (False, True)
        } | {
            ("audio", flag): np.array([c.audio for c in clips if c.audio_fake is flag and np.isfinite(c.audio)])
            for flag in (False, True)
        }

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``similarity``, ``known``, ``speech``, ``mismatch`` per tick; ``logits``, ``present``, ``classes``."""
        rng = np.random.default_rng((self._seed, step))
        return stack([self._sync(rng) | self._classes(rng) for _ in range(self._batch)])

    def _sync(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        chosen = int(rng.integers(len(self._genuine)))
        clip, mates = self._genuine[chosen], self._mates[chosen]
        most = min(self._ticks, clip.n_ticks)
        n = int(rng.integers(min(MIN_TICKS, most), most + 1))
        start = int(rng.integers(0, clip.n_ticks - n + 1))
        lips = {name: a[start : start + n] for name, a in clip.lips.items()}
        lag = int(rng.integers(-9, 10)) if rng.random() < SHIFTED else 0
        own = shifted(clip.sound, start + lag, n)
        own_speech = _speech(clip, start + lag, n)
        kind = rng.choice(3, p=[0.45, 0.4, 0.15]) if mates else 0
        matrix, speech, target = similarity_matrix(lips, own, self._pairs), own_speech, np.zeros(n)
        if kind:
            mate = mates[int(rng.integers(len(mates)))]
            begin = int(rng.integers(0, max(1, mate.n_ticks - n + 1)))
            other = similarity_matrix(lips, shifted(mate.sound, begin, n), self._pairs)
            other_speech = _speech(mate, begin, n)
            cut = 0 if kind == 1 else int(rng.integers(n // 4, 3 * n // 4 + 1))
            swap = np.arange(n) >= cut
            if rng.random() < 0.5 and cut:
                swap = ~swap
            matrix = np.where(swap[:, None], other, matrix)
            speech, target = np.where(swap, other_speech, speech), swap.astype(float)
        return self._padded(matrix, speech, target, n)

    def _padded(self, matrix: np.ndarray, speech: np.ndarray, target: np.ndarray, n: int) -> dict[str, np.ndarray]:
        t = self._ticks
        known = np.zeros((t, len(LAGS)), bool)
        known[:n] = np.isfinite(matrix)
        out = {
            "similarity": np.zeros((t, len(LAGS)), np.float32),
            "known": known,
            "speech": np.zeros(t, np.float32),
            "mismatch": np.zeros(t, np.float32),
        }
        out["similarity"][:n] = np.nan_to_num(matrix)
        out["speech"][:n] = speech
        out["mismatch"][:n] = target
        return out

    def _classes(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        visual, audio = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        values = [self._draw("visual", visual, rng), self._draw("audio", audio, rng), rng.normal(0, 2)]
        present = np.isfinite(values) & (rng.random(3) > [0.1, 0.1, 0.4])
        if not present[:2].any():
            present[:2] = np.isfinite(values[:2])
        return {
            "logits": np.nan_to_num(np.array(values, np.float32)),
            "present": present,
            "classes": np.array(visual + 2 * audio, np.int32),
        }

    def _draw(self, branch: str, fake: bool, rng: np.random.Generator) -> float:
        pool = self._pools[branch, fake]
        return float(pool[rng.integers(len(pool))] + rng.normal(0, 0.2)) if len(pool) else float("nan")
