"""Re-voicing: the clip dubbed by whichever speech engines are installed. Words and timing are not those of the lips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import librosa
import numpy as np
import soxr
from jaxtyping import Float32

from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.engines import ENGINES
from avdetect.forge.engines.program import Engine
from avdetect.forge.voice import matched, sound_of
from avdetect.plugin_errors import PluginError
from avdetect.types import SAMPLE_RATE, TICK_RATE, Clip, Segment

SENTENCES = (
    "The bridge over the river was closed early this morning because of high water.",
    "She asked whether anyone had seen the yellow folder with the signed papers.",
    "Both judges agreed that the third witness should be heard again on Thursday.",
    "We usually have breakfast outside, unless the wind blows from the north.",
    "Prices rose by six percent, which is more than most people had expected.",
    "A small group of children waited quietly beside the big blue bus.",
    "Please check the measurements twice before you send the final report.",
    "He thought the music was too loud, but nobody else seemed to mind.",
    "In the autumn they plan to move the whole workshop to another building.",
    "You could hear the church bells from the far side of the valley.",
    "My brother fixed the old radio with a piece of wire and some patience.",
    "The doctor explained the choices, and then left us to talk it over.",
    "Nothing in the letter suggested that the journey would be dangerous.",
    "Fresh vegetables, cheese and bread were laid out on the long table.",
    "If the weather holds, we will paint the garage and the fence on Saturday.",
    "Several thousand visitors came to see the show during its first week.",
)
"""Our own, with all sounds of English in them."""
MOST_STRETCH = 1.25


def available() -> dict[str, str]:
    """Every engine, with an empty text where it can speak here and else the reason why not."""
    out = {}
    for name in ENGINES.names():
        try:
            out[name] = ENGINES.get(name).available()
        except PluginError as error:  # an engine that was installed beside and is broken: the others can speak
            out[name] = str(error)
    return out


def revoiced(ticks: int, rng: np.random.Generator, engines: Sequence[Engine]) -> Float32[np.ndarray, " s"]:
    """Speech of exactly ``ticks`` ticks at 16 kHz: sentences joined, slightly stretched or cut at a pause.

    Args:
        ticks: length.
        rng: chooses engine, voice and words.
        engines: those that can speak; another is tried where one fails.

    Raises:
        CannotForge: none of them said anything.
    """
    wanted = ticks * SAMPLE_RATE // TICK_RATE
    reasons = []
    for i in rng.permutation(len(engines)):
        try:
            return _fitted(_spoken(engines[int(i)], wanted, rng), wanted, rng)
        except CannotForge as error:
            reasons.append(str(error))
    raise CannotForge("; ".join(reasons) or "no speech engine is installed")


def _spoken(engine: Engine, wanted: int, rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """At least ``wanted`` samples of sentences with short pauses between."""
    voice = int(rng.integers(2**31))  # one for all sentences of a clip
    parts: list[np.ndarray] = []
    total = 0
    for i in np.random.default_rng(int(rng.integers(2**31))).permutation(len(SENTENCES)):
        audio, rate = engine.speak(SENTENCES[int(i)], np.random.default_rng(voice))
        audio = soxr.resample(audio, rate, SAMPLE_RATE).astype(np.float32)
        loud = np.flatnonzero(np.abs(audio) > 0.02 * max(float(np.abs(audio).max()), 1e-6))
        if not len(loud):
            raise CannotForge("the engine said nothing")
        parts += [audio[loud[0] : loud[-1] + 1], np.zeros(int(SAMPLE_RATE * rng.uniform(0.15, 0.4)), np.float32)]
        total += sum(len(p) for p in parts[-2:])
        if total >= wanted:
            break
    return np.concatenate(parts[:-1])


def _fitted(audio: np.ndarray, wanted: int, rng: np.random.Generator) -> Float32[np.ndarray, " s"]:
    """Cut to length where the sound is softest near the end, then stretched by at most a quarter."""
    if len(audio) > wanted:
        ends = np.arange(wanted, min(len(audio), int(wanted * MOST_STRETCH)), SAMPLE_RATE // 100)
        power = [float(np.mean(np.square(audio[e - 320 : e]))) for e in ends if e >= 320]
        if power:
            audio = audio[: int(ends[int(np.argmin(power))])]
    rate = len(audio) / wanted
    if 1 / MOST_STRETCH <= rate <= MOST_STRETCH and abs(rate - 1) > 1e-3:
        audio = librosa.effects.time_stretch(audio, rate=rate)
    lead = int(rng.integers(0, max(1, wanted - len(audio)))) if len(audio) < wanted else 0
    out = np.zeros(wanted, np.float32)
    piece = audio[: wanted - lead]
    out[lead : lead + len(piece)] = piece
    return out


def forge(clip: Clip, rng: np.random.Generator, others: Sequence[Clip] = ()) -> Clip:
    """The clip dubbed by a speech engine."""
    del others
    audio = sound_of(clip)
    missing = available()
    engines = [ENGINES.get(name) for name, reason in missing.items() if not reason]
    if not engines:
        raise CannotForge("no speech engine is installed: " + "; ".join(missing.values()))
    made = matched(revoiced(clip.n_ticks, rng, engines), audio)
    whole = clip.n_ticks / TICK_RATE
    segments = (*clip.label.segments, Segment(0.0, whole, "audio"), Segment(0.0, whole, "sync"))
    return replace(clip, audio=made, label=replace(clip.label, audio_fake=True, offset_ms=None, segments=segments))


FAMILY = Family(
    forge, changes=("sound",), about="dubbed by an installed speech engine (other words than the lips')", api_version=1
)
