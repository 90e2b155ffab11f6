"""Does a speech engine do what `avdetect.forge.engines.program.Engine` says?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from avdetect.forge.contract import CannotForge
from avdetect.forge.engines import ENGINES
from avdetect.forge.engines.program import Engine
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import (
    Broken,
    DoesNotApply,
    Kit,
    global_chance,
    require,
    require_kind,
    require_version,
)

TEXT = "The quick brown fox jumps over the lazy dog."
RATES = (8_000, 48_000)
"""Of sound, in Hz, lowest and highest."""


@dataclass(frozen=True)
class Subject:
    """An engine."""

    engine: Engine

    def spoken(self, text: str = TEXT, seed: int = 0) -> tuple[np.ndarray, int]:
        """A sentence; looked at.

        Raises:
            DoesNotApply: the engine cannot speak here.
            Broken: it gave no sound.
        """
        if missing := self.engine.available():
            raise DoesNotApply(f"it cannot speak here: {missing}")
        answer: Any = self.engine.speak(text, np.random.default_rng(seed))
        require(isinstance(answer, tuple) and len(answer) == 2, f"speak() gave {answer!r}; it must give sound and rate")
        sound, rate = answer
        require(
            isinstance(sound, np.ndarray) and sound.ndim == 1 and sound.dtype == np.float32,
            f"the sound is {getattr(sound, 'dtype', type(sound).__name__)}{list(np.shape(sound))}; "
            "it must be one row of float32",
        )
        require(
            isinstance(rate, int) and not isinstance(rate, bool) and RATES[0] <= rate <= RATES[1],
            f"the rate is {rate!r}; it must be a whole number of samples a second in {RATES[0]} ... {RATES[1]}",
        )
        return sound, rate


def _opened(plugin: Any) -> Subject:
    return Subject(ENGINES.get(plugin) if isinstance(plugin, str) else plugin)


def _api_version(s: Subject) -> None:
    """The API version is stated."""
    require_version(s.engine)


def _declared(s: Subject) -> None:
    """It says whether it can speak here, and if not why."""
    require_kind("avdetect.engines", s.engine)
    missing: Any = s.engine.available()
    require(isinstance(missing, str), f"available() gave {missing!r}; it must give a text, empty if it can speak")


def _missing(s: Subject) -> None:
    """Where it cannot speak, it raises CannotForge."""
    if not s.engine.available():
        raise DoesNotApply("it can speak here")
    try:
        s.engine.speak(TEXT, np.random.default_rng(0))
    except CannotForge:
        return
    except Exception as error:
        raise Broken(f"it cannot speak, and raised {type(error).__name__} instead of CannotForge: {error}") from error
    raise Broken("it says that it cannot speak, and speaks")


def _sound(s: Subject) -> None:
    """What it says is sound in range, finite, and as long as a sentence."""
    sound, rate = s.spoken()
    require(np.isfinite(sound).all(), "the sound is not finite")
    peak = float(np.abs(sound).max()) if len(sound) else 0.0
    require(peak <= 1, f"the sound reaches {peak:.4g}; it must stay in -1 ... 1")
    require(peak > 1e-3, "the sound is silence")
    length = len(sound) / rate
    require(0.5 <= length <= 20, f"a sentence of nine words lasts {length:.2f} s at {rate} Hz")


def _words(s: Subject) -> None:
    """It says what it is given to say: more words last longer."""
    short, long = (len(sound) / rate for sound, rate in (s.spoken("Yes."), s.spoken(f"{TEXT} {TEXT} {TEXT}")))
    require(long > 2 * short, f"one word lasts {short:.2f} s, and 27 words {long:.2f} s")


def _deterministic(s: Subject) -> None:
    """All chance comes from the generator: equal texts and seeds give equal bits."""
    said = []
    for seed in (1, 2):
        with global_chance(seed):
            said.append(s.spoken(seed=5))
    require(not (d := difference(*said)), f"twice with one seed: {d}")


KIT = Kit("speech engine", _opened, (_api_version, _declared, _missing, _sound, _words, _deterministic))


def check_engine(plugin: Any) -> dict[str, str]:
    """Make all checks of a speech engine; where it cannot speak, only those that need no speech.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, or the engine.

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin)


def engine_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_engine` takes."""
    return KIT.pairs()
