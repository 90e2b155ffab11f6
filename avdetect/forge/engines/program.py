"""Running a speech program: no shell, a time limit, text by standard input, sound by a file."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float32

from avdetect.forge.contract import CannotForge

TIMEOUT_S = 30.0


class Engine(Protocol):
    """A voice that reads English text; states ``api_version = 1`` (see `avdetect.api`)."""

    @property
    def api_version(self) -> int:
        """1."""
        ...

    def available(self) -> str:
        """Empty if it can speak here, else why not and what to install."""
        ...

    def speak(self, text: str, rng: np.random.Generator) -> tuple[Float32[np.ndarray, " s"], int]:
        """Mono sound in [-1, 1] and its rate in Hz; ``rng`` chooses voice, speed and pitch.

        Raises:
            CannotForge: the engine failed, took too long, or said nothing.
        """
        ...


@dataclass(frozen=True)
class ProgramEngine:
    """An engine that is a program on the path.

    Attributes:
        program: its name.
        install: what to do where it is missing.
        arguments: from a random generator and the WAV file to write, the arguments; the text comes on standard input.
        api_version: of `avdetect.api` that it was written for. 0 = not stated, and refused.
    """

    program: str
    install: str
    arguments: Callable[[np.random.Generator, Path], Sequence[str]]
    api_version: int = 0

    def available(self) -> str:
        """See :class:`Engine`."""
        return "" if shutil.which(self.program) else f"{self.program} is not installed ({self.install})"

    def speak(self, text: str, rng: np.random.Generator) -> tuple[Float32[np.ndarray, " s"], int]:
        """See :class:`Engine`."""
        if missing := self.available():
            raise CannotForge(missing)
        with tempfile.TemporaryDirectory(prefix="avdetect-speech-") as folder:
            target = Path(folder) / "speech.wav"
            command = [self.program, *self.arguments(rng, target)]
            try:
                done = subprocess.run(
                    command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, cwd=folder, check=False
                )
            except subprocess.TimeoutExpired:
                raise CannotForge(f"{self.program} took longer than {TIMEOUT_S:g} s") from None
            except OSError as error:
                raise CannotForge(f"{self.program} could not be started: {error}") from None
            if done.returncode or not target.is_file():
                said = done.stderr.decode(errors="replace").strip().splitlines()
                raise CannotForge(f"{self.program} failed ({said[-1] if said else f'exit {done.returncode}'})")
            return read_wave(target, self.program)


def read_wave(path: Path, program: str) -> tuple[Float32[np.ndarray, " s"], int]:
    """A 16-bit WAV file as mono sound and its rate.

    Raises:
        CannotForge: it is no such file, or empty.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise CannotForge(f"{program} wrote no WAV file ({error})") from None
    if width != 2 or not data:
        raise CannotForge(f"{program} wrote {8 * width}-bit sound of {len(data)} bytes; 16 bits are needed")
    samples = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], "<i2").astype(np.float32) / 32768
    return samples.reshape(-1, channels).mean(axis=1), rate
