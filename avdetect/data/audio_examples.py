"""Examples for the voice network: genuine voices, their copy-synthesis, and synthetic voices from the records.

A false voice comes beside its own genuine recording where that is known, cut to the same words and sent through the
very same random channel, so that level, colour, bandwidth and noise cannot give the class away; windows have random
lengths, so that neither can duration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32

from avdetect.augment import channel
from avdetect.data.mixture import weights_of
from avdetect.data.store import RecordStore
from avdetect.data.sync_examples import stack
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge
from avdetect.types import SAMPLES_PER_TICK, Clip, Label

MIN_TICKS = 20
NOISE_SHARE = 0.06
OWN_SHARE = 0.7
"""How often a false voice comes beside its own recording; otherwise beside any genuine one."""
COPIED_TICKS = 100
"""Ticks of a voice that are copied, from its start: no example is longer."""
FAMILIES = ("griffin_lim", "world", "griffin_lim", "voice_change", "tts")
"""Made of genuine voices: the same words and channel where the family keeps them, so that only the making differs."""


@dataclass(frozen=True)
class Voice:
    """Sound of one clip.

    Attributes:
        key: of its record.
        identity: the person.
        system: what made a false voice, otherwise empty.
        fake: false or genuine.
        audio: in [-1, 1] at 16 kHz.
        valid: which ticks have sound.
        speech: probability per tick, NaN where it was not measured.
        pair: path of the genuine recording that a false voice stands for, otherwise empty.
        start_tick: where the clip begins in its file.
        folder: number of the folder of records that it lies in.
        sha256: of its file, which copies have from their original; empty where it was not kept.
    """

    key: str
    identity: str
    system: str
    fake: bool
    audio: Float32[np.ndarray, " s"]
    valid: Bool[np.ndarray, " t"]
    speech: Float32[np.ndarray, " t"]
    pair: str = ""
    start_tick: int = 0
    folder: int = 0
    sha256: str = ""

    @property
    def path(self) -> str:
        """Of the source file."""
        return self.key.split("#")[0]

    @property
    def n_ticks(self) -> int:
        """Number of ticks."""
        return len(self.valid)


def load_voices(store: RecordStore, rows: Sequence[int]) -> list[Voice]:
    """The sound of the clips whose voice is known to be genuine or false.

    Of a place in a file, which several faces may share, it is taken once from each folder of records.
    """
    voices, seen = [], set()
    for i in rows:
        row = store.index[i]
        place = (store.folder_of(i), row["path"], row["start_tick"])
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
                pair=str(row.get("pair") or "") if fake else "",
                start_tick=row["start_tick"],
                folder=store.folder_of(i),
                sha256=str(row.get("sha256") or ""),
            )
        )
    return voices


def copies(voices: Sequence[Voice], *, count: int, seed: int) -> list[Voice]:
    """``count`` false voices made of the genuine ones, by the families of ``FAMILIES`` in turn.

    A family that cannot forge here (no speech engine installed) is left out; each becomes a system of its own.
    """
    rng = np.random.default_rng((seed, 77))
    genuine = [v for v in voices if not v.fake]
    if not genuine:
        return []
    # By the root of a folder's size: neither all voices nor all folders equally often.
    sizes = {name: len(members) for name, members in _by(_folder, genuine).items()}
    share = np.array([sizes[_folder(v)] ** -0.5 for v in genuine])
    chosen = rng.choice(len(genuine), min(count, len(genuine)), replace=False, p=share / share.sum())
    made: list[Voice] = []
    unable: set[str] = set()
    for n, i in enumerate(chosen):
        name = FAMILIES[n % len(FAMILIES)]
        if name not in unable and (voice := _forged(genuine[i], name, rng, unable)) is not None:
            made.append(voice)
    return made


def _forged(voice: Voice, name: str, rng: np.random.Generator, unable: set[str]) -> Voice | None:
    voice = _start_of(voice, COPIED_TICKS)
    clip = Clip(track=None, audio=voice.audio, audio_valid=voice.valid, label=Label(audio_fake=False))
    try:
        audio = FORGERIES.get(name).forge(clip, rng, ()).audio
    except CannotForge:
        if name == "tts":
            unable.add(name)
        return None
    # Speech of other words: when anybody speaks in it is not known.
    speech = np.full_like(voice.speech, np.nan) if name == "tts" else voice.speech
    return replace(voice, system=name, fake=True, audio=audio, speech=speech, pair=voice.path)


def partner(false: Voice, genuine: Sequence[Voice]) -> Voice | None:
    """What a false voice was made of, ready to be cut like it; ``None`` where it is not at hand.

    Of the pieces of a long recording, the one that begins where the false voice does, or nearest to it. Another file
    of the same name, in another folder of records, is taken only where there is no better one: a copy has the digest
    of its original, and a recorded forgery lies in the same folder. A copy is of the beginning of its original, which
    is cut to its length, so that a place in one is the same place in the other.

    Args:
        false: the voice.
        genuine: recordings of the path that is its ``pair``.
    """
    own = min(genuine, key=lambda v: (_elsewhere(v, false), abs(v.start_tick - false.start_tick)), default=None)
    if own is None or not f"{false.key}@".startswith(f"{own.key}@"):
        return own
    return _start_of(own, false.n_ticks)


def _elsewhere(one: Voice, other: Voice) -> bool:
    return one.sha256 != other.sha256 and one.folder != other.folder


def _start_of(voice: Voice, ticks: int) -> Voice:
    audio = voice.audio[: ticks * SAMPLES_PER_TICK]
    return replace(voice, audio=audio, valid=voice.valid[:ticks], speech=voice.speech[:ticks])


class AudioBatches:
    """Batches by step number: half genuine, half false, false systems and genuine folders equally often."""

    def __init__(self, voices: list[Voice], *, ticks: int, batch: int, seed: int, weights: Sequence[str] = ()):
        """``weights``: ``system=factor``, how often a system is drawn; see `avdetect.data.mixture.weights_of`."""
        genuine = [v for v in voices if not v.fake]
        self._folders = _by(_folder, genuine)
        self._systems = _by(lambda v: v.system, [v for v in voices if v.fake])
        self._pieces = _by(lambda v: v.path, genuine)
        if not self._folders or not self._systems:
            raise ValueError("training needs genuine and false voices; check data.train_where")
        self._shares = weights_of(self._systems, balance=0.0, factors=weights)
        self._ticks, self._batch, self._seed = ticks, batch, seed

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        """``audio``, ``valid``, ``fake`` and ``speech`` of one step; a false voice follows its genuine partner."""
        rng = np.random.default_rng((self._seed, step))
        return stack([e for _ in range(-(-self._batch // 2)) for e in self._two(rng)][: self._batch])

    def _two(self, rng: np.random.Generator) -> list[dict[str, np.ndarray]]:
        system = self._systems[rng.choice(list(self._shares), p=list(self._shares.values()))]
        false = system[rng.integers(len(system))]
        own = partner(false, self._pieces.get(false.pair, ()))
        if own is None or rng.random() >= OWN_SHARE:
            folder = self._folders.get(_folder(false)) if rng.random() < 0.5 else None
            if folder is None:
                folder = list(self._folders.values())[rng.integers(len(self._folders))]
            own = folder[rng.integers(len(folder))]
        # One seed for both: the same place, length and channel.
        seed = int(rng.integers(2**63))
        return [self._example(v, np.random.default_rng(seed)) for v in (own, false)]

    def _example(self, voice: Voice, rng: np.random.Generator) -> dict[str, np.ndarray]:
        length, place, silent = rng.random(), rng.random(), rng.random() < NOISE_SHARE
        most = min(self._ticks, voice.n_ticks)
        least = min(MIN_TICKS, most)
        n = least + int(length * (most - least + 1))
        start = int(place * (voice.n_ticks - n + 1))
        audio = voice.audio[start * SAMPLES_PER_TICK : (start + n) * SAMPLES_PER_TICK]
        speech = voice.speech[start : start + n]
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


def _folder(voice: Voice) -> str:
    """The outermost folder. A recording that lies in none is one of its own: a voice, a room and a microphone more.

    So the few hundred recordings of `tools.voice_set` are most of the genuine voices that stand beside a false one
    without a recording of its own. Drawn as one data set or by their sources, in trainings that were longer and heard
    more of them, known data sets were told better and those left out worse (docs/results.md).
    """
    return voice.key.split("/")[0]


def _by(key: Callable[[Voice], str], voices: list[Voice]) -> dict[str, list[Voice]]:
    groups: dict[str, list[Voice]] = {}
    for v in voices:
        groups.setdefault(key(v), []).append(v)
    return groups
