"""Speech engines, each broken in one way; and a sound one that no check may complain of."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from avdetect.forge.contract import CannotForge

RATE = 16_000


class Hum:
    """A tone for every letter; nothing is wrong with it."""

    api_version: Any = 1
    missing: Any = ""

    def available(self) -> Any:
        """See `avdetect.forge.engines.program.Engine`."""
        return self.missing

    def speak(self, text: str, rng: np.random.Generator) -> Any:
        """See `avdetect.forge.engines.program.Engine`."""
        if self.missing:
            raise CannotForge(self.missing)
        pitch = rng.uniform(80, 200)
        seconds = np.arange(int(0.07 * RATE) * len(text)) / RATE
        return (0.5 * np.sin(2 * np.pi * pitch * seconds)).astype(np.float32), RATE


class OfAnotherVersion(Hum):
    api_version = 2


class SaysYes(Hum):
    def available(self) -> Any:
        return True


class Mute(Hum):
    speak = None  # type: ignore[assignment]


class Crashing(Hum):
    """Is not installed, and starts all the same."""

    missing = "hum is not installed"

    def speak(self, text: str, rng: np.random.Generator) -> Any:
        raise FileNotFoundError("hum")


class Pretending(Hum):
    """Is not installed, and speaks all the same."""

    def available(self) -> Any:
        return "hum is not installed"


class Changed(Hum):
    """Has a tone that is not what it should be."""

    def speak(self, text: str, rng: np.random.Generator) -> Any:
        return self.changed(*super().speak(text, rng))

    def changed(self, sound: np.ndarray, rate: int) -> Any:
        """What is broken."""
        return sound, rate


class InDoubles(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return sound.astype(np.float64), rate


class InStereo(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return np.stack([sound, sound], axis=1), rate


class Loud(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return sound * 32768, rate


class Silence(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return sound * 0, rate


class InKilohertz(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return sound, rate // 1000


class OfNoRate(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return sound


class NotFinite(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return np.where(np.arange(len(sound)) == 5, np.nan, sound).astype(np.float32), rate


class Canned(Hum):
    """Says the same, whatever it is given."""

    def speak(self, text: str, rng: np.random.Generator) -> Any:
        return super().speak("The same sentence.", rng)


class OfChance(Changed):
    def changed(self, sound: np.ndarray, rate: int) -> Any:
        return sound * np.float32(random.random()), rate


SOUND = [Hum()]
BROKEN: dict[str, list[Any]] = {
    "api_version": [OfAnotherVersion()],
    "declared": [SaysYes(), Mute(), Hum],
    "missing": [Crashing(), Pretending()],
    "sound": [InDoubles(), InStereo(), Loud(), Silence(), InKilohertz(), OfNoRate(), NotFinite()],
    "words": [Canned()],
    "deterministic": [OfChance()],
}
