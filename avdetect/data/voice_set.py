"""A set of voices alone for a voice network: recordings of many rooms and languages, and text spoken by engines.

A network that hears one broadcaster's genuine voices takes every other microphone for a forgery, and one that hears
copies of noisy recordings alone takes noise for one. Breadth of both classes is what tells voices from channels.
"""

from __future__ import annotations

import glob
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from avdetect.augment.recode_sound import CODECS, recode_sound
from avdetect.forge.contract import CannotForge
from avdetect.forge.engines.program import Engine
from avdetect.media.errors import MediaError
from avdetect.media.probe import probe
from avdetect.types import SAMPLE_RATE

KBPS = 48
Row = dict[str, str]


@dataclass(frozen=True)
class Genuine:
    """Recordings in a folder.

    Attributes:
        source: name of the data set.
        files: pattern of their paths; ``**`` for folders below.
        licence: of them.
        most: how many are taken, by chance.
        least_s: shorter ones are passed over.
        speaker: pattern whose first group in a file's name names the speaker; all are one if not given.
    """

    source: str
    files: str
    licence: str
    most: int = 100
    least_s: float = 2.2
    speaker: str = ""


@dataclass(frozen=True)
class Spoken:
    """Sentences read by an engine: its name, how many, and the licence of what it says."""

    engine: str
    count: int
    licence: str = ""


def genuine_rows(rule: Genuine, rng: random.Random) -> list[Row]:
    """Rows of a manifest.

    Raises:
        ValueError: no file that is long enough fits the pattern.
    """
    paths = sorted(glob.glob(rule.files, recursive=True))
    rng.shuffle(paths)
    found: list[Row] = []
    for path in paths:
        if len(found) == rule.most:
            break
        if _seconds(path) >= rule.least_s:
            named = re.search(rule.speaker, Path(path).name) if rule.speaker else None
            who = ":".join([rule.source, *(named.groups()[:1] if named else [])])
            found.append(_row(Path(path).resolve(), rule.source, who, rule.licence))
    if not found:
        raise ValueError(f"{rule.source}: no sound of {rule.least_s:g} s or more is in {rule.files}")
    return found


def spoken_rows(
    rule: Spoken, engine: Engine, texts: Sequence[str], out: Path, *, source: str, seed: int
) -> Iterator[Row | str]:
    """Rows of what an engine says, each written to ``out`` as it is said; a text instead where it failed.

    Half of them go through a codec and back, as recordings have.

    Args:
        rule: how many.
        engine: that speaks.
        texts: one each.
        out: folder.
        source: name of the data set.
        seed: of voice, speed, level and codec.
    """
    out.mkdir(parents=True, exist_ok=True)
    for n, text in enumerate(texts[: rule.count]):
        rng = np.random.default_rng((seed, n))
        try:
            said, rate = engine.speak(text, rng)
            audio = soxr.resample(said, rate, SAMPLE_RATE).astype(np.float32)
        except CannotForge as error:
            yield f"{rule.engine}: {error}"
            continue
        audio *= rng.uniform(0.3, 0.9) / max(float(np.abs(audio).max()), 1e-3)
        if rng.random() < 0.5:
            audio = recode_sound(audio, str(rng.choice(list(CODECS))), KBPS)
        path = out / f"{rule.engine}_{n:03}.flac"
        soundfile.write(path, audio, SAMPLE_RATE)
        yield _row(path.resolve(), source, rule.engine, rule.licence, generator=rule.engine)


def sentences(files: str, pattern: str, *, least: int = 45, most: int = 110) -> list[str]:
    """Different texts of a length that the first group of a pattern finds in files, in the order of the alphabet.

    Raises:
        ValueError: there are none.
    """
    found = set()
    for path in sorted(glob.glob(files, recursive=True)):
        found |= set(re.findall(pattern, Path(path).read_text(encoding="utf-8", errors="replace")))
    kept = sorted(text for text in found if least <= len(text) <= most and text.isascii() and "\\" not in text)
    if not kept:
        raise ValueError(f"no sentence of {least} to {most} letters is found by {pattern} in {files}")
    return kept


def _row(path: Path, source: str, identity: str, licence: str, *, generator: str = "") -> Row:
    fake = {"label": "FA", "audio_fake": "1"} if generator else {"label": "RA", "audio_fake": "0"}
    return {"path": str(path), **fake, "generator": generator, "source": source, "identity": identity,
            "split": "train", "licence": licence}  # fmt: skip


def _seconds(path: str) -> float:
    try:
        return float(np.nan_to_num(probe(path).duration_s))
    except MediaError:
        return 0.0
