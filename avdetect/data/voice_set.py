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

import av
import numpy as np
import soundfile
import soxr
from av.error import FFmpegError
from jaxtyping import Float32

from avdetect.augment.recode_sound import CODECS, recode_sound
from avdetect.forge.contract import CannotForge
from avdetect.forge.engines.program import Engine
from avdetect.types import SAMPLE_RATE

KBPS = 48
LONGEST_S = 8
"""More of a recording is not taken."""
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


def genuine_rows(rule: Genuine, out: Path, rng: random.Random) -> list[Row]:
    """Rows of a manifest; the beginnings of the recordings are written to ``out`` at 16 kHz.

    Raises:
        ValueError: no file that is long enough fits the pattern.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = sorted(glob.glob(rule.files, recursive=True))
    rng.shuffle(paths)
    found: list[Row] = []
    for path in paths:
        if len(found) == rule.most:
            break
        audio = _sound(path)
        if len(audio) < rule.least_s * SAMPLE_RATE:
            continue
        named = re.search(rule.speaker, Path(path).name) if rule.speaker else None
        who = ":".join([rule.source, *(named.groups()[:1] if named else [])])
        target = out / f"{rule.source.replace(' ', '_')}_{len(found):03}.flac"
        soundfile.write(target, audio, SAMPLE_RATE)
        found.append(_row(target.resolve(), rule.source, who, rule.licence))
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


def _sound(path: str) -> Float32[np.ndarray, " s"]:
    """The beginning of a recording, 16 kHz mono; nothing of a file that is not sound."""
    blocks: list[np.ndarray] = []
    # Raw G.722 has no header to be known by.
    form = "g722" if path.endswith(".g722") else None
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    try:
        with av.open(path, format=form, metadata_errors="replace") as container:
            for frame in container.decode(audio=0):
                blocks += [part.to_ndarray()[0] for part in resampler.resample(frame)]
                if sum(map(len, blocks)) >= LONGEST_S * SAMPLE_RATE:
                    break
    except (FFmpegError, IndexError):  # broken, or without sound: what was read before counts
        pass
    joined = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return joined[: LONGEST_S * SAMPLE_RATE].astype(np.float32)
