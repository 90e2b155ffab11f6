"""Examples for the lip-sync part: clips held in memory, batches that depend only on the seed and the step.

A batch is made of a few people with several stretches each, so that the wrong clips of the batch are often of the same
person: telling voices and faces apart is then no help in matching them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from avdetect.augment import channel, lips
from avdetect.config import DataConfig, SyncInput
from avdetect.data.columns import in_sync
from avdetect.data.store import RecordStore
from avdetect.models.sync import CROP, LIP_POINTS, mirror_order
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK

PER_PERSON = 8
MIN_TICKS = 20
TEMPO_SHARE = 0.7
TEMPO_RANGE = 0.16
"""Share of examples that are played faster or slower, and by how much at most (natural logarithm)."""


@dataclass(frozen=True)
class SyncClip:
    """What the lip-sync part needs of a clip; ``mouths`` is ``None`` for the landmark net."""

    key: str
    identity: str
    group: str
    points: Float32[np.ndarray, "t n 3"]
    mouths: UInt8[np.ndarray, "t h w"] | None
    audio: Float32[np.ndarray, " s"]
    visible: Bool[np.ndarray, " t"]
    covered: Bool[np.ndarray, " t"]

    @property
    def n_ticks(self) -> int:
        """Number of ticks."""
        return len(self.visible)


def group_of(row: dict) -> str:
    """Clips that went through the same hands: source, person and the file's audio rate."""
    return f"{row.get('source')}/{row.get('identity')}/{row.get('audio_rate')}"


def load_clips(
    store: RecordStore, rows: Sequence[int], *, kind: SyncInput, offsets: dict[str, float] | None = None
) -> list[SyncClip]:
    """Clips with face and sound that belong together, the known lateness of their group's sound taken out.

    Those whose sound was moved or is another's (`avdetect.data.columns.in_sync`) are left out.

    Args:
        store: the records.
        rows: rows of its index.
        kind: what the lips are seen as; mouth pictures are decoded only when needed.
        offsets: milliseconds by which each group's sound is late.
    """
    clips = []
    for i in rows:
        row = store.index[i]
        if not in_sync(row):
            continue
        record = store.read(i, pictures=("mouths",) if kind == "pixels" else ())
        if record.audio is None or record.landmarks is None or record.visible is None:
            continue
        mouths = None
        if kind == "pixels":
            if record.mouths is None:
                continue
            flat = record.mouths.reshape(-1, *record.mouths.shape[2:])
            mouths = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY).reshape(record.mouths.shape[:3])
        late_ms = lateness(offsets or {}, row)
        audio, covered = advance(record.audio.astype(np.float32) / 32767, record.audio_valid, late_ms)
        points = record.landmarks[:, LIP_POINTS].astype(np.float32)
        identity = str(row.get("identity") or row["path"])
        clips.append(SyncClip(row["key"], identity, group_of(row), points, mouths, audio, record.visible, covered))
    return clips


def load_offsets(path: str) -> dict[str, float]:
    """Milliseconds by group and by key of a clip from a configuration's offsets file; empty where none is named.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is another kind of file.
    """
    if not path:
        return {}
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"there is no offsets file {path}; python -m tools.estimate_offsets makes one, data.offsets= does without"
        )
    try:
        stored = json.loads(Path(path).read_text())
        return stored["groups"] | stored.get("by_clip", {})
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ValueError(f"{path} is not an offsets file of python -m tools.estimate_offsets") from None


def lateness(offsets: dict[str, float], row: dict) -> float:
    """Milliseconds by which the sound of a row's clip is late: its own estimate, else its group's, else 0."""
    return offsets.get(row["key"], offsets.get(group_of(row), 0.0))


def advance(audio: np.ndarray, covered: np.ndarray, late_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Sound moved earlier by ``late_ms``; ticks that thereby lose samples are no longer covered."""
    shift = round(late_ms * SAMPLE_RATE / 1000)
    if shift == 0:
        return audio, covered
    ticks = -(-abs(shift) // SAMPLES_PER_TICK)
    moved, mask = np.zeros_like(audio), covered.copy()
    if shift > 0:
        moved[:-shift] = audio[shift:]
        mask[-ticks:] = False
    else:
        moved[-shift:] = audio[:shift]
        mask[:ticks] = False
    return moved, mask


class People:
    """Which clips are of which person, and the drawing of batches: a few people, several stretches of each.

    Args:
        clips: of all people.
        ticks: length of a stretch; a clip of several such lengths may be drawn as often in one batch.
    """

    def __init__(self, clips: list[SyncClip], ticks: int):
        people: dict[str, list[int]] = {}
        for i, clip in enumerate(clips):
            people.setdefault(clip.identity, []).extend([i] * max(1, clip.n_ticks // ticks))
        self._people = [np.array(v) for v in people.values()]
        # By the root of how much there is of them: neither all stretches nor all people equally often.
        weight = np.sqrt([len(v) for v in self._people])
        self._weight = weight / weight.sum()

    def draw(self, rng: np.random.Generator, count: int) -> list[int]:
        """Positions of so many clips, some of them more than once."""
        chosen: list[int] = []
        while len(chosen) < count:
            person = self._people[rng.choice(len(self._people), p=self._weight)]
            size = min(PER_PERSON, len(person), count - len(chosen))
            chosen += rng.choice(person, size, replace=False).tolist()
        return chosen


class SyncBatches:
    """Batches by step number.

    Args:
        clips: from :func:`load_clips`.
        config: how long an example is.
        kind: landmarks or pixels.
        batch: examples a step; some people with up to ``PER_PERSON`` stretches each.
        seed: of everything random.
    """

    def __init__(self, clips: list[SyncClip], config: DataConfig, *, kind: SyncInput, batch: int, seed: int):
        self._clips, self._ticks, self._batch, self._seed = clips, config.ticks, batch, seed
        self._kind: SyncInput = kind
        self._people = People(clips, config.ticks)

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``lips``, ``audio``, ``visible``, ``covered`` of one step."""
        rng = np.random.default_rng((self._seed, step))
        chosen = self._people.draw(rng, self._batch)
        return stack([self._example(self._clips[i], rng) for i in chosen])

    def _example(self, clip: SyncClip, rng: np.random.Generator) -> dict[str, np.ndarray]:
        if rng.random() < TEMPO_SHARE:
            clip = at_tempo(clip, float(np.exp(rng.uniform(-1, 1) * TEMPO_RANGE)), phase=float(rng.random()))
        start = int(rng.integers(0, max(1, clip.n_ticks - self._ticks + 1)))
        example = window(clip, start, self._ticks, kind=self._kind)
        flip = rng.random() < 0.5
        if self._kind == "landmarks":
            example["lips"] = lips.points(example["lips"], rng, mirror=mirror_order() if flip else None)
        else:
            example["lips"] = lips.mouths(example["lips"], rng, crop=CROP, flip=flip)
        example["audio"] = channel.sound(example["audio"], rng)
        return example


def at_tempo(clip: SyncClip, rate: float, *, phase: float) -> SyncClip:
    """Picture and sound played ``rate`` times as fast, and the ticks placed ``phase`` of a tick later.

    Mesh points are interpolated, pictures taken from the nearest tick (as a player does), the sound resampled with its
    pitch (other voices for free).
    """
    ticks = int((clip.n_ticks - 1 - phase) / rate)
    if ticks < MIN_TICKS:
        return clip
    at = phase + np.arange(ticks) * rate
    low = np.floor(at).astype(int)
    high, share = np.minimum(low + 1, clip.n_ticks - 1), (at - np.floor(at)).astype(np.float32)
    near = np.where(share < 0.5, low, high)
    samples = (phase + np.arange(ticks * SAMPLES_PER_TICK) / SAMPLES_PER_TICK * rate) * SAMPLES_PER_TICK
    return replace(
        clip,
        points=clip.points[low] * (1 - share)[:, None, None] + clip.points[high] * share[:, None, None],
        mouths=None if clip.mouths is None else clip.mouths[near],
        audio=np.interp(samples, np.arange(len(clip.audio)), clip.audio).astype(np.float32),
        visible=clip.visible[low] & clip.visible[high],
        covered=clip.covered[low] & clip.covered[np.minimum(low + 1, clip.n_ticks - 1)],
    )


def window(clip: SyncClip, start: int, ticks: int, *, kind: SyncInput) -> dict[str, np.ndarray]:
    """``ticks`` ticks of a clip from ``start``, zeros and false past its end; mouths still 64 pixels wide."""
    stop = min(start + ticks, clip.n_ticks)
    n = stop - start
    lips = clip.points if kind == "landmarks" else clip.mouths
    assert lips is not None
    example = {
        "lips": np.zeros((ticks, *lips.shape[1:]), lips.dtype),
        "audio": np.zeros(ticks * SAMPLES_PER_TICK, np.float32),
        "visible": np.zeros(ticks, bool),
        "covered": np.zeros(ticks, bool),
    }
    example["lips"][:n] = lips[start:stop]
    example["audio"][: n * SAMPLES_PER_TICK] = clip.audio[start * SAMPLES_PER_TICK : stop * SAMPLES_PER_TICK]
    example["visible"][:n] = clip.visible[start:stop]
    example["covered"][:n] = clip.covered[start:stop]
    return example


def stack(examples: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Examples along a new first axis."""
    return {name: np.stack([e[name] for e in examples]) for name in examples[0]}
